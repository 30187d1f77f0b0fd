"""What an application may answer to an assignment callback, and the verb that each answer is.

The same verbs as at the REST door; here is only how the JSON is read. One entry of `INSTRUCTIONS`
is one instruction: its fields, and what carries it out.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from routing import reservation as states
from routing.configuration import Configuration
from routing.engine import giving, instructions, reservations
from routing.engine.answer_fields import (
    INVALID_INSTRUCTION,
    Field,
    WrongAnswer,
    address,
    flag,
    one_of,
    read_fields,
    sid,
    some_of,
    text,
    url,
    whole_number,
)
from routing.engine.journal import Subject, tell
from routing.errors import InvalidParameter, RoutingError
from routing.json_text import JSONObject, read_json
from routing.ports import Work

#: Characters of an answer; a conference instruction with everything in it has some two thousand.
MAX_ANSWER_CHARACTERS: Final = 65_536

NOT_JSON_TYPE: Final = 40000
NOT_JSON: Final = 40001
NO_INSTRUCTION: Final = 40005
REJECT_ACTIVITY: Final = 40100
DEQUEUE_ACTIVITY: Final = 40130
CONFERENCE_ACTIVITY: Final = 40143
SUPERVISE_NOT_ACCEPTED: Final = 40146

#: Seconds that a phone may ring (Twilio refuses more: its error 14233).
_RING: Final = whole_number(1, 999)
_METHOD: Final = one_of("GET", "POST")
_CALL_EVENTS: Final = some_of("initiated", "ringing", "answered", "completed")
_ROOM_EVENTS: Final = some_of("start", "end", "join", "leave", "mute", "hold", "speaker")
_REGION: Final = one_of("us1", "us2", "ie1", "de1", "sg1", "br1", "au1", "jp1")
_RECORD: Final = one_of("do-not-record", "record-from-answer", "true", "false")

Carry: TypeAlias = Callable[[Work, str, JSONObject], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    fields: Mapping[str, Field]
    #: The verb: it is given the Reservation's SID and the fields.
    carry_out: Carry
    #: Twilio's code where the Reservation is not pending any more.
    not_pending: int | None = None
    #: Where it names an Activity for the Worker, and the code for one that is not there.
    activity: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the application wants to be done."""

    instruction: str
    parameters: JSONObject


def read_answer(content_type: str, body: bytes) -> Answer | None:
    """What was answered; None where the application will act later (an empty body, or `{}`).

    Raises WrongAnswer, with Twilio's code.
    """
    if not body.strip():
        return None
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise WrongAnswer(NOT_JSON_TYPE, "The answer's Content-Type is not application/json")
    try:
        said = read_json(body, parameter="the answer", limit=MAX_ANSWER_CHARACTERS)
    except InvalidParameter as error:
        raise WrongAnswer(NOT_JSON, f"The answer is not JSON. {error.message}") from None
    if not isinstance(said, dict):
        raise WrongAnswer(NOT_JSON, "The answer is not a JSON object")
    if not said:
        return None
    name = said.get("instruction")
    if name is None:
        raise WrongAnswer(NO_INSTRUCTION, "The answer has no 'instruction'")
    if not isinstance(name, str) or name.lower() not in INSTRUCTIONS:
        shown = " or ".join(INSTRUCTIONS)
        raise WrongAnswer(INVALID_INSTRUCTION, f"Expected 'instruction' to be {shown}")
    name = name.lower()
    return Answer(instruction=name, parameters=read_fields(name, said, INSTRUCTIONS[name].fields))


def carry_out(work: Work, *, reservation_sid: str, answer: Answer) -> None:
    """Does what was answered.

    Raises WrongAnswer where an Activity is not there or the Reservation no longer pending, and
    whatever the verb raises.
    """
    instruction = INSTRUCTIONS[answer.instruction]
    reservation = work.reservations.get(reservation_sid)
    if reservation is None or reservation.reservation_status != states.PENDING:
        if instruction.not_pending is not None:
            raise WrongAnswer(
                instruction.not_pending,
                f"Unable to execute {answer.instruction.capitalize()} instruction. Reservation "
                f"{reservation_sid} is not currently in a Pending state.",
            )
    else:
        _check_activity(work.configuration(reservation.workspace_sid), instruction, answer)
    instruction.carry_out(work, reservation_sid, answer.parameters)


def _check_activity(configuration: Configuration, instruction: Instruction, answer: Answer) -> None:
    if instruction.activity is None:
        return
    name, code = instruction.activity
    given = answer.parameters.get(name)
    if given is not None and given not in configuration.activities:
        raise WrongAnswer(
            code, f"'{name}' of the {answer.instruction} instruction names no Activity"
        )


def tell_failure(work: Work, *, reservation_sid: str, error: RoutingError) -> None:
    """Leaves what was wrong with an answer in the event log, where its Reservation still is."""
    reservation = work.reservations.get(reservation_sid)
    if reservation is None:
        return
    task = work.tasks.get(reservation.task_sid)
    worker = work.workers.get(reservation.worker_sid)
    if task is None or worker is None:
        return
    tell(
        work,
        work.configuration(reservation.workspace_sid),
        "reservation.failed",
        f"Reservation {reservation_sid} failed: {error.message}",
        Subject(reservation=reservation, task=task, worker=worker),
        error_code=str(error.code),
        error_message=error.message,
        failure=f"{error.code}: {error.message}",
    )


# ---- the instructions ------------------------------------------------------------------------


def _accept(work: Work, reservation_sid: str, _given: JSONObject) -> None:
    reservations.accept(work, reservation_sid=reservation_sid)


def _reject(work: Work, reservation_sid: str, given: JSONObject) -> None:
    reservations.reject(
        work,
        reservation_sid=reservation_sid,
        worker_activity_sid=str(given["activity_sid"]),
    )


def _conference(work: Work, reservation_sid: str, given: JSONObject) -> None:
    instructions.request_conference(work, reservation_sid=reservation_sid, parameters=given)


def _give(name: str) -> Carry:
    """Carries the instruction out as every other door does."""

    def carry(work: Work, reservation_sid: str, given: JSONObject) -> None:
        giving.give(work, reservation_sid=reservation_sid, instruction=name, parameters=given)

    return carry


def _supervise(_work: Work, reservation_sid: str, _given: JSONObject) -> None:
    # It needs a Reservation that was accepted, and this one is only being offered.
    raise WrongAnswer(
        SUPERVISE_NOT_ACCEPTED,
        f"Unable to execute Supervise instruction. Reservation {reservation_sid} is not accepted.",
    )


_ANY_ACTIVITY: Final = sid("WA")

INSTRUCTIONS: Final[Mapping[str, Instruction]] = {
    "accept": Instruction(fields={}, carry_out=_accept),
    "reject": Instruction(
        fields={
            "activity_sid": Field(read=_ANY_ACTIVITY, code=REJECT_ACTIVITY, is_required=True),
        },
        carry_out=_reject,
        activity=("activity_sid", REJECT_ACTIVITY),
    ),
    "dequeue": Instruction(
        fields={
            "to": Field(read=address, code=40131),
            "from": Field(read=address, code=40132),
            "post_work_activity_sid": Field(read=_ANY_ACTIVITY, code=DEQUEUE_ACTIVITY),
            "record": Field(read=_RECORD),
            "timeout": Field(read=_RING),
            "status_callback_url": Field(read=url, code=40157),
            "status_callback_events": Field(read=_CALL_EVENTS, code=40134),
        },
        carry_out=_give("dequeue"),
        not_pending=40135,
        activity=("post_work_activity_sid", DEQUEUE_ACTIVITY),
    ),
    "call": Instruction(
        fields={
            "to": Field(read=address, code=40110),
            "from": Field(read=address, code=40111, is_required=True),
            "url": Field(read=url, code=40112, is_required=True),
            "accept": Field(read=flag),
            "record": Field(read=_RECORD),
            "timeout": Field(read=_RING),
            "status_callback_url": Field(read=url, code=40158),
        },
        carry_out=_give("call"),
        not_pending=40114,
    ),
    "redirect": Instruction(
        fields={
            "call_sid": Field(read=sid("CA"), code=40121, is_required=True),
            "url": Field(read=url, code=40120, is_required=True),
            "accept": Field(read=flag),
            "post_work_activity_sid": Field(read=_ANY_ACTIVITY),
        },
        carry_out=_give("redirect"),
        not_pending=40123,
        activity=("post_work_activity_sid", INVALID_INSTRUCTION),
    ),
    "conference": Instruction(
        fields={
            "to": Field(read=address, code=40137),
            "from": Field(read=address, code=40141),
            "post_work_activity_sid": Field(read=_ANY_ACTIVITY, code=CONFERENCE_ACTIVITY),
            "timeout": Field(read=_RING),
            "status_callback": Field(read=url, code=40159),
            "status_callback_method": Field(read=_METHOD),
            "status_callback_event": Field(read=_CALL_EVENTS),
            "record": Field(read=flag),
            "muted": Field(read=flag),
            "beep": Field(read=one_of("true", "false", "onEnter", "onExit")),
            "start_conference_on_enter": Field(read=flag),
            "end_conference_on_exit": Field(read=flag),
            "end_conference_on_customer_exit": Field(read=flag),
            "beep_on_customer_entrance": Field(read=flag),
            "wait_url": Field(read=url),
            "wait_method": Field(read=_METHOD),
            "early_media": Field(read=flag),
            "max_participants": Field(read=whole_number(2, 250)),
            "conference_status_callback": Field(read=url, code=40159),
            "conference_status_callback_method": Field(read=_METHOD),
            "conference_status_callback_event": Field(read=_ROOM_EVENTS),
            "conference_record": Field(
                read=one_of("true", "false", "record-from-start", "do-not-record")
            ),
            "conference_trim": Field(read=one_of("trim-silence", "do-not-trim")),
            "recording_channels": Field(read=one_of("mono", "dual")),
            "recording_status_callback": Field(read=url),
            "recording_status_callback_method": Field(read=_METHOD),
            "conference_recording_status_callback": Field(read=url),
            "conference_recording_status_callback_method": Field(read=_METHOD),
            "region": Field(read=_REGION),
            "sip_auth_username": Field(read=text),
            "sip_auth_password": Field(read=text),
            "jitter_buffer_size": Field(read=one_of("small", "medium", "large", "off")),
            "time_limit": Field(read=whole_number(1, 86_400)),
            "machine_detection": Field(read=one_of("Enable", "DetectMessageEnd")),
            "machine_detection_timeout": Field(read=whole_number(3, 120)),
            "machine_detection_speech_threshold": Field(read=whole_number(1000, 6000)),
            "machine_detection_speech_end_threshold": Field(read=whole_number(500, 5000)),
            "machine_detection_silence_timeout": Field(read=whole_number(2000, 10_000)),
            "amd_status_callback": Field(read=url),
            "amd_status_callback_method": Field(read=_METHOD),
            "trim": Field(read=one_of("trim-silence", "do-not-trim")),
            "call_token": Field(read=text),
        },
        carry_out=_conference,
        not_pending=instructions.NotPending.code,
        activity=("post_work_activity_sid", CONFERENCE_ACTIVITY),
    ),
    "supervise": Instruction(fields={}, carry_out=_supervise),
}
