"""Several programs ask for the same thing at once: one of them gets it, the others are told."""

import threading
from collections import Counter
from collections.abc import Callable

import pytest

from tests.api.service import Centre

RACERS = 8


def at_once(ask: Callable[[int], int], racers: int = RACERS) -> Counter[int]:
    """The statuses of as many requests, all sent at the same moment."""
    statuses: list[int] = []
    start = threading.Barrier(racers)

    def race(number: int) -> None:
        start.wait(timeout=10)
        statuses.append(ask(number))

    running = [threading.Thread(target=race, args=(number,)) for number in range(racers)]
    for racer in running:
        racer.start()
    for racer in running:
        racer.join(timeout=60)
    assert len(statuses) == racers
    return Counter(statuses)


@pytest.mark.parametrize("lap", range(3))
def test_one_of_many_accepts(centre_on_each: Centre, lap: int) -> None:
    task = centre_on_each.workspace.tasks.create(attributes=f'{{"lap": {lap}}}')
    offered = centre_on_each.service.reserve(task.sid, centre_on_each.worker_sid)
    path = f"{centre_on_each.path}/Tasks/{task.sid}/Reservations/{offered.sid}"

    def accept(number: int) -> int:
        status = "accepted" if number % 2 else "rejected"
        form = {"ReservationStatus": status, "WorkerActivitySid": centre_on_each.offline_sid}
        return centre_on_each.service.ask("POST", path, data=form).status_code

    assert at_once(accept) == {200: 1, 400: RACERS - 1}
    events = [found.event_type for found in centre_on_each.workspace.events.list(task_sid=task.sid)]
    answers = [
        event for event in events if event in {"reservation.accepted", "reservation.rejected"}
    ]
    assert len(answers) == 1


def test_one_of_many_completes(centre_on_each: Centre) -> None:
    task = centre_on_each.workspace.tasks.create()
    offered = centre_on_each.service.reserve(task.sid, centre_on_each.worker_sid)
    centre_on_each.workspace.tasks(task.sid).reservations(offered.sid).update(instruction="accept")
    path = f"{centre_on_each.path}/Tasks/{task.sid}"

    def complete(_number: int) -> int:
        form = {"AssignmentStatus": "completed", "Reason": "done"}
        return centre_on_each.service.ask("POST", path, data=form).status_code

    assert at_once(complete) == {200: 1, 400: RACERS - 1}
    worker = centre_on_each.workspace.workers(centre_on_each.worker_sid)
    assert worker.worker_channels("default").fetch().assigned_tasks == 0


def test_one_of_many_who_saw_the_same_version_changes_it(centre_on_each: Centre) -> None:
    task = centre_on_each.workspace.tasks.create()
    path = f"{centre_on_each.path}/Tasks/{task.sid}"

    def change(number: int) -> int:
        form = {"Priority": str(number + 1)}
        headers = {"If-Match": '"0"'}
        return centre_on_each.service.ask("POST", path, data=form, headers=headers).status_code

    assert at_once(change) == {200: 1, 412: RACERS - 1}


def test_one_of_many_gets_the_name(centre_on_each: Centre) -> None:
    def create(number: int) -> int:
        form = {"FriendlyName": "BOB" if number % 2 else "bob"}
        path = f"{centre_on_each.path}/Workers"
        return centre_on_each.service.ask("POST", path, data=form).status_code

    assert at_once(create) == {201: 1, 409: RACERS - 1}


def test_one_of_many_makes_the_channel(centre_on_each: Centre) -> None:
    def create(_number: int) -> int:
        form = {"FriendlyName": "Fax", "UniqueName": "fax"}
        path = f"{centre_on_each.path}/TaskChannels"
        return centre_on_each.service.ask("POST", path, data=form).status_code

    assert at_once(create) == {201: 1, 409: RACERS - 1}
    worker = centre_on_each.workspace.workers(centre_on_each.worker_sid)
    assert worker.worker_channels("fax").fetch().configured_capacity == 1


def test_deleting_while_others_use_it_leaves_nothing_half_done(centre_on_each: Centre) -> None:
    task = centre_on_each.workspace.tasks.create()
    path = f"{centre_on_each.path}/Tasks/{task.sid}"

    def use(number: int) -> int:
        if number == 0:
            return centre_on_each.service.ask("DELETE", path).status_code
        return centre_on_each.service.ask("POST", path, data={"Priority": "1"}).status_code

    statuses = at_once(use)
    assert statuses[204] == 1
    assert statuses[200] + statuses[404] == RACERS - 1
    assert centre_on_each.service.ask("GET", path).status_code == 404
