"""Twilio's phone network on your own machine.

It dials, fetches and interprets TwiML, keeps queues and conferences, signs its webhooks and answers
the REST calls of Twilio's helper library. It speaks HTTP only: it imports nothing of the engine or
of the voice side, and nothing of theirs imports it. Any voice application can use it without
Tandem: `python -m simulator --help`, and README.md beside this file.

The rooms, from the wire inwards:

    __main__, server        the command, the server          settings, clock, log, faults
    control, origins        the door for people and tests: dial, press, hang up, look
    stream, news, shown     what happens, pushed to whoever listens at that door
    page/                   the page at /: a telephone in the browser, on top of control
    rest/                   the door for the application: Twilio's own REST API
    exchange                how calls begin and how they are moved; both doors end here
    interpreter             one call follows its documents; the verbs are in speech, gather,
                            enqueue, dial (with ringing, machine, bridge, room), record (with
                            transcription), announcement; what they may say in twiml, vocabulary
    network                 the state: call, call_queue, conference, recording, endpoint,
                            application
    agenda, lock            one lock, the timers, the scripts that wait: no thread per call
    post, webhook           webhooks on their way out; parameters and signature make them Twilio's,
                            timings how long they took

Where Twilio warns and goes on, the simulator refuses: a misspelt attribute should be heard here and
not by a caller. What it does not simulate (media streams, payments, trunks)
it refuses, too; of a recording it keeps everything but the sound.
"""
