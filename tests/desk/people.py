"""Somebody at a page: what they see, and what they do there."""

import re

from playwright.sync_api import Locator, Page, Route, expect

from tests.desk.cable import Cable
from tests.desk.whole_house import PATIENCE

expect.set_options(timeout=PATIENCE * 1000)


class Agent:
    """An agent at their desk, in a browser of their own."""

    def __init__(self, page: Page, name: str) -> None:
        self.page = page
        self.name = name
        page.set_default_timeout(PATIENCE * 1000)

    def sign_in(self) -> None:
        """By one click, as the demo lets them; ends at the desk, connected."""
        self.page.goto("/sign-in?next=/desk")
        self.page.get_by_role("button", name=re.compile(rf"\b{self.name}\b")).click()
        self.page.wait_for_url("**/desk")
        self.is_connected()

    def is_connected(self) -> None:
        expect(self.page.locator(".connection")).to_have_text("Connected")
        expect(self.activity).to_be_enabled()

    @property
    def activity(self) -> Locator:
        return self.page.locator(".activity select")

    def goes(self, activity: str) -> None:
        self.activity.select_option(label=activity)
        self.does(activity)

    def does(self, activity: str) -> None:
        expect(self.activity.locator("option:checked")).to_have_text(activity)

    @property
    def offer(self) -> Locator:
        return self.page.locator("section.offer")

    @property
    def task(self) -> Locator:
        return self.page.locator("article.task")

    def accept(self) -> None:
        self.offer.first.get_by_role("button", name="Accept").click()

    def control(self, name: str) -> Locator:
        return self.task.get_by_role("button", name=name, exact=True)

    def has_call(self) -> None:
        """The conversation has begun: the buttons are there."""
        expect(self.control("Hold")).to_be_enabled()

    def party(self, who: str) -> Locator:
        """Somebody in the conversation."""
        return self.task.locator(".parties > li", has_text=who)

    def load(self, channel: str) -> Locator:
        """The text that says how much of a channel is taken."""
        return self.page.locator(".channel", has_text=channel).locator(".number")

    def writes(self, notes: str, result: str | None = None) -> None:
        self.task.get_by_role("textbox", name="Notes").fill(notes)
        if result is not None:
            self.task.get_by_label("Result").select_option(label=result)

    def completes(self) -> None:
        self.task.get_by_role("button", name="Complete").click()
        expect(self.task).to_have_count(0)

    def day(self, what: str) -> Locator:
        """A figure of the day: Taken, Missed, Declined."""
        return self.page.locator(".totals > div", has_text=what).locator("dd")


class Wire(Cable):
    """All of it: a desk's socket, and what it asks for."""

    def __init__(self, page: Page) -> None:
        super().__init__(page, "/v1/wschannels")
        page.route(re.compile("/(desk/|v1/)"), self._ask)

    def _ask(self, route: Route) -> None:
        if self.is_cut:
            route.abort("internetdisconnected")
        else:
            route.continue_()
