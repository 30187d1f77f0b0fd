"""Everything that is known to happen to calls, or to be asked for, each in a line of our own.

Cases are the documented courses of a voice Task and what was observed of them; needs are what those
who run contact centres ask for and complain of most, the most frequent first.
"""

from typing import Final

CASES: Final = {
    "offer ignored": "nobody answers an offer: it times out, its Worker is away, others are asked",
    "agent not reached": "busy, no answer or failure: canceled, its Worker away, the caller waits",
    "target invalid": "a number that cannot be called: canceled with a code; the Task with it",
    "gone while waiting": "the caller hangs up in the queue: canceled for `hangup`, offers end",
    "gone while ringing": "the caller hangs up while the agent's phone rings: it stops",
    "caller ends": "the caller hangs up in the conversation: the room ends, unless asked otherwise",
    "agent ends": "the agent hangs up: the caller is not left alone; after-work, or completed",
    "transfer": "who hands on wraps up while the Task stays assigned to who has taken it",
    "time to live": "a Task that waited too long is canceled, and the caller hears of it",
    "out of steps": "a Workflow that has run out of steps cancels, and the caller hears of it",
    "declined too often": "a Task that was offered a thousand times is canceled",
    "assigned for good": "a Task that is assigned cannot be canceled, only wrapped up or completed",
}

NEEDS: Final = {
    "stuck tasks": "nothing stays assigned or wrapping after an outage; after-work has a limit",
    "missed offers": "missed, declined and unreachable are told apart, and do not go in circles",
    "callback and voicemail": "out of the queue, keeping the place in line",
    "signatures": "behind proxies, and not fooled by them",
    "local": "a whole call without an account or a tunnel",
    "hold and hand on": "hold, warm transfer, three together, nobody alone or dropped",
    "supervision": "monitor, whisper, barge",
    "announcements": "the place in line and the expected wait",
    "teardown races": "a call that is gone in the very moment in which it is wanted",
    "phones stop": "no phone rings on for somebody who is gone, or for a call that others took",
    "waiting for nothing": "time to live and the end of a Workflow take the caller off the line",
    "recording and the rest": "recording, its pause, own music, who hung up, hours, dispositions",
    "abandoned": "hanging up, waiting too long and being canceled are told apart",
    "ending rooms": "a conference that is not to be seen, or not to be ended",
    "numbers outside": "handing on to a number that is nobody's, blind or after a word with them",
}

ROWS: Final = CASES | NEEDS
