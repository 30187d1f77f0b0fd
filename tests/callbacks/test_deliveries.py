"""At least once, in order, and nobody is kept waiting by somebody else's dead server."""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from routing.background.callbacks.dispatch import Threads
from routing.background.callbacks.posting import NeverPosted, NotPosted, Posted
from routing.engine import deliveries, workspaces
from routing.errors import RoutingError
from tests.callbacks.bureau import SETTINGS, Bureau, FakePoster, posted
from tests.callbacks.receiver import Receiver, Reply
from tests.routing.centre import Centre

URL = "https://somebody.example/events"


def bureau_with(centre: Centre, answer: Callable[[str], Posted | Exception]) -> Bureau:
    bureau = Bureau(centre, poster=FakePoster(answer))
    bureau.subscribe(URL, "task.created,task.canceled")
    return bureau


def names(poster: FakePoster) -> list[str]:
    """Of what was sent: created or canceled."""
    return [
        body.partition(b"EventType=task.")[2].split(b"&")[0].decode()
        for _, body, _ in poster.posted
    ]


def poster_of(bureau: Bureau) -> FakePoster:
    poster = bureau.dispatch._poster
    assert isinstance(poster, FakePoster)
    return poster


@pytest.mark.parametrize(
    "answer", [posted(500), posted(404), posted(302), posted(429), NotPosted("x")]
)
def test_what_was_not_confirmed_comes_again_later_and_later(
    centre: Centre, answer: Posted | Exception
) -> None:
    left = [answer] * 3
    bureau = bureau_with(centre, lambda _: left.pop() if left else posted())
    bureau.centre.add_task()
    bureau.work()
    poster = poster_of(bureau)
    gaps, last = [], bureau.centre.clock.now()
    while bureau.the_delivery().state == "pending":
        before = len(poster.posted)
        bureau.pass_time(0.25)
        if len(poster.posted) > before:
            gaps.append((bureau.centre.clock.now() - last) / 1000)
            last = bureau.centre.clock.now()
    assert gaps == [1.0, 2.0, 4.0]
    delivery = bureau.the_delivery()
    assert (delivery.state, delivery.attempts, delivery.last_error) == ("delivered", 4, None)
    assert len({headers["I-Twilio-Idempotency-Token"] for _, _, headers in poster.posted}) == 1
    assert len({body for _, body, _ in poster.posted}) == 1


def test_a_receiver_says_when_to_come_again(centre: Centre) -> None:
    left = [posted(503, retry_after=90)]
    bureau = bureau_with(centre, lambda _: left.pop() if left else posted())
    bureau.centre.add_task()
    bureau.work()
    bureau.pass_time(89)
    assert bureau.the_delivery().state == "pending"
    bureau.pass_time(1)
    assert bureau.the_delivery().state == "delivered"


def test_of_one_task_nothing_overtakes_what_has_not_arrived(centre_on_each: Centre) -> None:
    left = [posted(500)]
    bureau = bureau_with(centre_on_each, lambda _: left.pop() if left else posted())
    first = bureau.centre.add_task()
    bureau.centre.cancel(first)
    bureau.centre.add_task()
    bureau.work()
    # The first task's creation failed; its end waits for that, the other task does not.
    assert [each.state for each in bureau.deliveries()] == ["pending", "pending", "delivered"]
    bureau.pass_time(1)
    assert names(poster_of(bureau)) == ["created", "created", "created", "canceled"]


def test_a_delivery_is_given_up_and_can_be_sent_again(centre_on_each: Centre) -> None:
    is_up = False
    bureau = bureau_with(centre_on_each, lambda _: posted() if is_up else posted(500))
    task = bureau.centre.add_task()
    bureau.centre.cancel(task)
    bureau.work()
    for _ in range(30):
        bureau.pass_time(150)
    created, canceled = bureau.deliveries()
    assert (created.state, created.last_status) == ("dead", 500)
    assert created.last_error == "answered with status 500"
    assert created.due_at is None
    assert canceled.state == "dead"
    is_up = True
    bureau.work()
    centre_on_each.engine.perform(
        deliveries.send_again,
        workspace_sid=bureau.centre.workspace_sid,
        delivery_sid=created.sid,
    )
    bureau.pass_time(60)
    assert [each.state for each in bureau.deliveries()] == ["delivered", "dead"]


def test_what_no_time_is_left_for_is_given_up_unsent(centre: Centre) -> None:
    """A receiver that is dead for longer than callbacks are kept."""
    bureau = bureau_with(centre, lambda _: NotPosted("nobody is there"))
    for _ in range(40):
        bureau.centre.add_task()
    bureau.work()
    tried = len(poster_of(bureau).posted)
    assert tried < 20
    bureau.pass_time(3601)
    bureau.pass_time(31)
    assert {each.state for each in bureau.deliveries()} == {"dead"}


def test_a_receiver_that_is_back_after_an_hour_gets_everything_in_order(centre: Centre) -> None:
    is_up = False
    poster = FakePoster(lambda _: posted() if is_up else NotPosted("nobody is there"))
    settings = replace(SETTINGS, give_up_seconds=86_400)
    bureau = Bureau(centre, settings=settings, poster=poster)
    bureau.subscribe(URL, "task.created,task.canceled")
    sids = [bureau.centre.add_task() for _ in range(60)]
    for sid in sids[:30]:
        bureau.centre.cancel(sid)
    bureau.work()
    for _ in range(58):
        bureau.pass_time(60)
    in_vain = len(poster_of(bureau).posted)
    assert in_vain < 80  # a probe a minute, and the first few
    is_up = True
    for _ in range(20):
        bureau.pass_time(60)
    assert {each.state for each in bureau.deliveries()} == {"delivered"}
    arrived = [body for _, body, _ in poster_of(bureau).posted[in_vain:]]
    assert len(arrived) == 90
    for sid in sids[:30]:
        mine = [body for body in arrived if f"TaskSid={sid}".encode() in body]
        assert [b"EventType=task.created" in body for body in mine] == [True, False]


def test_a_receiver_that_is_back_is_not_overrun(centre: Centre) -> None:
    """How much it is sent at once grows with what it has confirmed."""
    is_up = False
    bureau = bureau_with(centre, lambda _: posted() if is_up else NotPosted("nobody is there"))
    for _ in range(100):
        bureau.centre.add_task()
    bureau.work()
    bureau.pass_time(30)
    is_up = True
    bureau.holds = True
    widths: list[int] = []
    for _ in range(7):
        bureau.pass_time(60 if not widths else 0)
        widths.append(len(bureau.held))
        held, bureau.held = bureau.held, []
        for job in held:
            job()
    assert widths[0] == 1
    assert widths == sorted(widths)
    assert max(widths) <= 16


def test_a_dead_receiver_delays_no_other(centre: Centre) -> None:
    def answer(url: str) -> Posted | Exception:
        return NotPosted("dead") if "dead.example" in url else posted()

    bureau = bureau_with(centre, answer)
    centre.change_workspace(event_callback_url="https://dead.example/")
    for _ in range(50):
        centre.add_task()
    bureau.work()
    centre.change_workspace(event_callback_url=URL)
    tasks = [centre.add_task() for _ in range(50)]
    bureau.work()
    arrived = [each.state for each in bureau.deliveries() if each.url == URL]
    assert len(arrived) == len(tasks)
    assert set(arrived) == {"delivered"}


def test_a_refused_address_is_given_up_at_once(centre: Centre) -> None:
    bureau = bureau_with(centre, lambda _: NeverPosted("10.0.0.1 is refused"))
    centre.add_task()
    bureau.work()
    assert (bureau.the_delivery().state, bureau.the_delivery().attempts) == ("dead", 1)
    assert bureau.the_delivery().last_error == "10.0.0.1 is refused"


def test_whoever_dies_between_sending_and_writing_leaves_it_to_others(
    centre_on_each: Centre, receiver: Receiver
) -> None:
    """It arrives twice, under one token and one event SID."""
    dying, other = Bureau(centre_on_each), Bureau(centre_on_each)
    dying.subscribe(receiver.url(), "task.created")
    centre_on_each.add_task()
    dying.holds = True
    dying.work()
    dying.held.pop()()  # sent, and then the process is gone
    other.pass_time(30)
    assert len(receiver.received) == 1
    other.pass_time(20)
    assert len(receiver.received) == 2
    assert len({(each.token, each.fields["Sid"]) for each in receiver.received}) == 1
    assert other.the_delivery().state == "delivered"
    dying.send()  # it was not quite dead: what it has to tell changes nothing
    assert other.the_delivery().attempts == 2


def test_a_lease_that_was_lost_is_not_settled_by_who_lost_it(centre_on_each: Centre) -> None:
    left = [posted(500)]
    slow = bureau_with(centre_on_each, lambda _: left.pop() if left else posted())
    other = Bureau(centre_on_each, poster=FakePoster(lambda _: posted()))
    centre_on_each.add_task()
    slow.holds = True
    slow.work()
    slow.held.pop()()
    other.holds = True
    other.pass_time(46)
    slow.send()
    delivery = other.the_delivery()
    assert (delivery.state, delivery.attempts, delivery.last_error) == ("pending", 2, None)
    other.held.pop()()
    other.send()
    assert other.the_delivery().state == "delivered"


def test_two_processes_share_the_work_and_send_nothing_twice(
    centre_on_each: Centre, receiver: Receiver
) -> None:
    one, two = Bureau(centre_on_each), Bureau(centre_on_each)
    one.subscribe(receiver.url(), "task.created,task.canceled")
    two.work()
    sids = [centre_on_each.add_task() for _ in range(20)]
    for sid in sids:
        centre_on_each.cancel(sid)
    one.read()
    two.read()
    one.holds = two.holds = True
    while any(each.state == "pending" for each in one.deliveries()):
        for bureau in (one, two):
            bureau.dispatch.round()
            held, bureau.held = bureau.held, []
            for job in held:
                job()
    sent = Counter(each.fields["Sid"] for each in receiver.received)
    assert len(sent) == 40
    assert set(sent.values()) == {1}
    for sid in sids:
        mine = [each.event for each in receiver.received if each.fields["TaskSid"] == sid]
        assert mine == ["task.created", "task.canceled"]


def test_a_process_that_was_made_before_a_url_was_set_hears_of_it_though_another_has_read_on(
    centre_on_each: Centre,
) -> None:
    poster = FakePoster(lambda _: posted())
    early, late = (Bureau(centre_on_each, poster=poster) for _ in range(2))
    late.subscribe(URL, "task.created")
    task = centre_on_each.add_task()
    early.read()
    assert "task.created" in early.concerns
    early.send()
    assert [task in body.decode() for _, body, _ in poster.posted] == [True]


def test_leases_of_a_dead_process_are_given_up_where_nobody_else_can_be(centre: Centre) -> None:
    dead = bureau_with(centre, lambda _: posted())
    centre.add_task()
    dead.holds = True
    dead.work()
    centre.engine.perform(deliveries.release_all)
    other = Bureau(centre, poster=FakePoster(lambda _: posted()))
    other.work()
    assert other.the_delivery().state == "delivered"


def test_what_arrived_is_forgotten_after_a_while(centre: Centre) -> None:
    bureau = bureau_with(centre, lambda _: posted())
    centre.add_task()
    bureau.work()
    bureau.pass_time(172_000)
    assert len(bureau.deliveries()) == 1
    bureau.pass_time(1000)
    assert bureau.deliveries() == []


def test_an_assignment_that_is_over_is_not_asked_again(centre: Centre, receiver: Receiver) -> None:
    bureau = Bureau(centre)
    bureau.ask_at(receiver.url("/assign"))
    centre.add_worker("alice")
    centre.add_task()
    bureau.work()
    with pytest.raises(RoutingError, match="has been decided"):
        centre.engine.perform(
            deliveries.send_again,
            workspace_sid=centre.workspace_sid,
            delivery_sid=bureau.the_delivery().sid,
        )


def test_events_outlive_their_workspace(centre: Centre) -> None:
    left = [posted(500)]
    bureau = bureau_with(centre, lambda _: left.pop() if left else posted())
    centre.add_task()
    bureau.work()
    centre.engine.perform(workspaces.delete, workspace_sid=centre.workspace_sid)
    bureau.pass_time(1)
    assert bureau.the_delivery().state == "delivered"


def test_a_real_receiver_that_stumbles_gets_all_of_it(bureau: Bureau, receiver: Receiver) -> None:
    """Every third request fails in another way; each event arrives, in the order of its Task."""
    replies = [Reply(), Reply(status=500), Reply(status=302, headers={"Location": "/elsewhere"})]

    def stumble(_: object) -> Reply:
        replies.append(replies.pop(0))
        return replies[0]

    receiver.answers("/events", stumble)
    bureau.subscribe(receiver.url(), "task.created,task.canceled")
    sids = [bureau.centre.add_task() for _ in range(10)]
    for sid in sids:
        bureau.centre.cancel(sid)
    for _ in range(60):
        bureau.pass_time(20)
    assert {each.state for each in bureau.deliveries()} == {"delivered"}
    assert {each.path for each in receiver.received} == {"/events"}
    for sid in sids:
        mine = [each.event for each in receiver.received if each.fields["TaskSid"] == sid]
        assert mine == sorted(mine, key=["task.created", "task.canceled"].index)


def test_a_pool_runs_everything_and_makes_no_more_threads_than_it_may() -> None:
    pool, done, names_seen = Threads(most=3), threading.Semaphore(0), set[str]()

    def job() -> None:
        names_seen.add(threading.current_thread().name)
        done.release()

    for _ in range(50):
        pool.start(job)
    for _ in range(50):
        assert done.acquire(timeout=20)
    assert 1 <= len(names_seen) <= 3
