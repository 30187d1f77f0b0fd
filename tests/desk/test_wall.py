"""A supervisor at the wall, in a real browser, on what `make run` starts."""

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.desk.cable import Cable
from tests.desk.conftest import OpenPage
from tests.desk.people import Agent
from tests.desk.supervisor import Supervisor
from tests.desk.whole_house import CALLER, WholeHouse

#: Columns after the name, as the tables have them.
WAITING, LEVEL, ANSWERED, ABANDONED = 0, 2, 3, 4
ACTIVITY, LOAD = 0, 2
AGE, PRIORITY, QUEUE, STATE = 0, 1, 2, 3


@pytest.fixture
def carol(house: WholeHouse, open_page: OpenPage) -> Iterator[Supervisor]:
    """At the wall of a house in which nothing goes on."""
    house.clear()
    supervisor = Supervisor(open_page())
    supervisor.sign_in()
    yield supervisor
    house.clear()


def _accepts(house: WholeHouse, worker: str) -> str:
    """The Worker takes what is being offered; the Reservation's SID."""
    path = f"{house.base}/Workers/{house.workers[worker]}/Reservations"

    def offered() -> list[Any]:
        found: list[Any] = house.get(path, ReservationStatus="pending")["reservations"]
        return found

    [offer] = house.until(offered, f"an offer to {worker}")
    house.post(f"{path}/{offer['sid']}", ReservationStatus="accepted")
    return str(offer["sid"])


def _another_queue(house: WholeHouse, name: str) -> str:
    queues = house.get(f"{house.base}/TaskQueues", FriendlyName=name)["task_queues"]
    if queues:
        return str(queues[0]["sid"])
    made = house.post(f"{house.base}/TaskQueues", FriendlyName=name, TargetWorkers='skills HAS "x"')
    return str(made["sid"])


def _number(text: str) -> int:
    return int(text.replace(",", ""))


def test_a_call_comes_waits_is_answered_and_ends(house: WholeHouse, carol: Supervisor) -> None:
    answered = _number(carol.figure("Answered").inner_text())
    caller = house.dial()
    expect(carol.figure("Waiting")).to_have_text("1")
    expect(carol.row("line", CALLER)).to_have_count(1)
    expect(carol.cell("line", CALLER, STATE)).to_have_text("Waiting")
    expect(carol.cell("queues", "Support", WAITING)).to_have_text("1")
    task = house.newest_task()
    assert house.status(task) == "pending"

    why = carol.opens("line", CALLER)
    why.get_by_role("button", name="Why does it wait?").click()
    expect(why.locator(".obstacle")).to_contain_text("Is not available")
    expect(why.locator(".obstacle")).to_contain_text("Alice")
    why.get_by_label("Why not").select_option(label="Carol")
    expect(why.locator(".obstacle")).to_contain_text("Does not belong to the queue")
    carol.closes()

    house.move("Alice", "Available")
    expect(carol.cell("agents", "Alice", ACTIVITY)).to_have_text("Available")
    expect(carol.cell("line", CALLER, STATE)).to_have_text("Offered to Alice")
    expect(carol.cell("agents", "Alice", LOAD)).to_contain_text("1/1")
    assert house.load("Alice") == 1
    _accepts(house, "Alice")
    expect(carol.row("line", CALLER)).to_have_count(0)
    expect(carol.figure("Waiting")).to_have_text("0")
    expect(carol.figure("With agents")).to_have_text("1")
    expect(carol.figure("Answered")).to_have_text(str(answered + 1))
    expect(carol.row("agents", "Alice")).to_contain_text("In conversation")
    house.until(lambda: house.together() == {CALLER, "client:alice"}, "both to talk")

    house.hang_up(caller)
    expect(carol.figure("With agents")).to_have_text("0")
    house.until(lambda: house.status(task) in {"wrapping", "completed"}, "the end of the call")
    if house.status(task) == "wrapping":
        house.post(f"{house.base}/Tasks/{task}", AssignmentStatus="completed")
    expect(carol.cell("agents", "Alice", LOAD)).to_contain_text("0/1")
    assert house.load("Alice") == 0
    told = house.events(TaskSid=task)
    assert [each for each in told if each.startswith("task.c")] == [
        "task.created",
        "task.completed",
    ]


def test_a_caller_who_gives_up_is_an_abandoned_call(house: WholeHouse, carol: Supervisor) -> None:
    abandoned = _number(carol.figure("Abandoned").inner_text())
    caller = house.dial()
    expect(carol.figure("Waiting")).to_have_text("1")
    house.hang_up(caller)
    expect(carol.figure("Waiting")).to_have_text("0")
    expect(carol.figure("Abandoned")).to_have_text(str(abandoned + 1))
    expect(carol.cell("queues", "Support", ABANDONED)).to_have_text(str(abandoned + 1))
    # Whoever opens the page only now sees the same.
    carol.page.reload()
    carol.sees_everything()
    expect(carol.figure("Abandoned")).to_have_text(str(abandoned + 1))


def test_agents_are_moved_and_their_channels_switched_and_it_says_who_did_it(
    house: WholeHouse, carol: Supervisor
) -> None:
    dialog = carol.opens("agents", "Alice")
    dialog.get_by_label("Activity").select_option(label="Available")
    dialog.get_by_role("button", name="Change activity").click()
    expect(carol.cell("agents", "Alice", ACTIVITY)).to_have_text("Available")
    assert house.activity("Alice") == "Available"
    expect(carol.last_deed).to_contain_text("moved Alice to Available")
    expect(carol.last_deed).to_contain_text("Carol")

    path = f"{house.base}/Workers/{house.workers['Alice']}/Channels/chat"
    before = house.get(path)["configured_capacity"]
    dialog.get_by_label("Capacity: Chat").fill("7")
    dialog.get_by_role("button", name="Set Capacity: Chat").click()
    expect(carol.last_deed).to_contain_text(f"capacity of Alice for Chat from {before} to 7")
    assert house.get(path)["configured_capacity"] == 7
    dialog.get_by_role("switch", name="Takes work Chat").uncheck()
    expect(carol.last_deed).to_contain_text("switched Chat off for Alice")
    assert house.get(path)["available"] is False
    carol.closes()
    expect(carol.cell("agents", "Alice", LOAD)).to_contain_text("0/7")

    # The log names her for those who come later, too.
    carol.page.reload()
    carol.sees_everything()
    expect(carol.last_deed).to_contain_text("Carol")
    expect(carol.last_deed).to_contain_text("switched Chat off for Alice")
    [newest, *_] = house.get(f"{house.base}/Events", ActorType="user")["events"]
    assert newest["event_type"] == "worker.channel.availability.update"
    house.post(path, Capacity=before, Available="true")


def test_what_waits_is_raised_sent_elsewhere_and_canceled(
    house: WholeHouse, carol: Supervisor
) -> None:
    other = _another_queue(house, "Experts")
    task = house.task({"name": "Ann Case"})
    dialog = carol.opens("line", "Ann Case")
    dialog.get_by_role("button", name="+10").click()
    expect(carol.cell("line", "Ann Case", PRIORITY)).to_have_text("10")
    dialog.get_by_label("Priority").fill("42")
    dialog.get_by_role("button", name="Set Priority").click()
    expect(carol.cell("line", "Ann Case", PRIORITY)).to_have_text("42")
    assert house.get(f"{house.base}/Tasks/{task}")["priority"] == 42

    dialog.get_by_label("Send to another queue").select_option(label="Experts")
    dialog.get_by_role("button", name="Send").click()
    expect(carol.cell("line", "Ann Case", QUEUE)).to_have_text("Experts")
    expect(carol.cell("queues", "Experts", WAITING)).to_have_text("1")
    expect(carol.last_deed).to_contain_text("sent Ann Case to Experts")
    assert house.get(f"{house.base}/Tasks/{task}")["task_queue_sid"] == other

    dialog.get_by_role("button", name="Cancel the task …").click()
    assert house.status(task) == "pending", "it is asked first whether that is meant"
    dialog.get_by_label("Reason").fill("not needed")
    dialog.get_by_role("button", name="Yes, cancel it").click()
    expect(carol.row("line", "Ann Case")).to_have_count(0)
    expect(dialog).to_contain_text("This task is over.")
    assert house.status(task) == "canceled"
    carol.closes()
    expect(carol.last_deed).to_contain_text("canceled Ann Case: not needed")
    assert house.events(TaskSid=task)[-1] == "task.canceled"


def test_a_supervisor_listens_to_a_conversation(house: WholeHouse, carol: Supervisor) -> None:
    house.move("Alice", "Available")
    house.dial()
    _accepts(house, "Alice")
    house.until(lambda: house.together() == {CALLER, "client:alice"}, "both to talk")
    dialog = carol.opens("agents", "Alice")
    expect(dialog).to_contain_text("client:carol")
    dialog.get_by_role("button", name="Listen").click()
    everybody = {CALLER, "client:alice", "client:carol"}
    house.until(lambda: house.together() == everybody, "her to hear them")
    people = house.network("GET", "/state")["conferences"][-1]["participants"]
    assert sum(bool(each["muted"]) for each in people) == 1, "nobody hears her"
    carol.closes()
    expect(carol.last_deed).to_contain_text(f"asked to listen to {CALLER}")
    assert house.load("Alice") == 1
    assert house.load("Carol") == 0


def test_what_happens_while_the_connection_is_lost_is_seen_when_it_is_back(
    house: WholeHouse, open_page: OpenPage
) -> None:
    house.clear()
    page = open_page()
    wire = Cable(page, "/EventStream")
    carol = Supervisor(page)
    carol.sign_in()
    wire.cut()
    expect(page.locator(".connection")).to_have_text("Connection lost")
    expect(page.locator("main.wall")).to_contain_text("What you see is how things stood then")
    house.task({"name": "While away"})
    expect(carol.row("line", "While away")).to_have_count(0)
    wire.mend()
    expect(page.locator(".connection")).to_have_text("Connected")
    expect(carol.row("line", "While away")).to_have_count(1)
    expect(carol.figure("Waiting")).to_have_text("1")
    house.clear()
    expect(carol.figure("Waiting")).to_have_text("0")


def test_a_table_is_filtered_sorted_and_taken_along_without_formulas(
    house: WholeHouse, carol: Supervisor, tmp_path: Path
) -> None:
    for name, priority in (("=1+1", 5), ("Bea", 9), ("Ann", 7)):
        house.task({"name": name}, Priority=priority)
    line = carol.page.locator("#line")
    rows = line.locator("tr.line")
    expect(rows).to_have_count(3)
    line.get_by_role("button", name="Priority").click()
    expect(rows.locator("button.opens")).to_have_text(["Bea", "Ann", "=1+1"])
    with carol.page.expect_download() as download:
        line.get_by_role("button", name="CSV").click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    assert path.name == "waiting-line.csv"
    told = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    assert [row[0] for row in told] == ["Task", "Bea", "Ann", "'=1+1"]
    line.get_by_role("searchbox").fill("ann")
    expect(rows).to_have_count(1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_keeps_anybody_from_using_it(
    house: WholeHouse, open_page: OpenPage, axe: Callable[[Page], list[str]], scheme: str
) -> None:
    house.clear()
    house.task({"name": "Somebody"})
    page = open_page(color_scheme=scheme, viewport={"width": 360, "height": 740})
    carol = Supervisor(page)
    carol.sign_in()
    expect(carol.row("line", "Somebody")).to_have_count(1)
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    dialog = carol.opens("line", "Somebody")
    dialog.get_by_role("button", name="Why does it wait?").click()
    expect(dialog.locator(".why")).to_be_visible()
    assert axe(page) == []
    carol.closes()
    carol.opens("agents", "Bob")
    assert axe(page) == []
    carol.closes()
    page.get_by_role("button", name="As a table").click()
    expect(page.locator(".charts table")).to_be_visible()
    assert axe(page) == []
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.keyboard.press("b")
    expect(page.locator("main.big .figure").first).to_be_visible()
    expect(page.locator("main.big input")).to_have_count(0)
    assert axe(page) == []
    page.keyboard.press("Escape")
    expect(page.locator("#line")).to_be_visible()
    house.clear()


def test_an_agent_is_told_that_the_wall_is_not_theirs(
    house: WholeHouse, open_page: OpenPage
) -> None:
    agent = Agent(open_page(), "Alice")
    agent.sign_in()
    agent.page.goto("/wall")
    expect(agent.page.locator("main")).to_contain_text("The wall is for supervisors.")
    expect(agent.page.get_by_role("link", name="Go to the desk")).to_be_visible()
    refused = agent.page.request.get(f"/desk/rest/Workspaces/{house.workspace_sid}/LiveWorkers")
    assert refused.status == 403
