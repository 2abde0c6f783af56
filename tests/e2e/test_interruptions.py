"""Truth after an interruption, as a trader sees it: killed desks, lost and silent sockets."""

import json
import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, Response, WebSocketRoute, expect
from tests.e2e.conftest import WAIT_MS
from tests.e2e.tab import Tab, Tabs
from tests.e2e.test_trading import becomes, orders_of, place, ticket
from tests.flow.process.running import LOCALNET, Process, desk
from tests.ports import reserved_port

LOST_MIN = 3
_TURN_MS = 50


class Line:
    """What lies between a page and the desk's socket; it can lose messages, or go dead."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self.dead = False
        self.lost = 0
        self.lose: set[str] = set()
        """Channels whose changes get lost."""
        self.mute: set[str] = set()
        """Channels of which nothing arrives, snapshots neither."""
        self.asked: list[str] = []
        page.route_web_socket(re.compile("/ws$"), self._joined)

    def _joined(self, wire: WebSocketRoute) -> None:
        desk = wire.connect_to_server()

        def up(message: str | bytes) -> None:
            self.asked.append(str(message))
            if not self.dead:
                desk.send(message)

        def down(message: str | bytes) -> None:
            told = json.loads(message)
            if told["ch"] in self.lose and "d" in told:
                self.lost += 1
            elif not self.dead and told["ch"] not in self.mute:
                wire.send(message)

        wire.on_message(up)
        desk.on_message(down)

    def until(self, holds: Callable[[], bool]) -> None:
        """Let the page go on until something is so; its events reach us meanwhile."""
        for _ in range(WAIT_MS // _TURN_MS):
            if holds():
                return
            self._page.wait_for_timeout(_TURN_MS)
        raise AssertionError("it never came to it")

    def asks(self, op: str) -> bool:
        """Say whether the page ever asked for this."""
        return any(json.loads(one)["op"] == op for one in self.asked)


def opened(tabs: Tabs, served: Process) -> tuple[Tab, Line]:
    """Give a signed-in tab on the trade page, and the line that it hangs on."""
    tab = tabs()
    line = Line(tab.page)
    tab.sign_in(served.key)
    expect(tab.page.locator(".trade-send")).to_have_text("Enter an amount")
    return tab, line


def test_lost_messages_are_noticed_and_asked_for_again(tabs: Tabs, served: Process) -> None:
    tab, line = opened(tabs, served)
    line.lose = {"prices"}
    line.until(lambda: line.lost >= LOST_MIN)
    line.lose = set()
    ticket(tab, "0.21")
    expect(tab.page.locator(".trade-send")).to_have_attribute("data-state", "ready")
    line.until(lambda: line.asks("resync"))


def test_a_silent_socket_is_not_shown_as_alive(tabs: Tabs, served: Process) -> None:
    tab, line = opened(tabs, served)
    ticket(tab, "0.22")
    line.dead = True
    expect(tab.page.locator(".trade-send")).to_have_text(
        re.compile("Prices are delayed|Price is .* old")
    )
    expect(tab.page.locator(".trade-send")).to_be_disabled()
    expect(
        tab.page.get_by_text(re.compile("Prices are delayed|Disconnected")).first
    ).to_be_visible()
    tab.look("stale")

    line.dead = False
    expect(tab.page.locator(".trade-send")).to_have_attribute("data-state", "ready")


def test_a_price_that_stands_still_blocks_the_ticket_until_it_moves(
    tabs: Tabs, served: Process
) -> None:
    tab, line = opened(tabs, served)
    send = tab.page.locator(".trade-send")
    ticket(tab, "0.23")
    line.mute = {"prices"}
    expect(send).to_have_text(re.compile(r"Price is \d+ s old: refreshing"))
    expect(send).to_be_disabled()

    line.mute = set()
    expect(send).to_have_attribute("data-state", "ready")


def test_a_desk_killed_in_the_middle_of_an_order_comes_back_with_the_truth(
    tabs: Tabs, folder: Path
) -> None:
    with desk(folder / "killed", *LOCALNET, "--port", str(reserved_port())) as process:
        process.start()
        tab = tabs(url=process.url).sign_in(process.key)
        with tab.page.expect_response(_placed):
            place(tab, "0.31")
        process.kill()
        expect(tab.page.get_by_text("Disconnected from the desk")).to_be_visible()
        tab.look("disconnected")

        process.start()
        becomes(tab, "0.31", "CONFIRMED")
        expect(tab.page.get_by_text("Disconnected from the desk")).to_be_hidden()
        [order] = orders_of(process, "0.31")
        assert order["status"] == "CONFIRMED"


def _placed(told: Response) -> bool:
    return told.request.method == "POST" and told.url.endswith("/api/orders")
