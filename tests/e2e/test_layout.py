"""A trader moves the borders of the trade page: they stay where they were put, in every browser."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Request, Response, expect
from tests.e2e.tab import NARROW, WIDE, Tab, Tabs
from tests.flow.process.running import Process

SIZES = ("Width of the markets", "Width of the ticket", "Height of the orders")


def border(tab: Tab, name: str) -> Locator:
    return tab.page.get_by_role("separator", name=name)


def size(tab: Tab, name: str) -> int:
    return int(border(tab, name).get_attribute("aria-valuenow") or "")


def drag(tab: Tab, name: str, *, x: int = 0, y: int = 0, drop: bool = True) -> None:
    """Move a border the way a hand does: in steps."""
    box = border(tab, name).bounding_box()
    assert box is not None
    at = (box["x"] + box["width"] / 2, box["y"] + min(box["height"], 200) / 2)
    tab.page.mouse.move(*at)
    tab.page.mouse.down()
    tab.page.mouse.move(at[0] + x, at[1] + y, steps=4)
    if drop:
        tab.page.mouse.up()


def width(tab: Tab, part: str) -> float:
    box = tab.page.locator(part).first.bounding_box()
    assert box is not None
    return box["width"]


def told(request: Request) -> dict[str, int | bool] | None:
    """Return the layout a request asks the desk to keep; None where it asks for none."""
    if request.method != "PUT" or not request.url.endswith("/api/me/settings"):
        return None
    body: dict[str, Any] = request.post_data_json or {}
    return body.get("layout")


def kept(layout: dict[str, int | bool]) -> Callable[[Response], bool]:
    """Tell the desk's answer to a save of exactly this layout."""
    return lambda answer: told(answer.request) == layout


def reset(tab: Tab) -> None:
    """Put all panels back by the palette; return once the desk has it."""
    with tab.page.expect_response(kept({})) as answer:
        tab.page.keyboard.press("Control+k")
        tab.page.get_by_role("combobox", name="Search markets").fill("reset layout")
        tab.page.get_by_role("option", name="Reset layout").click()
    assert answer.value.ok


@pytest.fixture
def trader(owner: Tab) -> Iterator[Tab]:
    """Give the owner's tab, and leave the desk without a layout, as it was found."""
    expect(border(owner, SIZES[0])).to_be_visible()
    yield owner
    reset(owner)


def test_dragged_borders_stay_after_a_reload_and_in_another_browser(
    trader: Tab, tabs: Tabs, served: Process
) -> None:
    found = {name: size(trader, name) for name in SIZES}
    canvas = width(trader, ".trade-canvas-box canvas")
    wanted = {name: found[name] + by for name, by in zip(SIZES, (40, 60, 50), strict=True)}
    markets, ticket, orders = wanted.values()
    asked: list[dict[str, int | bool] | None] = []
    trader.page.on("request", lambda one: asked.append(told(one)))
    layout: dict[str, int | bool] = {
        "markets": markets,
        "ticket": ticket,
        "orders": orders,
        "hidden": False,
    }
    with trader.page.expect_response(kept(layout)) as answer:
        drag(trader, "Width of the markets", x=40)
        drag(trader, "Width of the ticket", x=-60)
        drag(trader, "Height of the orders", y=-50)
    assert answer.value.ok
    saves = [one for one in asked if one is not None]
    assert len(saves) <= len(SIZES)
    for save in saves:  # where each drag ended, and nothing on the way
        assert save == {name: layout[name] for name in save}
    assert {name: size(trader, name) for name in SIZES} == wanted
    trader.page.wait_for_function(
        "was => document.querySelector('.trade-canvas-box canvas').clientWidth < was", arg=canvas
    )

    trader.page.reload()
    for tab in (trader, tabs().sign_in(served.key)):
        for name, px in wanted.items():
            expect(border(tab, name)).to_have_attribute("aria-valuenow", str(px))
        assert width(tab, ".trade-markets") == wanted["Width of the markets"]
        assert width(tab, ".trade-side") == wanted["Width of the ticket"]
        assert not tab.barriers()
        assert tab.wider_than_shown() == 0

    reset(trader)
    assert {name: size(trader, name) for name in SIZES} == found
    trader.page.reload()
    for name, px in found.items():
        expect(border(trader, name)).to_have_attribute("aria-valuenow", str(px))


def test_borders_move_by_keys_and_go_back_by_a_double_click(trader: Tab) -> None:
    name = "Width of the ticket"
    found, ticket = size(trader, name), border(trader, name)
    ticket.focus()
    for key, px in (
        ("ArrowLeft", found + 8),
        ("Shift+ArrowLeft", found + 40),
        ("ArrowRight", found + 32),
        ("Home", int(ticket.get_attribute("aria-valuemin") or "")),
        ("End", int(ticket.get_attribute("aria-valuemax") or "")),
    ):
        trader.page.keyboard.press(key)
        expect(ticket).to_have_attribute("aria-valuenow", str(px))
        assert width(trader, ".trade-side") == px
    ticket.dblclick()
    expect(ticket).to_have_attribute("aria-valuenow", str(found))


def test_a_drag_given_up_moves_and_saves_nothing(trader: Tab) -> None:
    name = "Width of the markets"
    found, was = size(trader, name), width(trader, ".trade-markets")
    drag(trader, name, x=50, drop=False)
    assert width(trader, ".trade-markets") == was + 50
    trader.page.keyboard.press("Escape")
    trader.page.mouse.up()
    assert size(trader, name) == found
    assert width(trader, ".trade-markets") == was


def test_hidden_markets_stay_hidden_but_on_a_phone_they_are_there(trader: Tab) -> None:
    markets = trader.page.locator(".trade-markets")
    with trader.page.expect_response(kept({"hidden": True})):
        trader.button("Hide markets").click()
    expect(markets).to_have_count(0)
    trader.page.reload()
    expect(trader.button("Show markets")).to_be_visible()
    expect(markets).to_have_count(0)
    trader.page.set_viewport_size({"width": NARROW["width"], "height": NARROW["height"]})
    expect(markets).to_be_visible()
    expect(trader.page.get_by_role("separator")).to_have_count(0)
    trader.page.set_viewport_size({"width": WIDE["width"], "height": WIDE["height"]})
    trader.button("Show markets").click()
    expect(markets).to_be_visible()
