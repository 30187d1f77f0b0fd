"""Where a call goes its whole way: all doors of ours, the simulated network, a clock moved by hand.

Webhooks and REST calls go over real HTTP, signed as Twilio signs. Agents work through the event
bridge with tokens of their own, as their applications do; programs through REST.
"""

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Self

import msgspec

from routing.api.door import rest_door
from routing.api.operations import RestSettings
from routing.api.tokens import make_token
from routing.background.loops import following
from routing.engine import instructions
from routing.events import Event
from routing.ports import SigningKeys
from routing.realtime.bridge import Bridge, bridge_door
from routing.reservation import LIVE
from routing.task import Task
from tests.journeys.mishaps import Killed, Mishap
from tests.routing.centre import Centre
from tests.voice.office import TOKEN
from tests.voice.town import ACCOUNT, Town
from voice import assignment
from voice.call_flow import CallFlow
from voice.phone_line import ENDED_STATUSES, TwilioPhoneLine

#: Seconds that anything which is waited for may take: longer than the slowest way to find it out.
PATIENCE = 240


class NoKeys(SigningKeys):
    def secret(self, key_sid: str) -> str | None:
        del key_sid
        return None


class Refusal(Exception):
    """A door said no. `code` is Twilio's."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(f"{status} {code} {message}")
        self.status, self.code = status, code


class Agent:
    """A Worker at the telephone, and the application that they work with."""

    def __init__(self, stage: "Stage", name: str, worker_sid: str, address: str) -> None:
        self.stage, self.name, self.worker_sid, self.address = stage, name, worker_sid, address

    def ask(self, method: str, path: str, **params: Any) -> Any:
        """A request of their application, over the event bridge."""
        centre = self.stage.office.centre
        token = make_token(
            account_sid=ACCOUNT,
            auth_token=TOKEN,
            workspace_sid=centre.workspace_sid,
            worker_sid=self.worker_sid,
            role="worker",
            now=centre.clock.now(),
            seconds=3600,
        )
        url = f"Workspaces/{centre.workspace_sid}/{path}"
        body = {"url": url, "method": method, "params": params, "token": token}
        answer = self.stage.office.app.test_client().post(
            "/v1/wschannels", data=msgspec.json.encode(body), headers={"apiVersion": "v2"}
        )
        told = answer.get_json()
        if answer.status_code != 200:
            raise Refusal(answer.status_code, told["code"], told["message"])
        return told["payload"]

    def _own(self, path: str, **params: Any) -> Any:
        return self.ask("POST", f"Workers/{self.worker_sid}/{path}", **params)

    def reservations(self) -> dict[str, str]:
        """{Task: how their Reservation of it stands}, as their application sees it."""
        found = self.ask("GET", f"Workers/{self.worker_sid}/Reservations", Active="true")
        return {each["task"]["sid"]: each["reservation_status"] for each in found["contents"]}

    def offer(self, task_sid: str) -> str:
        """The SID of their live Reservation of the Task."""
        found = self.ask("GET", f"Workers/{self.worker_sid}/Reservations", Active="true")
        return str(
            next(each["sid"] for each in found["contents"] if each["task"]["sid"] == task_sid)
        )

    def answer(self, task_sid: str, status: str, **more: Any) -> None:
        self._own(f"Reservations/{self.offer(task_sid)}", ReservationStatus=status, **more)
        self.stage.settle()

    def accept(self, task_sid: str) -> None:
        self.answer(task_sid, "accepted")

    def complete(self, task_sid: str) -> None:
        self.answer(task_sid, "completed")

    def instruct(self, task_sid: str, instruction: str, **parameters: Any) -> None:
        path = f"Reservations/{self.offer(task_sid)}"
        self._own(path, Instruction=instruction, **parameters)
        self.stage.settle()

    def hand_on(self, task_sid: str, to: str, mode: str) -> str:
        transfer = self._own(
            "Transfers",
            TaskSid=task_sid,
            ReservationSid=self.offer(task_sid),
            To=to,
            Mode=mode,
        )
        self.stage.settle()
        return str(transfer["sid"])

    def hold(self, task_sid: str, hold: bool) -> None:
        self._own("CustomerParticipant", TaskSid=task_sid, Hold=hold)
        self.stage.settle()

    def mute(self, task_sid: str, mute: bool) -> None:
        self._own("WorkerParticipant", ReservationSid=self.offer(task_sid), Mute=mute)
        self.stage.settle()

    def hang_up_by_desk(self, task_sid: str) -> None:
        self._own("KickWorkerParticipant", TaskSid=task_sid, TargetWorkerSid=self.worker_sid)
        self.stage.settle()

    def conference(self, task_sid: str, below: str = "", **params: Any) -> Any:
        """What their desk asks of the conversation; without parameters it looks."""
        method = "POST" if params else "GET"
        told = self.ask(method, f"Tasks/{task_sid}/Conference{below}", **params)
        self.stage.settle()
        return told

    # ---- the telephone ---------------------------------------------------------------------------

    @property
    def legs(self) -> list[str]:
        """Their calls that live."""
        return self.stage.legs_to(self.address)

    def is_ringing(self) -> bool:
        return any(self.stage.status(sid) == "ringing" for sid in self.legs)

    def pick_up(self) -> None:
        [leg] = [sid for sid in self.legs if self.stage.status(sid) == "ringing"]
        self.stage.control("POST", f"calls/{leg}/answer")
        self.stage.settle()

    def hang_up(self) -> None:
        for leg in self.legs:
            self.stage.hang_up(leg)

    @property
    def activity(self) -> str:
        return self.stage.office.centre.activity_of(self.worker_sid)

    @property
    def load(self) -> int:
        return self.stage.office.centre.channel(self.worker_sid).assigned_tasks

    def is_talking_to(self, *calls: str) -> bool:
        return bool(self.legs) and self.stage.are_together(*self.legs, *calls)


class Stage(Town):
    """The town with every door of ours, in which things may go wrong."""

    def __init__(
        self, centre: Centre, *, flow: CallFlow | None = None, mishap: Mishap | None = None
    ) -> None:
        super().__init__(centre, flow=flow)
        self.mishap = mishap or Mishap()
        self.agents: dict[str, Agent] = {}
        settings = RestSettings(
            account_sid=ACCOUNT, auth_tokens=(TOKEN,), public_url="http://tandem.example"
        )
        self.office.app.register_blueprint(rest_door(centre.engine, settings))
        bridge = Bridge(centre.engine, settings, NoKeys())
        self.office.app.register_blueprint(bridge_door(bridge))
        self.mishap.stand_before(self.simulator.app)

    def _serve(self, environ: Any, start_response: Any) -> Any:
        return self.mishap.serve(self.office.app.wsgi_app, environ, start_response)

    def __enter__(self) -> Self:
        super().__enter__()
        self._control = self.simulator.app.test_client()
        line = TwilioPhoneLine(account_sid=ACCOUNT, auth_token=TOKEN, api_url=self.simulator.url)
        self._line = self.mishap.line(line)
        self._begin()
        return self

    def _begin(self) -> None:
        """The followers of a process that has just taken over."""
        self.office.centre.engine.perform(instructions.look_again)
        self.office.speak_over(self._line)
        follow = self.office.assignments.follow

        def mortal(events: Sequence[Event]) -> None:
            follow(events)
            self.mishap.follows()  # before it is noted that they were followed

        log = self.office.centre.store.event_log("voice", assignment.CONCERNS)
        self._read_on = following(log, mortal)

    def _survive(self, step: Callable[[], bool]) -> bool:
        try:
            return step()
        except Killed:
            self._begin()
            return True

    # ---- time ------------------------------------------------------------------------------------

    def _react(self) -> bool:
        office = self.office
        office.centre.route()
        found_work = False
        while self._read_on():
            found_work = True
        while office.assignments.work_off():
            found_work = True
        office.centre.route()
        return found_work

    def settle(self) -> None:
        self.simulator.settle()
        while self._survive(self._react):
            self.simulator.settle()

    def pass_time(self, seconds: int) -> None:
        for _ in range(seconds):
            self.simulator.advance(1)
            self.settle()
            self.office.centre.pass_time(1)
            while self._survive(self.office.reconciliation.sweep):
                pass
            self.settle()

    def until(self, holds: Callable[[], object], what: str = "") -> None:
        """Lets time pass until it is so; fails where that never comes."""
        for _ in range(PATIENCE):
            if holds():
                return
            self.pass_time(1)
        raise AssertionError(f"never so: {what or holds}: {self.picture()}")

    # ---- people ----------------------------------------------------------------------------------

    def control(self, method: str, path: str, body: object = None) -> Any:
        answer = self._control.open(f"/simulator/{path}", method=method, json=body)
        assert answer.status_code < 300, answer.text
        return answer.get_json()

    def agent(
        self, name: str, on_ring: str = "answer", *, address: str | None = None, **more: Any
    ) -> Agent:
        """Somebody whose phone, when it rings, does that (after a second, if it does anything)."""
        address = address or f"client:{name.lower()}"
        delay = None if on_ring in {"manual", "no-answer"} else 1
        if address.startswith(("client:", "sip:", "+")):
            self.phone(address, on_ring, delay)
        worker_sid = self.office.centre.add_worker(name, contact_uri=address, **more)
        self.office.centre.route()
        agent = self.agents[name] = Agent(self, name, worker_sid, address)
        return agent

    def hang_up(self, sid: str) -> None:
        if self.status(sid) not in ENDED_STATUSES:
            super().hang_up(sid)

    def press(self, call_sid: str, digits: str) -> None:
        self.control("POST", f"calls/{call_sid}/press", {"digits": digits})
        self.settle()

    def rest(self, method: str, path: str, **form: str) -> Any:
        """A program's request, with the account's credentials."""
        answer = self.office.app.test_client().open(
            f"/v1/Workspaces/{self.office.centre.workspace_sid}/{path}",
            method=method,
            data=form,
            auth=(ACCOUNT, TOKEN),
        )
        told: Any = answer.get_json(silent=True)
        if answer.status_code >= 400:
            raise Refusal(answer.status_code, told["code"], told["message"])
        self.settle()
        return told

    def limit_after_work(self, seconds: int) -> None:
        self.office.settings = replace(self.office.settings, wrap_up_limits={"*": seconds})
        self._begin()

    # ---- looking ---------------------------------------------------------------------------------

    def status(self, call_sid: str) -> str:
        return str(self.control("GET", f"calls/{call_sid}")["status"])

    def legs_to(self, address: str) -> list[str]:
        return [
            sid
            for sid, call in self.calls().items()
            if call["to"] == address and call["status"] not in ENDED_STATUSES
        ]

    def rooms(self) -> list[Any]:
        rooms = self.control("GET", "state")["conferences"]
        return [room for room in rooms if room["status"] != "completed"]

    def are_together(self, *calls: str) -> bool:
        """Are these, who are at least two, in one room and connected?"""
        return len(calls) > 1 and any(
            set(calls)
            <= {one["call_sid"] for one in room["participants"] if one["status"] == "connected"}
            for room in self.rooms()
        )

    def part_of(self, call_sid: str) -> Any:
        """The participant in its room."""
        return next(
            one
            for room in self.rooms()
            for one in room["participants"]
            if one["call_sid"] == call_sid
        )

    def is_held(self, call_sid: str) -> bool:
        with suppress(StopIteration):
            return bool(self.part_of(call_sid)["hold"])
        return False

    def is_waiting(self, call_sid: str) -> bool:
        """Is the caller in the queue?"""
        return self.control("GET", f"calls/{call_sid}")["queue"] is not None

    def task_of(self, call_sid: str) -> Task | None:
        centre = self.office.centre
        call = centre.engine.read(lambda work: work.calls.get(call_sid))
        return centre.engine.read(lambda work: work.tasks.get(call.task_sid)) if call else None

    def tasks(self) -> list[Task]:
        return self.office.centre.engine.read(lambda work: work.tasks.find())

    def attributes(self, task_sid: str) -> dict[str, Any]:
        return dict(json.loads(self.office.centre.task(task_sid).attributes))

    def offered(self, task_sid: str) -> list[str]:
        """Who is asked now, by name."""
        centre = self.office.centre
        return [
            centre.worker(each.worker_sid).friendly_name
            for each in centre.reservations(task_sid)
            if each.reservation_status == "pending"
        ]

    def told(self, task_sid: str, *beginnings: str) -> list[str]:
        """The Task's events, in their order; those that begin so."""
        log = self.office.centre.store.event_log("test")
        return [
            each.type
            for each in log.read(100_000)
            if each.task_sid == task_sid and each.type.startswith(beginnings or ("",))
        ]

    def reason_codes(self, task_sid: str) -> list[str]:
        """The codes with which Reservations of the Task were canceled."""
        log = self.office.centre.store.event_log("test")
        return [
            each.carried["reservation_reason_code"]
            for each in log.read(100_000)
            if each.task_sid == task_sid and "reservation_reason_code" in each.carried
        ]

    def left_behind(self) -> list[object]:
        """What should not be there when all is over: in Twilio, and in our own rows."""
        centre = self.office.centre
        state = self.control("GET", "state")
        open_rows = centre.engine.read(
            lambda work: work.instructions.find(state={"requested", "in-progress"})
        )
        return [
            *(call for call in state["calls"] if call["status"] not in ENDED_STATUSES),
            *(room for room in state["conferences"] if room["status"] != "completed"),
            *(one for queue in state["queues"] for one in queue["members"]),
            *((row.kind, row.step, row.state) for row in open_rows),
        ]

    def picture(self) -> object:
        """How everything stands, for somebody who wonders."""
        centre = self.office.centre
        return {
            "calls": {
                call["sid"][-4:]: (call["to"], call["status"], call["heard"][-2:])
                for call in self.calls().values()
            },
            "rooms": [
                [(one["call_sid"][-4:], one["status"], one["hold"]) for one in room["participants"]]
                for room in self.rooms()
            ],
            "tasks": [
                (
                    task.assignment_status,
                    task.reason,
                    [
                        (centre.worker(one.worker_sid).friendly_name, one.reservation_status)
                        for one in centre.reservations(task.sid)
                    ],
                )
                for task in self.tasks()
            ],
            "rows": centre.engine.read(
                lambda work: [
                    (row.kind, row.step, row.state, row.failure, row.attempts)
                    for row in work.instructions.find()
                ]
            ),
            "mishap": str(self.mishap),
        }

    def finish_work(self) -> None:
        """Whoever still has after-work is done with it."""
        centre = self.office.centre
        for task in self.tasks():
            for each in centre.reservations(task.sid):
                if each.reservation_status in LIVE and task.assignment_status == "wrapping":
                    centre.complete(task.sid)
                    break
