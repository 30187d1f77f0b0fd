"""Agents' applications: the doors that Twilio's TaskRouter JavaScript SDK speaks to.

A WebSocket tells a Worker's application what happens to it; the event bridge is where that
application says what it wants, over plain HTTP. Both are opened with a token (routing/api/tokens).

    routes       what the SDK may ask for, and who may: one table
    policies     what a token may do: the rules of its role, or its own policies
    bridge       the event bridge as a door of Flask: token, route, the REST door's view, answer
    answer_first what an application asked for is told it after its answer
    reading      what the SDK reads in a form of its own: Reservations with their Tasks
    wire         records as the SDK wants them told: every key, in seconds since the epoch
    frames       events as what is sent to a socket
    audience     whom an event concerns
    hub          the open sockets: heartbeats, order, slow clients, tokens that end
    feed         those who listen to a whole Workspace: walls, home pages
    feed_door    lets them in, and lets them catch up with the log
    line         a WebSocket as hub and feed use it
    turnstile    lets many in one after the other, as after a restart
    follower     reads the log, makes frames and hands them to the hub
    server       a process's only event loop: who comes in, and what they are told first
    front        one port for both: a WebSocket, or plain HTTP that Flask answers in threads

Nothing in here decides about routing: whatever is asked for is carried out by the REST door's views
and so by the engine's verbs. No token is ever logged.
"""
