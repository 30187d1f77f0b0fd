"""The REST door: Twilio's voice API (2010-04-01) as the official helper libraries call it.

One file per resource. A view reads its form, does one thing through the exchange inside a turn, and
represents the result; the rules of calls and rooms are not here. What is unknown is refused, never
ignored.
"""
