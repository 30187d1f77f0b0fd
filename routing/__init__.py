"""The engine: everything TaskRouter decides, and nothing that Twilio, Flask or a database does.

The files right here import the standard library and each other; `store/` is the only room that
knows SQLAlchemy, `background/` follows the event log, `api/` is the REST door. Others enter through
`engine` and the plain records; nobody writes state but the engine's verbs.
"""
