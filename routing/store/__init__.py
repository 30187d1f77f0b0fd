"""Where state is kept: tables, units of work, migrations. The only room that knows SQLAlchemy.

It stores and finds; it never decides. Whoever needs a row changed calls a verb of the engine.
"""
