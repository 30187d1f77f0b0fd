"""A call, in the order in which it happens. The only room that knows Twilio.

    signature       every webhook proves that it comes from Twilio
    door            the webhooks, each recorded in one transaction and answered
    call_flow       what a number does, as checks lets it be; announcement says it as TwiML
    incoming_call   1 it rings: the Task is created
    elsewhere       1 or another application's document hands its caller over
    waiting_room    2 music, the place in line, and the wait that estimate expects
    callback        2 the caller hangs up and keeps the place
    assignment      3 an agent is found: instructions are carried out, step by step
    calling_out     3 a number outside is called in; outside says what its news mean
    clearing        what is left of bridges: phones stop, callers go on
    relaying        whom else an instruction wants to hear of its leg and room
    scene outcomes    what a step looks at, and what becomes of it
    wishes          3 hold, mute, record, supervise, call, redirect
    bridge          what every piece of news means for the bridge that is being built
    conversation    who is in the conversation, who has left it, when it is over
    conference      4 agent and caller in one room
    hang_up         5 whoever leaves first
    reconciliation  what lost callbacks left behind
    phone_line      the only REST client, over wire; tunnel finds how Twilio reaches us

Webhooks come in by `door`, instructions go out by `phone_line`; never both in one step. It enters
the engine by its front door and never touches the store.
"""
