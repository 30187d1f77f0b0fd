"""A call, in the order in which it happens. The only room that knows Twilio.

    signature       every webhook proves that it comes from Twilio
    door            the webhooks, each recorded in one transaction and answered
    call_flow       what a number does; announcement says it as TwiML
    incoming_call   1 it rings: the Task is created
    waiting_room    2 music and the place in line
    assignment      3 an agent is found: instructions are carried out, step by step
    bridge          what every piece of news means for the bridge that is being built
    conference      4 agent and caller in one room
    hang_up         5 whoever leaves first
    reconciliation  what lost callbacks left behind
    phone_line      the only REST client

Webhooks come in by `door`, instructions go out by `phone_line`; never both in one step. It enters
the engine by its front door and never touches the store.
"""
