"""What those who talk wish for, and phones that ring beside the bridge: each carried out.

Steps of the same kind as those of `assignment`, which leases the instructions, repeats what may be
repeated, and decides when it is given up. Every step here is safe to repeat: it sets something to
what it should be, or looks first whether an earlier try has done it.
"""

import contextlib
import json
from collections.abc import Callable, Mapping
from typing import Final

from routing import sids
from routing.call import DONE, IN_PROGRESS, Instruction
from routing.clock import SECOND
from routing.engine import Engine, instructions, participants
from routing.json_text import JSONObject, read_object
from routing.ports import Work
from voice import bridge, conversation, relaying
from voice.phone_line import (
    Busy,
    CallGone,
    Calling,
    Dialling,
    Leg,
    PhoneLine,
    Unreachable,
)
from voice.settings import VoiceSettings

#: How each mode of supervision takes part: muted, or heard by one or by all.
_MODES: Final[Mapping[str, JSONObject]] = {
    "monitor": {"muted": True},
    "whisper": {"muted": False, "coaching": True},
    "barge": {"muted": False},
}


#: The second step of pressing keys, and the seconds until it.
FORGET: Final = "forget"
FORGET_SECONDS = 60


class Hopeless(Exception):
    """What was asked for cannot be done, however often it is tried."""


class Wishes:
    """The steps, by kind and step of their instructions."""

    def __init__(self, engine: Engine, settings: VoiceSettings, phone_line: PhoneLine) -> None:
        self._engine = engine
        self._settings = settings
        self._line = phone_line
        tell = conversation.TELL
        self.steps: dict[tuple[str, str], Callable[[Instruction], None]] = {
            (participants.HOLD, tell): self._hold,
            (participants.PARTICIPANT, tell): self._change,
            (participants.KICK, tell): self._kick,
            (participants.END_CONFERENCE, tell): self._end_conference,
            (participants.RECORDING, tell): self._record,
            (participants.DIGITS, tell): self._press,
            (participants.DIGITS, FORGET): self._forget,
            (conversation.END_ROOM, tell): self._end_lonely_room,
            (bridge.CALL, bridge.DIAL): self._call,
            (instructions.REDIRECT, bridge.DIAL): self._redirect,
            (bridge.SUPERVISE, bridge.DIAL): self._supervise,
        }

    # ---- in the room -----------------------------------------------------------------------------

    def _hold(self, instruction: Instruction) -> None:
        given = conversation.parameters_of(instruction)
        part: dict[str, object] = {"hold": given["hold"]}
        if given["hold"]:
            part["hold_url"] = given.get("hold_url", self._settings.url("hold"))
            part["hold_method"] = given.get("hold_method", "POST")
        self._tell_room(instruction, part)

    def _change(self, instruction: Instruction) -> None:
        given = conversation.parameters_of(instruction)
        names = ("muted", "end_conference_on_exit", "beep_on_exit")
        self._tell_room(instruction, {name: given[name] for name in names if name in given})

    def _tell_room(self, instruction: Instruction, part: Mapping[str, object]) -> None:
        room_sid, call_sid = self._whom(instruction)
        try:
            self._line.change(room_sid, call_sid, **part)
        except CallGone as error:
            room = self._line.find_room(instruction.task_sid)
            if room is not None and call_sid in room.call_sids:
                raise Unreachable(str(error)) from error  # they are there: once more
            self._finish(instruction, failure="that party is not in the conference")
            return
        self._finish(instruction)

    def _kick(self, instruction: Instruction) -> None:
        room_sid, call_sid = self._whom(instruction)
        try:
            self._line.kick(room_sid, call_sid)
        except CallGone:  # which is what was wanted, unless the call goes on
            with contextlib.suppress(CallGone):
                self._line.hang_up(call_sid)
        self._finish(instruction)

    def _end_conference(self, instruction: Instruction) -> None:
        room_sid, _call_sid = self._whom(instruction)
        try:
            self._line.end_room(room_sid)
        except CallGone as error:
            room = self._line.find_room(instruction.task_sid)
            if room is not None and room.sid == room_sid:
                raise Unreachable(str(error)) from error  # it is there: once more
        self._finish(instruction)

    def _end_lonely_room(self, instruction: Instruction) -> None:
        """Everybody but the caller has left a room that does not end by itself."""
        room = self._line.find_room(instruction.task_sid)
        if room is not None and room.call_sids <= {instruction.customer_call_sid}:
            with contextlib.suppress(CallGone):
                self._line.end_room(room.sid)
        self._finish(instruction)

    def _record(self, instruction: Instruction) -> None:
        given = conversation.parameters_of(instruction)
        _room_sid, call_sid = self._whom(instruction)
        try:
            self._line.record(
                call_sid, action=str(given["action"]), pause_behavior=str(given["pause_behavior"])
            )
        except CallGone:
            self._finish(instruction, failure="there is no recording that this could be done to")
            return
        self._finish(instruction)

    def _press(self, instruction: Instruction) -> None:
        """Keys are pressed once or not at all: half of a number is worse than none of it."""
        refused = conversation.parameters_of(instruction).get("refused")
        if instruction.attempts > 1 and refused != instruction.attempts - 1:
            raise Hopeless("whether the keys were pressed is not known")
        room_sid, call_sid = self._whom(instruction)
        url = self._settings.url(f"digits?instruction={instruction.sid}")
        try:
            self._line.change(room_sid, call_sid, announce_url=url, announce_method="POST")
        except Busy:
            self._engine.perform(_not_pressed, instruction)
            raise
        except Unreachable as error:
            raise Hopeless(f"whether the keys were pressed is not known: {error}") from error
        except CallGone:
            self._finish(instruction, failure="that party is not in the conference")
            return
        self._engine.perform(_pressed, instruction)

    def _forget(self, instruction: Instruction) -> None:
        """Twilio has fetched the keys, which may have been somebody's secret."""
        self._engine.perform(_forget_digits, instruction)

    def _whom(self, instruction: Instruction) -> tuple[str, str]:
        """The room, and the call in it that the instruction is about."""
        given = conversation.parameters_of(instruction)
        own = self._engine.read(_row, str(given["bridge"]))
        if own is None or own.conference_sid is None:
            raise Hopeless("the conference is gone")
        party = str(given["party"])
        if sids.is_sid(party, "CA"):
            return own.conference_sid, party
        is_customer = party in {participants.CUSTOMER, ""}
        call_sid = own.customer_call_sid if is_customer else own.worker_call_sid
        return own.conference_sid, call_sid or ""

    # ---- other phones ----------------------------------------------------------------------------

    def _call(self, instruction: Instruction) -> None:
        given = conversation.parameters_of(instruction)
        to = str(given.get("to") or self._contact(instruction))
        from_address = str(given["from"])
        call_sid = instruction.worker_call_sid
        if call_sid is None and instruction.attempts > 1:
            call_sid = self._line.find_call(
                to=to, from_address=from_address, since=instruction.created_at
            )
        if call_sid is None:
            call_sid = self._line.call(
                Calling(
                    to=to,
                    from_address=from_address,
                    url=str(given["url"]),
                    ring_seconds=bridge.ring_seconds(instruction),
                    leg_url=self._settings.url(f"agent-leg?instruction={instruction.sid}"),
                    record=conversation.is_to_be_recorded(given),
                    more_of_leg=relaying.leg_events(instruction.kind, given),
                )
            )
        self._rings(instruction, Leg(call_sid=call_sid, conference_sid=None))

    def _supervise(self, instruction: Instruction) -> None:
        given = conversation.parameters_of(instruction)
        standing = self._engine.read(instructions.standing, instruction.reservation_sid)
        if standing is None or standing.conference_sid is None:
            raise Hopeless("40149: the conference is gone")
        leg = None
        if instruction.attempts > 1:
            leg = self._line.find_leg(room=instruction.task_sid, label=instruction.sid)
        if leg is None:
            options = dict(_MODES[str(given["supervisor_mode"])])
            if options.get("coaching"):
                options["call_sid_to_coach"] = standing.worker_call_sid
            leg = self._line.dial(
                Dialling(
                    room=instruction.task_sid,
                    label=instruction.sid,
                    to=str(given.get("to") or self._contact(instruction, given["supervisor"])),
                    from_address=str(given.get("from") or self._dialled_number(instruction)),
                    ring_seconds=bridge.ring_seconds(instruction),
                    leg_url=self._settings.url(f"agent-leg?instruction={instruction.sid}"),
                    room_url=self._settings.url(f"conference?instruction={standing.sid}"),
                    options=options | {"end_conference_on_exit": False},
                )
            )
        self._rings(instruction, leg)

    def _rings(self, instruction: Instruction, leg: Leg) -> None:
        self._engine.perform(
            bridge.dialled, instruction_sid=instruction.sid, leg=leg, customer_call_sid=None
        )

    def _redirect(self, instruction: Instruction) -> None:
        given = conversation.parameters_of(instruction)
        try:
            self._line.redirect_to(str(given["call_sid"]), url=str(given["url"]))
        except CallGone as error:
            raise Hopeless(f"40122: the call cannot be redirected: {error}") from error
        self._engine.perform(_succeed, instruction)

    def _contact(self, instruction: Instruction, worker_sid: object = None) -> str:
        contact = self._engine.read(_contact_uri, instruction, worker_sid)
        if not isinstance(contact, str) or bridge.ADDRESS.fullmatch(contact) is None:
            code = "40110" if instruction.kind == bridge.CALL else "40147"
            raise Hopeless(f"{code}: the Worker's attributes have no usable 'contact_uri'")
        return contact

    def _dialled_number(self, instruction: Instruction) -> str:
        call = self._engine.read(conversation.call_of, instruction.task_sid)
        number = self._settings.caller_id or (call.to_address if call is not None else "")
        if bridge.ADDRESS.fullmatch(number) is None:
            raise Hopeless("40148: 'from' is missing, and no number was dialled")
        return number

    def _finish(self, instruction: Instruction, *, failure: str | None = None) -> None:
        self._engine.perform(_finish, instruction, failure=failure)


def digits_of(work: Work, instruction_sid: str) -> str:
    """The keys that the instruction is to press; empty where there are none (any more)."""
    row = work.instructions.get(instruction_sid)
    if row is None or row.kind != participants.DIGITS:
        return ""
    return str(conversation.parameters_of(row)["digits"])


def _not_pressed(work: Work, instruction: Instruction) -> None:
    """Twilio has not looked at it: the next try is as good as the first."""
    _change_parameters(work, instruction, refused=instruction.attempts)


def _pressed(work: Work, instruction: Instruction) -> None:
    instructions.progress(
        work,
        instruction_sid=instruction.sid,
        state=IN_PROGRESS,
        step=FORGET,
        attempts=0,
        due_at=work.now + FORGET_SECONDS * SECOND,
    )


def _forget_digits(work: Work, instruction: Instruction) -> None:
    _change_parameters(work, instruction, digits="")
    instructions.finish(work, instruction_sid=instruction.sid)


def _change_parameters(work: Work, instruction: Instruction, **columns: object) -> None:
    now = work.instructions.get(instruction.sid, lock=True)
    if now is not None:
        parameters = dict(conversation.parameters_of(now)) | columns
        work.instructions.change(now.sid, parameters=json.dumps(parameters))


def _row(work: Work, sid: str) -> Instruction | None:
    return work.instructions.get(sid)


def _contact_uri(work: Work, instruction: Instruction, worker_sid: object) -> object:
    """Of that Worker, or of the one who has the Reservation."""
    if worker_sid is None:
        reservation = work.reservations.get(instruction.reservation_sid)
        worker_sid = reservation.worker_sid if reservation is not None else ""
    worker = work.workers.get(str(worker_sid))
    if worker is None:
        return None
    return read_object(worker.attributes, parameter="Attributes").get("contact_uri")


def _succeed(work: Work, instruction: Instruction) -> None:
    instructions.succeed(work, instruction_sid=instruction.sid)


def _finish(work: Work, instruction: Instruction, *, failure: str | None) -> None:
    """Over, unless a later wish has overtaken it meanwhile."""
    now = work.instructions.get(instruction.sid)
    if now is not None and now.state != DONE:
        instructions.finish(work, instruction_sid=instruction.sid, failure=failure)
