"""The phone network: who is on the line, in which queue, in which room; and what can happen to
them.

It holds the state and the moves that change it. It follows no TwiML (interpreter and the verbs
do) and knows no HTTP door. Every method expects to be called inside a turn of the agenda.
"""

import dataclasses
import itertools
import random
from collections.abc import Callable
from typing import Any, TypeVar

from requests.cookies import RequestsCookieJar

from simulator import parameters, shown
from simulator.agenda import Agenda, Signal, Steps
from simulator.application import Application
from simulator.call import (
    BEEP,
    CANCELED,
    COMPLETED,
    IN_PROGRESS,
    RINGING,
    Call,
    Heard,
    HungUp,
    ProgressCallback,
    Sound,
)
from simulator.call_queue import CallQueue
from simulator.clock import MILLISECONDS, Clock
from simulator.conference import Conference, Participant, RoomOptions
from simulator.endpoint import Endpoint, bare
from simulator.faults import Faults
from simulator.log import Line, Log
from simulator.news import CALL, CONFERENCE, ENDPOINT, HEARD, LOG, NUMBER, QUEUE, News
from simulator.post import Post
from simulator.recording import Recorder, Recording
from simulator.settings import Number, Settings
from simulator.webhook import (
    CALLBACK_NOT_2XX,
    CONFERENCE_CALLBACK_NOT_2XX,
    Answer,
    Parameters,
    Webhook,
)

H = TypeVar("H")

KNOWN_PROGRESS = ("initiated", "ringing", "answered", "completed")


class Network:
    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.settings = settings
        self.agenda = Agenda(clock)
        self.news = News(settings.news_size)
        self.log = Log(settings.log_size, self._line_added)
        self.faults = Faults()
        self.post = Post(self.agenda, self.log, self.faults, settings)
        self.calls: dict[str, Call] = {}
        self.queues: dict[str, CallQueue] = {}
        self.conferences: dict[str, Conference] = {}
        #: The live one of each name; the others are history.
        self._live_rooms: dict[str, Conference] = {}
        self.recorder = Recorder(settings.account_sid, self.agenda, self.new_sid)
        self.recorder.tell = self._tell_of_recording
        self.endpoints: dict[str, Endpoint] = {}
        self.numbers: dict[str, Number] = {}
        self.applications: dict[str, Application] = {}
        self._random = random.SystemRandom()
        #: Instant from which the next outbound call may leave.
        self._next_departure = 0.0
        for phone_number in {*settings.voice_urls, *settings.status_callbacks}:
            self.numbers[phone_number] = Number(
                phone_number=phone_number,
                sid=self.new_sid("PN"),
                voice_url=settings.voice_urls.get(phone_number, settings.voice_url),
                voice_fallback_url=settings.fallback_url,
                status_callback=settings.status_callbacks.get(
                    phone_number, settings.status_callback_url
                ),
                friendly_name=phone_number,
            )

    def new_sid(self, prefix: str) -> str:
        return f"{prefix}{self._random.getrandbits(128):032x}"

    def now(self) -> int:
        return self.agenda.now()

    # -- numbers and endpoints

    def number(self, phone_number: str) -> Number | None:
        """The account's number; with a default voice URL, any number is the account's."""
        found = self.numbers.get(phone_number)
        if found is None and self.settings.voice_url is not None:
            found = Number(
                phone_number=phone_number,
                sid=self.new_sid("PN"),
                voice_url=self.settings.voice_url,
                voice_fallback_url=self.settings.fallback_url,
                status_callback=self.settings.status_callback_url,
                friendly_name=phone_number,
            )
            self.set_number(found)
        return found

    def set_number(self, number: Number) -> None:
        self.numbers[number.phone_number] = number
        if self.news.is_wanted:
            self.news.add(NUMBER, shown.number(number))

    def endpoint(self, address: str) -> Endpoint:
        return self.endpoints.get(bare(address), Endpoint())

    def set_endpoint(self, address: str, endpoint: Endpoint) -> dict[str, Any]:
        self.endpoints[address] = endpoint
        found = shown.endpoint(address, endpoint)
        if self.news.is_wanted:
            self.news.add(ENDPOINT, found)
        return found

    # -- webhooks

    def tell(
        self,
        *,
        url: str,
        method: str,
        parameters: Parameters,
        lane: str,
        call: Call | None = None,
        is_document: bool = False,
        refused_code: int = CALLBACK_NOT_2XX,
    ) -> Signal[Answer]:
        return self.post.send(
            Webhook(
                url=url,
                method=method,
                parameters=parameters,
                lane=lane,
                call_sid=None if call is None else call.sid,
                is_document=is_document,
                refused_code=refused_code,
                cookies=RequestsCookieJar() if call is None else call.cookies,
            )
        )

    def tell_progress(self, call: Call, event: str) -> None:
        """A status callback, if the call has one that wants this event."""
        callback = call.progress
        if callback is None or event not in callback.events:
            return
        account = self.settings.account_sid
        found = parameters.progress(call, account, event=event, now=self.now())
        call.progress_sent += 1
        self.tell(
            url=callback.url,
            method=callback.method,
            parameters=found,
            lane=f"{call.sid} progress",
            call=call,
        )

    def complain(self, code: int, message: str, call: Call | None = None) -> None:
        """What Twilio would show in its debugger."""
        self.log.add(
            kind="error",
            time=self.now(),
            error={"code": code, "message": message},
            call_sid=None if call is None else call.sid,
        )

    # -- calls

    def new_call(
        self,
        *,
        from_: str,
        to: str,
        direction: str,
        progress: ProgressCallback | None = None,
        parent: Call | None = None,
    ) -> Call:
        call = Call(
            sid=self.new_sid("CA"),
            from_=from_,
            to=to,
            direction=direction,
            created_at=self.now(),
            updated_at=self.now(),
            progress=self._checked(progress),
            parent=parent,
        )
        call.picked_up = self.agenda.signal()
        self.calls[call.sid] = call
        self.changed(call)
        _forget(self.calls, self.settings.history_size, lambda one: one.has_ended)
        _forget(self.recorder.all, self.settings.history_size, lambda one: one.is_over)
        return call

    def _checked(self, progress: ProgressCallback | None) -> ProgressCallback | None:
        """With one unknown event Twilio makes the call and never calls back (warning 21626)."""
        if progress is not None and not set(progress.events) <= set(KNOWN_PROGRESS):
            wrong = ", ".join(sorted(set(progress.events) - set(KNOWN_PROGRESS)))
            self.complain(21626, f"unknown StatusCallbackEvent {wrong}: there will be no callback")
            return dataclasses.replace(progress, events=())
        return progress

    def departure(self, call: Call) -> Steps[None]:
        """Wait for the call's turn: an account may start so many a second, the others queue."""
        most = self.settings.calls_per_second
        if most is not None:
            now = self.now()
            turn, self._next_departure = (
                max(now, self._next_departure),
                max(now, self._next_departure) + MILLISECONDS / most,
            )
            call.queued_ms = int(turn - now)
            if turn > now:
                yield from self.agenda.pause((turn - now) / MILLISECONDS)

    def ring(self, call: Call) -> None:
        call.status = RINGING
        call.started_at = call.updated_at = self.now()
        self.changed(call)
        self.tell_progress(call, "ringing")

    def answer(self, call: Call) -> None:
        """Safe to repeat."""
        if call.status == IN_PROGRESS or call.has_ended:
            return
        call.status = IN_PROGRESS
        call.answered_at = call.updated_at = self.now()
        self.changed(call)
        if call.recorded is not None:
            call.recording = self.recorder.start(
                call_sid=call.sid,
                source="OutboundAPI",
                channels=call.recorded.channels,
                track=call.recorded.track,
                callback=call.recorded.callback,
            )
        self.tell_progress(call, "answered")

    def hang_up(self, call: Call, status: str | None = None) -> None:
        """End a call with `status`, by default as its progress implies. Safe to repeat."""
        if call.has_ended:
            return
        if status is None:
            status = COMPLETED if call.status == IN_PROGRESS else CANCELED
        call.status = status
        call.ended_at = call.updated_at = self.now()
        call.on_key = call.on_speech = call.on_refer = call.sounding = None
        self.changed(call)
        for timer in call.ring_timers:
            timer.cancel()
        for recording in self.recorder.of_call(call.sid):
            self.recorder.stop(recording)
        if call.script is not None:
            call.script.interrupt(HungUp())
        self.tell_progress(call, "completed")

    def hear(self, call: Call, sound: Sound) -> None:
        """A sound begins on the line; it goes on until `hush`, or until the next one."""
        found = Heard(number=len(call.heard) + 1, at=self.now(), **dataclasses.asdict(sound))
        call.heard.append(found)
        call.sounding = found.number
        if self.news.is_wanted:
            self.news.add(HEARD, {"call_sid": call.sid, **shown.heard(found)})

    def play(self, call: Call, sound: Sound, meanwhile: Steps[None]) -> Steps[None]:
        """`call` hears `sound` until `meanwhile` is over or interrupted."""
        self.hear(call, sound)
        try:
            yield from meanwhile
        finally:
            self.hush(call)

    def hush(self, call: Call) -> None:
        """What was to be heard is over, or was cut off. Safe to repeat."""
        if call.sounding is not None:
            call.sounding = None
            self.changed(call)

    # -- news

    def changed(self, call: Call) -> None:
        if not self.news.is_wanted:
            return
        self.news.add(CALL, shown.call(call))
        room = self.conferences.get(call.conference_sid or "")
        if room is not None:  # it says who rings and who is connected
            self.room_changed(room)

    def room_changed(self, room: Conference) -> None:
        if self.news.is_wanted:
            self.news.add(CONFERENCE, shown.conference(room))

    def queue_changed(self, queue: CallQueue) -> None:
        if self.news.is_wanted:
            self.news.add(QUEUE, shown.queue(queue))

    def _line_added(self, line: Line) -> None:
        if self.news.is_wanted:
            self.news.add(LOG, line)

    # -- queues

    def queue_named(self, name: str, *, max_size: int | None = None) -> CallQueue:
        """The queue of that name, made on demand. `max_size` counts only when it is made."""
        for queue in self.queues.values():
            if queue.friendly_name == name:
                return queue
        return self.new_queue(name, max_size=max_size)

    def new_queue(self, name: str, *, max_size: int | None = None) -> CallQueue:
        now = self.now()
        queue = CallQueue(
            sid=self.new_sid("QU"),
            friendly_name=name,
            created_at=now,
            updated_at=now,
            changed=self.queue_changed,
            moved=self.changed,
        )
        if max_size is not None:
            queue.max_size = max_size
        self.queues[queue.sid] = queue
        self.queue_changed(queue)
        return queue

    def delete_queue(self, queue: CallQueue) -> None:
        del self.queues[queue.sid]
        if self.news.is_wanted:
            self.news.add(QUEUE, {**shown.queue(queue), "is_deleted": True})

    # -- conferences

    def room_named(self, name: str, options: RoomOptions) -> Conference:
        """The live room of that name, else a new one with these `options`."""
        found = self.live_room(name)
        if found is not None:
            return found
        now = self.now()
        room = Conference(
            sid=self.new_sid("CF"),
            friendly_name=name,
            account_sid=self.settings.account_sid,
            created_at=now,
            updated_at=now,
            options=options,
            now=self.now,
            tell=self._tell_of_room,
            give_up=self.hang_up,
            turned=self._record_room,
            changed=self.room_changed,
            moved=self.changed,
            beeps=self._beep,
        )
        self.conferences[room.sid] = self._live_rooms[name] = room
        _forget(self.conferences, self.settings.history_size, lambda one: not one.is_live)
        return room

    def live_room(self, name: str) -> Conference | None:
        """By friendly name or SID."""
        room = self._live_rooms.get(name) or self.conferences.get(name)
        return room if room is not None and room.is_live else None

    def _record_room(self, room: Conference) -> None:
        """A room that is to be recorded is, from its opening to its end."""
        if not room.is_live:
            for recording in self.recorder.of_conference(room.sid):
                self.recorder.stop(recording)
        elif room.options.is_recorded:
            self.recorder.start(
                call_sid=room.inside[0].call.sid,
                conference_sid=room.sid,
                source="Conference",
                callback=room.options.recording_callback,
            )

    def _beep(self, people: list[Participant]) -> None:
        for one in people:
            self.hear(one.call, BEEP)
            self.hush(one.call)

    def _tell_of_room(self, room: Conference, found: Parameters) -> None:
        assert room.options.callback is not None  # noqa: S101 - the room checks before it tells
        self.tell(
            url=room.options.callback,
            method=room.options.callback_method,
            parameters=found,
            lane=room.sid,
            refused_code=CONFERENCE_CALLBACK_NOT_2XX,
        )

    def _tell_of_recording(self, recording: Recording, found: Parameters) -> None:
        assert recording.callback is not None  # noqa: S101 - the recorder checks before it tells
        self.tell(
            url=recording.callback.url,
            method=recording.callback.method,
            parameters=found,
            lane=recording.sid,
            call=self.calls.get(recording.call_sid),
        )

    # -- what an outsider does to a call

    def press(self, call: Call, digits: str) -> None:
        """Somebody at the phone presses keys; nobody listening, they are lost, as with Twilio."""
        for key in digits:
            if call.on_key is not None:
                call.on_key(key)
                self.agenda.run_ready()

    def listen(self, call: Call, on_key: Callable[[str], None] | None) -> None:
        call.on_key = on_key

    def speak(self, call: Call, text: str, confidence: float) -> None:
        """Somebody at the phone says something; nobody listening, it is lost."""
        if call.on_speech is not None:
            call.on_speech(text, confidence)
        room = self.conferences.get(call.conference_sid or "")
        participant = None if room is None else room.find(call.sid)
        if room is not None and participant is not None:
            room.spoke(participant, begins=True)
            seconds = len(text) / self.settings.characters_per_second
            self.agenda.after(seconds, lambda: room.spoke(participant, begins=False))


def _forget(history: dict[str, H], size: int, is_over: Callable[[H], bool]) -> None:
    """Drop the oldest beyond `size`, but nothing that still goes on."""
    excess = len(history) - size
    for sid in list(itertools.islice(history, max(excess, 0))):
        if is_over(history[sid]):
            del history[sid]
