"""Webhooks and our own work at the same moment, and webhooks long after all is over."""

import random
from concurrent.futures import ThreadPoolExecutor

from routing.call import DONE
from tests.voice.exchange import Callback
from tests.voice.office import Office


def deliver_at_once(office: Office, seed: int) -> list[Callback]:
    """Delivers what is on its way three times over, by many at once, while we are at work."""
    delivered = []
    chance = random.Random(seed)  # noqa: S311 - a repeatable disorder
    with ThreadPoolExecutor(6) as pool:
        office.react()
        while office.line.outbox:
            batch, office.line.outbox = office.line.outbox, []
            delivered += batch
            crowd = batch * 3
            chance.shuffle(crowd)
            for task in [pool.submit(office.post, each.path, plain(each)) for each in crowd]:
                assert task.result().status_code in {200, 204}
            office.react()
    return delivered


def plain(callback: Callback) -> dict[str, str]:
    return {key: value for key, value in callback.parameters.items() if key != "_obey"}


def a_whole_call(office: Office) -> tuple[str, list[Callback]]:
    """From ringing to after-work, everything at once; the Task and all that Twilio told."""
    office.centre.add_worker("Alice", contact_uri="client:alice")
    call = office.dial_in()
    told = deliver_at_once(office, 1)
    office.centre.accept(office.task_sid(call))
    told += deliver_at_once(office, 2)
    leg = office.line.leg_to("client:alice")
    office.line.pick_up(leg)
    told += deliver_at_once(office, 3)
    assert office.are_together(call, leg)
    assert office.task_status(call) == "assigned"
    office.line.end(call)
    told += deliver_at_once(office, 4)
    return office.task_sid(call), told


def test_a_call_survives_that_everything_happens_at_once(office: Office) -> None:
    task_sid, _told = a_whole_call(office)
    assert office.centre.task(task_sid).assignment_status == "wrapping"
    assert [each.reservation_status for each in office.centre.reservations(task_sid)] == [
        "wrapping"
    ]
    dials = [asked for asked in office.line.asked if asked.startswith("dial")]
    assert len(dials) == 1
    assert office.line.live_calls() == []


def test_callbacks_that_come_a_day_later_change_nothing(office: Office) -> None:
    task_sid, told = a_whole_call(office)
    office.centre.complete(task_sid)
    office.centre.clock.advance(86_400)
    task = office.centre.task(task_sid)
    events = office.centre.events()
    chance = random.Random(5)  # noqa: S311 - a repeatable disorder
    late = told * 5
    chance.shuffle(late)
    for callback in late:
        assert office.post(callback.path, plain(callback)).status_code in {200, 204}
    office.settle()
    assert office.centre.task(task_sid) == task
    assert office.centre.events() == events
    assert office.line.live_calls() == []
    instructions = office.centre.engine.read(lambda work: work.instructions.find())
    assert {instruction.state for instruction in instructions} == {DONE}
