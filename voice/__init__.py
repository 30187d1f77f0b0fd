"""A call, in the order in which it happens. The only room that knows Twilio.

Webhooks come in by `signature`, instructions go out by `phone_line`. It enters the engine by its
front door and never touches the store.
"""
