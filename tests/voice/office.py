"""A call centre with a telephone: the engine, the voice side, and an exchange in memory."""

import random
from dataclasses import replace

import flask
from twilio.request_validator import RequestValidator
from werkzeug.test import TestResponse

from routing.background.loops import following
from routing.call import Call, Instruction
from routing.engine import instructions
from tests.routing.centre import Centre
from tests.voice.exchange import (
    Callback,
    Exchange,
    FakeCall,
    Parameters,
    geographical_parameters,
    parsed,
    standard_parameters,
)
from voice.announcement import Announcements
from voice.assignment import Assignments
from voice.call_flow import CallFlow, load_call_flow
from voice.door import voice_door
from voice.phone_line import PhoneLine
from voice.reconciliation import Reconciliation
from voice.settings import VoiceSettings

PUBLIC_URL = "https://calls.example.com"
TOKEN = "the token of the tests"
NUMBER = "+15005550006"
CALLER = "+14155550123"


def signature(path: str, parameters: Parameters, token: str = TOKEN) -> str:
    """As Twilio signs: path is path and query."""
    signed: str = RequestValidator(token).compute_signature(PUBLIC_URL + path, parameters)
    return signed


class Office:
    def __init__(
        self, centre: Centre, *, flow: CallFlow | None = None, public_url: str = PUBLIC_URL
    ) -> None:
        self.centre = centre
        self.flow = load_call_flow() if flow is None else flow
        self.settings = VoiceSettings(public_url=public_url, auth_tokens=(TOKEN,))
        self.line = Exchange()
        app = flask.Flask("office")
        app.register_blueprint(
            voice_door(centre.engine, self.settings, self.flow), url_prefix="/voice"
        )
        self.app = app
        self.client = app.test_client()
        self._log = centre.store.event_log("voice")
        self.restart()

    def restart(self) -> None:
        """Whatever the process had in memory is gone."""
        self.speak_over(self.line)

    def speak_over(self, line: PhoneLine) -> None:
        """From now on the voice side uses this line."""
        announcements = Announcements(self.flow, self.settings)
        self.assignments = Assignments(
            self.centre.engine, self.flow, self.settings, line, announcements
        )
        self.reconciliation = Reconciliation(self.centre.engine, self.settings, line)

    def ring_on_offer(self) -> None:
        self.flow = replace(self.flow, bridge="on_offer")
        self.restart()

    # ---- webhooks --------------------------------------------------------------------------------

    def post(self, path: str, parameters: Parameters) -> TestResponse:
        """A webhook, signed."""
        headers = {"X-Twilio-Signature": signature(path, parameters)}
        return self.client.post(path, data=parameters, headers=headers)

    def deliver(self, callback: Callback) -> None:
        parameters = dict(callback.parameters)
        obeying = parameters.pop("_obey", None)
        answer = self.post(callback.path, parameters)
        assert answer.status_code in {200, 204}, (callback, answer.status_code, answer.text)
        if obeying is not None:
            self.line.obey(self.line.calls[obeying], answer.text)

    def dial_in(self, from_address: str = CALLER) -> FakeCall:
        """Somebody calls the number, and does what our answer says."""
        call = self.line.new_call(from_address, NUMBER, callback=f"{PUBLIC_URL}/voice/call-status")
        call.told = 0
        answer = self.post("/voice/incoming", self.arrival(call))
        assert answer.status_code == 200, answer.text
        call.status = "in-progress"
        self.line.obey(call, answer.text)
        return call

    def arrival(self, call: FakeCall) -> Parameters:
        return standard_parameters(call) | geographical_parameters()

    # ---- time and work ---------------------------------------------------------------------------

    def react(self) -> bool:
        """The followers read on, and all that is due at the phone line is done; was anything?"""
        found_work = False
        self.centre.route()
        step = following(self._log, self.assignments.follow)
        while step():
            found_work = True
        while self.assignments.work_off():
            found_work = True
        self.centre.route()
        return found_work

    def settle(self) -> None:
        """Everything that can happen without the clock or people happens, callbacks in order."""
        self.react()
        while self.line.outbox:
            self.deliver(self.line.outbox.pop(0))
            self.react()

    def deliver_all(self) -> None:
        """What Twilio has to tell is heard, and nobody reacts yet."""
        while self.line.outbox:
            self.deliver(self.line.outbox.pop(0))

    def settle_badly(self, seed: int) -> None:
        """The same, but every callback comes twice, and those on the way come in any order."""
        shuffle = random.Random(seed)  # noqa: S311 - a repeatable disorder
        self.react()
        while self.line.outbox:
            batch, self.line.outbox = self.line.outbox * 2, []
            shuffle.shuffle(batch)
            for callback in batch:
                self.deliver(callback)
                if shuffle.random() < 0.5:
                    self.react()
            self.react()

    def lose_callbacks(self) -> None:
        """What Twilio tells is not heard; callers do not wait for our answers."""
        self.react()
        self.line.outbox.clear()
        self.react()

    def pass_time(self, seconds: float) -> None:
        self.centre.pass_time(seconds)
        self.settle()

    def sweep(self) -> None:
        while self.reconciliation.sweep():
            pass
        self.settle()

    def bridge(self) -> tuple[FakeCall, FakeCall, str]:
        """Caller and agent in one room; the agent's Worker SID."""
        alice = self.centre.add_worker("Alice", contact_uri="client:alice")
        call = self.dial_in()
        self.settle()
        self.centre.accept(self.task_sid(call))
        self.settle()
        leg = self.line.leg_to("client:alice")
        self.line.pick_up(leg)
        self.settle()
        return call, leg, alice

    # ---- looking ---------------------------------------------------------------------------------

    def call(self, call: FakeCall) -> Call:
        found = self.centre.engine.read(lambda work: work.calls.get(call.sid))
        assert found is not None
        return found

    def task_sid(self, call: FakeCall) -> str:
        return self.call(call).task_sid

    def task_status(self, call: FakeCall) -> str:
        return self.centre.task(self.task_sid(call)).assignment_status

    def reservation_statuses(self, call: FakeCall) -> list[str]:
        return [each.reservation_status for each in self.centre.reservations(self.task_sid(call))]

    def assigned(self, worker_sid: str) -> int:
        return self.centre.channel(worker_sid).assigned_tasks

    def rows_of(self, kind: str) -> list[Instruction]:
        """The instructions of that kind."""
        return self.centre.engine.read(lambda work: work.instructions.find(kind=kind))

    def are_together(self, one: FakeCall, other: FakeCall) -> bool:
        return one.room is not None and one.room is other.room and one in one.room.members

    def request_conference(self, call: FakeCall, **parameters: object) -> None:
        offer = self.centre.offer(self.task_sid(call))
        self.centre.engine.perform(
            instructions.request_conference, reservation_sid=offer.sid, parameters=parameters
        )


def heard(call: FakeCall) -> str:
    """All that was said to the caller, one text per line."""
    return "\n".join(
        verb.text or "" for document in call.documents for verb in parsed(document).iter("Say")
    )
