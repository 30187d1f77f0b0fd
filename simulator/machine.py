"""Answering machine detection: who has answered, how long it takes to know, and who is told.

It listens to nobody: the endpoint says who is there. A call by REST waits for the verdict unless it
is detected aside (AsyncAmd); a participant and a dialled leg are always detected aside.
"""

import dataclasses

from simulator.agenda import Steps
from simulator.call import Call
from simulator.network import Network
from simulator.webhook import Parameters

ENABLE, DETECT_MESSAGE_END = "Enable", "DetectMessageEnd"
NO_CALLBACK = 21262

#: Whom the endpoint says to be there -> what is found, and in how many seconds. Where nothing is
#: found, that is after the silence for which Twilio waits.
FOUND = {"human": ("human", 2.0), "machine": ("machine_start", 4.0), "fax": ("fax", 4.0)}
END_OF_MESSAGE = ("machine_end_beep", 10.0)
UNKNOWN = "unknown"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Detection:
    """What is to be found out, in which time, and whom to tell."""

    mode: str
    #: Goes on with the call meanwhile.
    is_aside: bool
    timeout_seconds: int = 30
    silence_ms: int = 5000
    callback_url: str | None = None
    callback_method: str = "POST"


def detect(network: Network, call: Call, detection: Detection) -> Steps[Parameters]:
    """What the document is to be told, when it is known; at once, and nothing, where it goes on."""
    answered_by, seconds = _verdict(detection, network.endpoint(call.to).answered_by)
    found = (
        ("AnsweredBy", answered_by),
        ("MachineDetectionDuration", str(round(seconds * 1000))),
    )
    if not detection.is_aside:
        yield from network.agenda.pause(seconds)
        call.answered_by = answered_by
        return found
    if detection.callback_url is None:
        network.complain(NO_CALLBACK, "machine detection aside, and no callback to tell", call)

    def know() -> None:
        if call.has_ended:
            return
        call.answered_by = answered_by
        network.changed(call)
        if detection.callback_url is not None:
            account = ("AccountSid", network.settings.account_sid)
            network.tell(
                url=detection.callback_url,
                method=detection.callback_method,
                parameters=(("CallSid", call.sid), account, *found),
                lane=f"{call.sid} machine",
                call=call,
            )

    network.agenda.after(seconds, know)
    return ()


def _verdict(detection: Detection, answered_by: str) -> tuple[str, float]:
    word, seconds = FOUND.get(answered_by, (UNKNOWN, detection.silence_ms / 1000))
    if answered_by == "machine" and detection.mode == DETECT_MESSAGE_END:
        word, seconds = END_OF_MESSAGE
    if seconds > detection.timeout_seconds:
        return UNKNOWN, float(detection.timeout_seconds)
    return word, seconds
