"""A tab of a real browser on a real desk, and all that may not happen in it.

Whatever a flow does, a tab may not ask anybody but the desk, log an error, or break the page; that
is checked when the tab is put away. `look` takes the screenshots that the documentation shows.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Request, expect

ROOT: Final = Path(__file__).parents[2]
SHOTS: Final = ROOT / "build" / "screenshots"
AXE: Final = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
WIDE: Final = {"width": 1440, "height": 900}
NARROW: Final = {"width": 390, "height": 844}
_RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
_EXPECTED: Final = re.compile(
    # Chromium logs every answer above 399 and every refused socket; what the page makes of them is
    # what the flows are about.
    r"Failed to load resource|WebSocket connection to"
)


class Tab:
    """One page of the desk's, watched."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.url = url
        self.page: Page = context.new_page()
        self.faults: list[str] = []
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.faults.append(f"uncaught: {error}"))
        self.page.on("request", self._asked)

    def go(self, path: str) -> "Tab":
        """Open a path and return once the page has something to say."""
        self.page.goto(self.url + path)
        expect(self.page.locator("main").first).to_be_visible()
        return self

    def sign_in(self, key: str, path: str = "/trade/SOL-USDC") -> "Tab":
        """Come in as the owner, by the key in the data folder, and open a path."""
        csrf = self.page.context.request.post(
            f"{self.url}/api/auth/key", data={"key": key, "cookie": True},
            headers={"Origin": self.url},
        )  # fmt: skip
        assert csrf.ok, csrf.text()
        return self.go(path)

    def look(self, name: str, *, full: bool = False) -> None:
        """Keep what the tab shows as `build/screenshots/<name>.png`."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SHOTS / f"{name}.png", full_page=full)

    def barriers(self) -> Sequence[str]:
        """Return what keeps people out, by axe; each with the element it was found at."""
        self.page.evaluate(AXE.read_text())
        found: dict[str, Any] = self.page.evaluate(
            "rules => axe.run({runOnly: {type: 'tag', values: rules}})", _RULES
        )
        return [
            f"{one['id']}: {one['help']} at {', '.join(map(str, one['nodes'][0]['target']))}"
            for one in found["violations"]
        ]

    def wider_than_shown(self) -> int:
        """Return by how many pixels the page is wider than its window."""
        wide: int = self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        return wide

    def button(self, name: str | re.Pattern[str]) -> Locator:
        """Return a button by its words."""
        return self.page.get_by_role("button", name=name)

    def put_away(self) -> None:
        """Close the tab; fail on anything that should not have happened in it."""
        self.page.close()
        assert not self.faults, "\n".join(self.faults)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not _EXPECTED.search(message.text):
            self.faults.append(f"console: {message.text}")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self.url, self.url.replace("http", "ws"), "data:", "blob:")):
            self.faults.append(f"asked elsewhere: {request.url}")


Tabs = Callable[..., Tab]
