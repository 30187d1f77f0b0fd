"""Twilio's phone network on your own machine.

It dials, fetches and interprets TwiML, keeps queues and conferences, signs its webhooks and answers
the REST calls of Twilio's helper library. It speaks HTTP only: it imports nothing of the engine or
of the voice side, and nothing of theirs imports it.
"""
