"""A shift of two agents in real browsers, on what `make run` starts."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.desk.conftest import OpenPage
from tests.desk.people import Agent, Wire
from tests.desk.whole_house import CALLER, WholeHouse

Staff = Callable[..., Agent]


@pytest.fixture
def staff(house: WholeHouse, open_page: OpenPage) -> Staff:
    """Signs somebody in, at a house in which nothing goes on; `**context` as of `open_page`."""
    house.clear()

    def arrive(name: str, activity: str = "Available", **context: Any) -> Agent:
        agent = Agent(open_page(**context), name)
        agent.sign_in()
        house.move(name, activity)
        agent.does(activity)
        return agent

    return arrive


def _tries_everything(alice: Agent) -> None:
    """Hold, mute, keypad and recording, each seen to be so."""
    alice.control("Hold").click()
    expect(alice.party("Caller")).to_contain_text("On hold")
    alice.control("Resume").click()
    expect(alice.party("Caller")).not_to_contain_text("On hold")
    alice.control("Mute").click()
    expect(alice.party("You")).to_contain_text("Muted")
    alice.control("Unmute").click()
    expect(alice.control("Mute")).to_be_visible()
    alice.control("Keypad").click()
    alice.task.get_by_role("button", name="5", exact=True).click()
    expect(alice.task.get_by_label("Pressed")).to_have_text("5")
    alice.control("Record").click()
    alice.control("Pause recording").click()
    expect(alice.control("Resume recording")).to_be_enabled()


def test_a_call_from_the_first_ring_to_the_end_of_the_shift(
    house: WholeHouse, staff: Staff
) -> None:
    alice = staff("Alice", "Offline")
    alice.does("Offline")
    alice.goes("Available")
    assert house.activity("Alice") == "Available"

    caller = house.dial()
    expect(alice.offer.get_by_role("heading")).to_have_text(CALLER)
    expect(alice.load("Voice")).to_have_text("1/1")
    assert house.load("Alice") == 1
    alice.accept()
    alice.has_call()
    house.until(lambda: house.together() == {CALLER, "client:alice"}, "both to talk")
    task = house.newest_task()
    assert house.status(task) == "assigned"

    _tries_everything(alice)

    alice.writes("Wants a <b>refund</b>")
    alice.control("Hang up").click()
    expect(alice.task.locator(".pill")).to_contain_text(["Voice", "After-work"])
    house.until(lambda: house.status(task) == "wrapping", "after-work")
    assert house.load("Alice") == 1, "after-work takes the place, too"
    house.until(lambda: not house.live_calls(), "the call to end")
    assert caller not in [call["sid"] for call in house.live_calls()]

    alice.writes("Wants a <b>refund</b>, done", "Resolved")
    alice.completes()
    house.until(lambda: house.status(task) == "completed", "the end of the Task")
    noted = house.attributes(task)
    assert (noted["disposition"], noted["notes"]) == ("resolved", "Wants a <b>refund</b>, done")
    assert house.load("Alice") == 0
    expect(alice.load("Voice")).to_have_text("0/1")
    told = [event for event in house.events(TaskSid=task) if event.startswith("reservation.")]
    assert told == [
        "reservation.created",
        "reservation.accepted",
        "reservation.wrapup",
        "reservation.completed",
    ]
    expect(alice.day("Taken")).to_have_text("1")

    alice.goes("Offline")
    assert house.activity("Alice") == "Offline"
    alice.page.locator("details.menu > summary").click()
    alice.page.get_by_role("button", name="Sign out").click()
    alice.page.wait_for_url("**/sign-in")
    alice.page.goto("/desk")
    alice.page.wait_for_url("**/sign-in?next=**")


def test_two_agents_share_a_call_and_one_goes_on_alone(house: WholeHouse, staff: Staff) -> None:
    alice = staff("Alice")
    house.dial()
    alice.accept()
    alice.has_call()
    task = house.newest_task()
    bob = staff("Bob")

    alice.control("Transfer").click()
    alice.page.get_by_label("Name or number").fill("bob")
    alice.page.get_by_role("button", name="Ask first: Bob").click()
    expect(alice.task.get_by_text("Bob is being asked.")).to_be_visible()
    expect(bob.offer).to_contain_text("Transfer")
    assert (house.load("Alice"), house.load("Bob")) == (1, 1)
    bob.accept()
    bob.has_call()
    everybody = {CALLER, "client:alice", "client:bob"}
    house.until(lambda: house.together() == everybody, "all three to talk")
    expect(alice.party("Bob")).to_be_visible()

    alice.control("Leave the call").click()
    expect(alice.task).to_contain_text("After-work")
    house.until(lambda: house.together() == everybody - {"client:alice"}, "Alice to leave")
    alice.completes()
    assert house.load("Alice") == 0
    assert house.status(task) == "assigned"
    bob.control("Hang up").click()
    expect(bob.task).to_contain_text("After-work")
    bob.completes()
    house.until(lambda: house.status(task) == "completed", "the end of the Task")
    assert house.load("Bob") == 0
    transfers = [type_ for type_ in house.events(TaskSid=task) if "transfer" in type_]
    assert transfers == ["task.transfer-initiated", "task.transfer-completed"]


def test_an_offer_is_declined_with_a_reason_and_another_is_missed(
    house: WholeHouse, staff: Staff
) -> None:
    alice = staff("Alice")
    task = house.task({"name": "Ann", "topic": "Refund"})
    expect(alice.offer).to_contain_text("Refund")
    alice.offer.get_by_role("button", name="Decline").click()
    dialog = alice.page.get_by_role("dialog", name="Decline the offer")
    dialog.get_by_label("Not my subject").check()
    dialog.get_by_label("Note").fill("for Bob")
    dialog.get_by_label("And then").select_option(label="Unavailable")
    dialog.get_by_role("button", name="Decline").click()
    expect(alice.offer).to_have_count(0)
    alice.does("Unavailable")
    [declined] = house.get(f"{house.base}/Events", TaskSid=task, EventType="reservation.rejected")[
        "events"
    ]
    assert declined["event_data"]["reservation_reason"] == "subject: for Bob"
    assert (house.status(task), house.load("Alice", "chat")) == ("pending", 0)
    expect(alice.day("Declined")).to_have_text("1")
    house.post(f"{house.base}/Tasks/{task}", AssignmentStatus="canceled", Reason="done")

    alice.goes("Available")
    hasty = house.post(
        f"{house.base}/Workflows",
        FriendlyName="Hasty",
        Configuration=house.get(f"{house.base}/Workflows/{house.workflow_sid}")["configuration"],
        TaskReservationTimeout=1,
    )["sid"]
    try:
        missed = house.task({"name": "Ben"}, WorkflowSid=hasty)
        expect(alice.page.get_by_text("You missed an offer: Ben.").first).to_be_visible()
        house.post(f"{house.base}/Tasks/{missed}", AssignmentStatus="canceled", Reason="done")
        assert "reservation.timeout" in house.events(TaskSid=missed)
        expect(alice.offer).to_have_count(0)
        expect(alice.load("Chat")).to_have_text("0/4")
        alice.page.get_by_role("button", name="Dismiss").first.click()
    finally:
        house.until(
            lambda: house.status(missed) == "canceled", "the Task of the hasty Workflow to end"
        )


def test_chats_come_side_by_side_and_one_more_is_pulled_by_hand(
    house: WholeHouse, staff: Staff
) -> None:
    alice = staff("Alice")
    for number in range(4):
        house.task({"name": f"Chat {number}", "link": f"https://chat.example/{number}"})
    expect(alice.offer).to_have_count(3)
    expect(alice.load("Chat")).to_have_text("3/4")
    waiting = alice.page.get_by_role("region", name="In line")
    expect(waiting).to_contain_text("Chat 3")
    for left in (2, 1, 0):
        alice.accept()
        expect(alice.offer).to_have_count(left)
    waiting.get_by_role("button", name="Take Chat 3").click()
    expect(alice.offer).to_contain_text("Chat 3")
    assert house.load("Alice", "chat") == 4
    alice.accept()
    expect(alice.task.get_by_role("heading")).to_have_text("Chat 3")
    link = alice.task.get_by_role("link", name="Open", exact=True)
    expect(link).to_have_attribute("href", "https://chat.example/3")
    expect(link).to_have_attribute("rel", "noopener noreferrer")

    alice.page.get_by_role("button", name="Chat 1").click()
    expect(alice.task.get_by_role("heading")).to_have_text("Chat 1")
    alice.page.get_by_label("Take Chat").click()
    house.until(
        lambda: (
            not house.get(f"{house.base}/Workers/{house.workers['Alice']}/Channels/chat")[
                "available"
            ]
        ),
        "chats to be switched off",
    )
    expect(alice.page.get_by_label("Take Chat")).not_to_be_checked()
    for name in ("Chat 1", "Chat 3", "Chat 2", "Chat 0"):
        tab = alice.page.get_by_role("button", name=name)
        if tab.count():
            tab.click()
        expect(alice.task.get_by_role("heading")).to_have_text(name)
        with_it = alice.task.get_by_role("button", name="Complete")
        with_it.click()
        expect(alice.task.get_by_text(name, exact=True)).to_have_count(0)
    assert house.load("Alice", "chat") == 0
    alice.page.get_by_label("Take Chat").click()
    expect(alice.page.get_by_label("Take Chat")).to_be_checked()


def test_a_lost_connection_shows_and_nothing_is_shown_that_is_not_so(
    house: WholeHouse, open_page: OpenPage
) -> None:
    house.clear()
    house.move("Alice", "Available")
    page = open_page()
    wire = Wire(page)
    alice = Agent(page, "Alice")
    alice.sign_in()
    kept, gone = house.task({"name": "Kept"}), house.task({"name": "Gone"})
    expect(alice.offer).to_have_count(2)
    alice.offer.filter(has_text="Kept").get_by_role("button", name="Accept").click()
    expect(alice.task.get_by_role("heading")).to_have_text("Kept")
    alice.writes("before the cable")
    expect(alice.task.locator("[data-saving=saved]")).to_be_visible()

    wire.cut()
    expect(page.locator(".connection")).to_have_text("Connection lost")
    expect(page.locator(".banner")).to_contain_text("The connection is lost")
    for button in ("Accept", "Complete", "Begin after-work"):
        expect(page.get_by_role("button", name=button).first).to_be_disabled()
    expect(alice.activity).to_be_disabled()
    alice.writes("before the cable, and without it")
    expect(alice.task.locator("[data-saving=unsaved]")).to_be_visible()
    house.post(f"{house.base}/Tasks/{gone}", AssignmentStatus="canceled", Reason="gone")
    late = house.task({"name": "Late"})
    house.until(lambda: house.status(late) == "reserved", "the late one to be offered")
    expect(alice.offer.filter(has_text="Gone")).to_be_visible()

    wire.mend()
    alice.is_connected()
    expect(alice.offer).to_have_count(1)
    expect(alice.offer).to_contain_text("Late")
    alice.completes()
    assert house.attributes(kept)["notes"] == "before the cable, and without it"
    assert house.status(kept) == "completed"
    house.until(lambda: house.load("Alice", "chat") == 1, "only the late one to be left")
    expect(alice.load("Chat")).to_have_text("1/4")


def test_what_was_typed_survives_a_window_that_closes_and_a_task_that_ends(
    house: WholeHouse, staff: Staff
) -> None:
    alice = staff("Alice")
    task = house.task({"name": "Ann"})
    alice.accept()
    alice.writes("half a sen")
    alice.page.reload()
    alice.is_connected()
    expect(alice.task.get_by_role("textbox", name="Notes")).to_have_value("half a sen")
    expect(alice.task.locator("[data-saving=saved]")).to_be_visible()
    assert house.attributes(task)["notes"] == "half a sen"
    alice.writes("half a sentence")
    house.post(f"{house.base}/Tasks/{task}", AssignmentStatus="completed", Reason="by a program")
    expect(alice.task).to_have_count(0)
    house.until(lambda: house.attributes(task)["notes"] == "half a sentence", "the rest")


#: As Escape does it: the page hears of it a moment later, and something changes until then.
CLOSED_AND_DRAWN_ANEW = """async () => {
    const part = [...document.querySelectorAll('tandem-dialog')].find(({ open }) => open);
    const dialog = part.querySelector('dialog');
    dialog.close();
    part.requestUpdate();
    await part.updateComplete;
    return dialog.open;
}"""


def test_a_shift_by_keyboard_alone(house: WholeHouse, staff: Staff) -> None:
    alice = staff("Alice", "Offline")
    keys = alice.page.keyboard
    keys.press("s")
    expect(alice.activity).to_be_focused()
    keys.type("Available")
    alice.does("Available")
    house.until(lambda: house.activity("Alice") == "Available", "her to be there")
    keys.press("Tab")
    house.dial()
    expect(alice.offer).to_be_visible()
    alice.page.evaluate("document.activeElement.blur()")
    keys.press("?")
    expect(alice.page.get_by_role("dialog", name="Keyboard shortcuts")).to_contain_text("Hang up")
    keys.press("a")
    # No shortcut works while a dialog is open.
    expect(alice.offer).to_be_visible()
    keys.press("Escape")
    expect(alice.page.get_by_role("dialog")).to_have_count(0)
    keys.press("a")
    alice.has_call()
    keys.press("h")
    expect(alice.party("Caller")).to_contain_text("On hold")
    keys.press("h")
    expect(alice.party("Caller")).not_to_contain_text("On hold")
    keys.press("t")
    expect(alice.page.get_by_label("Name or number")).to_be_focused()
    assert not alice.page.evaluate(CLOSED_AND_DRAWN_ANEW), "it came back"
    expect(alice.page.get_by_role("dialog")).to_have_count(0)
    keys.press("n")
    keys.type("a hat, m and e: no shortcuts")
    keys.press("Tab")
    alice.page.evaluate("document.activeElement.blur()")
    keys.press("e")
    expect(alice.task).to_contain_text("After-work")
    task = house.newest_task()
    keys.press("c")
    expect(alice.task).to_have_count(0)
    assert house.attributes(task)["notes"] == "a hat, m and e: no shortcuts"
    assert house.load("Alice") == 0


_LISTENING = """() => {
  window.noticed = [];
  window.Notification = class extends EventTarget {
    static permission = 'granted';
    constructor(title, { body }) { super(); window.noticed.push(`${title} (${body})`); }
    close() { window.noticed.push('closed'); }
  };
  const start = OscillatorNode.prototype.start;
  window.tones = 0;
  OscillatorNode.prototype.start = function (...at) { window.tones += 1; start.apply(this, at); };
}"""


def test_an_offer_rings_is_said_and_tells_of_itself_outside_the_page(
    house: WholeHouse, open_page: OpenPage
) -> None:
    house.clear()
    page = open_page()
    page.add_init_script(f"({_LISTENING})()")
    alice = Agent(page, "Alice")
    alice.sign_in()
    alice.goes("Available")
    page.keyboard.press("Tab")
    house.task({"name": "Ann"})
    spoken = page.locator(".heard-only[aria-live=assertive]")
    expect(spoken).to_have_text("Offer, Chat: Ann. You have 120 seconds.")
    expect(page).to_have_title("An offer · Desk · Tandem")
    assert page.evaluate("window.tones") >= 4
    assert page.evaluate("window.noticed") == ["Chat: Ann (Support)"]
    alice.accept()
    expect(alice.task).to_be_visible()
    expect(page).to_have_title("Desk · Tandem")
    assert page.evaluate("window.noticed") == ["Chat: Ann (Support)", "closed"]


def test_a_call_is_answered_in_the_browser_and_handed_on_at_once(
    house: WholeHouse, staff: Staff
) -> None:
    alice = staff("Alice")
    by_itself = alice.page.get_by_label("Answer accepted calls by itself")
    by_itself.uncheck()
    house.dial()
    alice.accept()
    phone = alice.page.get_by_role("region", name="Your phone")
    expect(phone).to_contain_text("Ringing")
    phone.get_by_role("button", name="Answer").click()
    alice.has_call()
    by_itself.check()

    alice.control("Transfer").click()
    alice.page.get_by_label("Name or number").fill("+1 555 010 0077")
    alice.page.get_by_role("button", name="Ask first: +15550100077").click()
    expect(alice.party("+15550100077")).not_to_contain_text("Ringing")
    everybody = {CALLER, "client:alice", "+15550100077"}
    house.until(lambda: house.together() == everybody, "somebody outside to talk, too")
    alice.party("+15550100077").get_by_role("button", name="Take out").click()
    expect(alice.party("+15550100077")).to_have_count(0)

    bob = staff("Bob")
    alice.control("Transfer").click()
    expect(alice.page.get_by_text("+15550100077")).to_be_visible()
    alice.page.get_by_role("button", name="Hand over: Bob").click()
    expect(alice.task).to_contain_text("After-work")
    bob.accept()
    bob.has_call()
    house.until(lambda: house.together() == {CALLER, "client:bob"}, "Bob to have the call")
    assert (house.load("Alice"), house.load("Bob")) == (1, 1)
    alice.completes()
    bob.control("Hang up").click()
    expect(bob.task).to_contain_text("After-work")
    bob.completes()
    house.until(lambda: house.load("Bob") == 0, "the places to be free")
    assert house.load("Alice") == 0
