"""Many clients over the same offers, from several processes on one database: one wins.

Each process has the REST door of its own, as each server process would, and several clients in
threads. What only time does (an offer that times out) is done beside them as the timers do it. No
router is at work: an offer that is over is not followed by another, so that what is left tells who
has won.
"""

import contextlib
import faulthandler
import multiprocessing
import threading
import traceback
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any, Final, TypeAlias

from routing.engine import Engine, reservations, tasks
from routing.ports import Work
from routing.store.store import open_store
from tests.api.service import Service, open_app
from tests.chaos.running import Case
from tests.fakes import MONDAY_MORNING, ManualClock
from tests.routing import invariants
from tests.routing.centre import Centre

PROCESSES, CLIENTS = 4, 8
RACES = 1000
#: Offers that are raced for at the same time, and how many race for each.
_AT_ONCE, _RACERS = 32, 4
_WORKERS = 4
#: Of the cases: by processes that have just begun.
_BEGIN_ANEW = 0.25
#: Seconds until a process that has gone has told its exit code.
_GOODBYE_SECONDS = 10
#: Offers have run out by the clock of those who race.
_LATER = MONDAY_MORNING + 3_600_000

_VERBS = ("accept", "accept", "reject", "time_out", "cancel")
#: The end of an offer for each verb that may win it.
_ENDS = {"accept": "accepted", "reject": "rejected", "time_out": "timeout", "cancel": "canceled"}
#: The answers of somebody who was too late.
_REFUSALS = frozenset({400, 404, 409, 410, 412})
_WON, _LOST, _SILENT = 200, 409, 0


@dataclass(frozen=True, slots=True)
class _LastWords:
    """Of a process that cannot go on."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    verb: str
    task_sid: str
    reservation_sid: str


#: (who tried what, the status of the answer; 0 for none)
Told: TypeAlias = tuple[Try, int, str]


def play(case: Case, races: int = RACES, processes: int = PROCESSES) -> None:
    """So many offers, each raced for by some of the clients."""
    clock = ManualClock()
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(case.database(postgres_every=2))
        store = open_store(url, clock)
        stack.callback(store.close)
        store.migrate()
        centre = Centre(store, Engine(store, clock), clock)
        centre.change_workspace(timeout_activity_sid=centre.activity("Available"))
        people = [centre.add_worker(f"worker {n}", capacity=50) for n in range(_WORKERS)]
        course = _Course(url, centre.workspace_sid)
        rivals = stack.enter_context(_rivals(case, course, processes))
        for begin in range(0, races, _AT_ONCE):
            count = min(_AT_ONCE, races - begin)
            offers = _offers(centre, people, count)
            told = _race(case, rivals, offers)
            _judge(case, centre, offers, told)
            _clear(centre, offers)
        invariants.check_store(store)


def _offers(centre: Centre, people: Sequence[str], count: int) -> dict[str, str]:
    """{Reservation: Task} of fresh offers."""

    def make(work: Work) -> dict[str, str]:
        made = {}
        for number in range(count):
            task = tasks.create(
                work,
                workspace_sid=centre.workspace_sid,
                workflow_sid=centre.workflow_sid,
                task_channel="voice",
            )
            offer = reservations.reserve(
                work, task_sid=task.sid, worker_sid=people[number % len(people)]
            )
            assert offer is not None
            made[offer.sid] = task.sid
        return made

    return centre.engine.perform(make)


def _race(case: Case, rivals: Sequence[Connection], offers: dict[str, str]) -> list[Told]:
    plans: dict[int, list[Try]] = {number: [] for number in range(len(rivals) * CLIENTS)}
    for offer, task in offers.items():
        for client in case.chance.sample(list(plans), _RACERS):
            verb = case.chance.choice(_VERBS)
            plans[client].append(Try(verb=verb, task_sid=task, reservation_sid=offer))
    for number, rival in enumerate(rivals):
        rival.send([plans[number * CLIENTS + client] for client in range(CLIENTS)])
    return [told for rival in rivals for told in _heard(rival)]


def _heard(rival: Connection) -> Any:
    """What the process says; an AssertionError with its last words where it could not go on."""
    said = rival.recv()
    last_words = said.text if isinstance(said, _LastWords) else None
    assert last_words is None, f"a process of those who race could not go on:\n{last_words}"
    return said


def _judge(case: Case, centre: Centre, offers: dict[str, str], told: Sequence[Told]) -> None:
    """Exactly one has won each offer, and everybody else knows that they have not."""
    by_offer: dict[str, list[Told]] = defaultdict(list)
    for each in told:
        by_offer[each[0].reservation_sid].append(each)
    states = centre.engine.read(
        lambda work: {each.sid: each for each in work.reservations.find(sid=set(offers))}
    )
    for offer in offers:
        answers = by_offer[offer]
        assert len(answers) == _RACERS, answers
        for one, status, text in answers:
            assert status in _REFUSALS or 200 <= status < 300, (one, status, text)
            case.counts[f"answers {status}"] += 1
        won = Counter(one.verb for one, status, _text in answers if status < 300)
        end = states[offer].reservation_status
        # A task whose offer was declined waits again, and may then be canceled as well.
        canceled = won.pop("cancel", 0)
        expected = {verb: 1 for verb, state in _ENDS.items() if state == end and verb != "cancel"}
        assert dict(won) == expected, (end, answers)
        assert canceled <= 1, answers
        assert end != "accepted" or not canceled, answers
        assert end != "canceled" or canceled, answers
        assert end != "pending", answers
        case.counts[f"offers {end}"] += 1
    case.counts["races"] += len(offers)


def _clear(centre: Centre, offers: dict[str, str]) -> None:
    def remove(work: Work) -> None:
        for task in offers.values():
            tasks.delete(work, workspace_sid=centre.workspace_sid, task_sid=task)

    centre.engine.perform(remove)


# ---- those who race ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Course:
    """Where they are to race from now on."""

    url: str
    workspace_sid: str


#: Said to those who race: the store of this course is needed no longer.
_OVER: Final = "over"


class _Family:
    """The processes that race, kept from one case to the next: beginning takes them a second."""

    def __init__(self, processes: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.ends: list[Connection] = []
        self._members: list[SpawnProcess] = []
        for _ in range(processes):
            ours, theirs = context.Pipe()
            one = context.Process(target=_compete, args=(theirs,), daemon=True)
            one.start()
            theirs.close()
            self.ends.append(ours)
            self._members.append(one)

    @contextlib.contextmanager
    def at(self, course: _Course) -> Iterator[list[Connection]]:
        try:
            self._tell(course)
            yield self.ends
            self._tell(_OVER)
        except (EOFError, ConnectionError) as error:
            for one in self._members:
                one.join(_GOODBYE_SECONDS)  # until then it has no exit code to tell
            codes = [one.exitcode for one in self._members]
            problem = f"a process of those who race is gone: exit codes {codes}"
            raise RuntimeError(problem) from error

    def _tell(self, said: object) -> None:
        for end in self.ends:
            end.send(said)
        for end in self.ends:
            assert _heard(end) == "ready"

    def dismiss(self) -> None:
        for end in self.ends:
            end.close()  # they end when there is nobody to hear them
        for one in self._members:
            one.join()


#: Who is there to race, by their number.
_families: dict[int, _Family] = {}


@contextlib.contextmanager
def _rivals(case: Case, course: _Course, processes: int) -> Iterator[list[Connection]]:
    """Those who race, ready at their course.

    After a case that failed, and now and then without a reason, others begin anew: what a process
    does at its first requests only, many at once, is to be seen often, too.
    """
    if case.chance.random() < _BEGIN_ANEW:
        dismiss(processes)
    family = _families.get(processes)
    if family is None:
        family = _families[processes] = _Family(processes)
        case.counts["processes begun"] += processes
    try:
        with family.at(course) as ends:
            yield ends
    except BaseException:
        dismiss(processes)
        raise


def dismiss(processes: int) -> None:
    """Ends the processes that are kept, if there are any."""
    family = _families.pop(processes, None)
    if family is not None:
        family.dismiss()


def _compete(judge: Connection) -> None:
    faulthandler.enable()  # one that dies by a signal says where it was
    clock = ManualClock(_LATER)
    try:
        with contextlib.suppress(EOFError, ConnectionError):  # there is nobody to hear us
            while True:
                course = judge.recv()
                with contextlib.closing(open_store(course.url, clock)) as store:
                    service = open_app(store, clock)
                    judge.send("ready")
                    while (plans := judge.recv()) != _OVER:
                        judge.send(_all_at_once(service, course.workspace_sid, plans))
                judge.send("ready")
    except Exception:
        judge.send(_LastWords(traceback.format_exc()))
        raise


def _all_at_once(service: Service, workspace_sid: str, plans: Sequence[list[Try]]) -> list[Told]:
    start = threading.Barrier(len(plans))
    told: list[Told] = []

    def client(plan: list[Try]) -> None:
        start.wait(timeout=60)
        for one in plan:
            try:
                status, text = _ask(service, workspace_sid, one)
            except Exception as error:  # noqa: BLE001 - the judge looks at it
                status, text = _SILENT, repr(error)
            told.append((one, status, text))

    threads = [threading.Thread(target=client, args=(plan,)) for plan in plans]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return told


def _ask(service: Service, workspace_sid: str, one: Try) -> tuple[int, str]:
    path = f"/v1/Workspaces/{workspace_sid}/Tasks/{one.task_sid}"
    if one.verb == "time_out":
        done = service.engine.perform(reservations.time_out, reservation_sid=one.reservation_sid)
        return (_WON if done else _LOST), ""
    form = {"AssignmentStatus": "canceled", "Reason": "raced for"}
    if one.verb != "cancel":
        path += f"/Reservations/{one.reservation_sid}"
        form = {"ReservationStatus": _ENDS[one.verb]}
    answer = service.ask("POST", path, data=form)
    return answer.status_code, answer.text[:300]
