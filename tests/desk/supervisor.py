"""A supervisor at the wall: what they see, and what they do there."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.desk.whole_house import PATIENCE

expect.set_options(timeout=PATIENCE * 1000)


class Supervisor:
    def __init__(self, page: Page, name: str = "Carol") -> None:
        self.page = page
        self.name = name
        page.set_default_timeout(PATIENCE * 1000)

    def sign_in(self) -> None:
        """By one click; ends at the wall, with its numbers there."""
        self.page.goto("/sign-in?next=/wall")
        self.page.get_by_role("button", name=re.compile(rf"\b{self.name}\b")).click()
        self.page.wait_for_url("**/wall")
        self.sees_everything()

    def sees_everything(self) -> None:
        expect(self.page.locator(".connection")).to_have_text("Connected")
        expect(self.page.locator(".charts")).to_have_attribute("aria-busy", "false")

    def figure(self, title: str) -> Locator:
        tile = self.page.locator(".figure").filter(
            has=self.page.get_by_role("heading", name=title, exact=True)
        )
        return tile.locator(".number")

    def row(self, part: str, text: str) -> Locator:
        """A row of `queues`, `line` or `agents`."""
        return self.page.locator(f"#{part} tr.line", has_text=text)

    def cell(self, part: str, text: str, column: int) -> Locator:
        return self.row(part, text).locator("td").nth(column)

    def opens(self, part: str, text: str) -> Locator:
        """The dialog of what stands in that row."""
        self.row(part, text).locator("button.opens").click()
        return self.dialog

    @property
    def dialog(self) -> Locator:
        return self.page.get_by_role("dialog")

    def closes(self) -> None:
        self.page.keyboard.press("Escape")
        expect(self.dialog).to_have_count(0)

    @property
    def last_deed(self) -> Locator:
        return self.page.locator("wall-history tbody tr").first
