"""Every page: nobody is kept out, nothing is cut or too wide, nothing is asked elsewhere."""

import pytest
from playwright.sync_api import expect
from tests.e2e.tab import NARROW, WIDE, Tabs
from tests.flow.process.running import Process

PAGES = {
    "trade": "/trade/SOL-USDC",
    "portfolio": "/portfolio",
    "markets": "/markets",
    "activity": "/activity",
    "operations": "/operations",
    "account": "/account",
}


@pytest.mark.parametrize("dark", [True, False], ids=["dark", "light"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_keeps_nobody_out_and_fits(
    tabs: Tabs,
    served: Process,
    name: str,
    size: dict[str, int],
    dark: bool,  # noqa: FBT001
) -> None:
    tab = tabs(size=size, dark=dark).sign_in(served.key, PAGES[name])
    expect(tab.page.get_by_role("heading", level=1).first).to_be_attached()
    tab.page.wait_for_load_state("networkidle")
    tab.look(f"{name}-{'wide' if size is WIDE else 'narrow'}-{'dark' if dark else 'light'}")
    assert not tab.barriers()
    assert tab.wider_than_shown() <= 0


@pytest.mark.parametrize("dark", [True, False], ids=["dark", "light"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_the_way_in_keeps_nobody_out(tabs: Tabs, size: dict[str, int], dark: bool) -> None:  # noqa: FBT001
    tab = tabs(size=size, dark=dark).go("/trade/SOL-USDC")
    expect(tab.page.get_by_role("heading", name="Sign in to QuantDesk")).to_be_visible()
    tab.look(f"sign-in-{'wide' if size is WIDE else 'narrow'}-{'dark' if dark else 'light'}")
    assert not tab.barriers()
    assert tab.wider_than_shown() <= 0


@pytest.mark.parametrize("path", ["/verify", "/reset"])
@pytest.mark.parametrize("dark", [True, False], ids=["dark", "light"])
def test_the_pages_of_letters_keep_nobody_out(tabs: Tabs, path: str, dark: bool) -> None:  # noqa: FBT001
    tab = tabs(size=NARROW, dark=dark).go(path)
    expect(tab.page.get_by_role("heading", level=1)).to_be_visible()
    assert not tab.barriers()
    assert tab.wider_than_shown() <= 0


@pytest.mark.parametrize("dark", [True, False], ids=["dark", "light"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_an_orders_page_keeps_nobody_out(
    tabs: Tabs,
    served: Process,
    size: dict[str, int],
    dark: bool,  # noqa: FBT001
) -> None:
    placed = served.post({"pair": "SOL-USDC", "amount": 0.5, "direction": "BUY"}).body
    served.ended([placed["orderId"]])
    tab = tabs(size=size, dark=dark).sign_in(served.key, f"/orders/{placed['orderId']}")
    expect(tab.page.get_by_role("heading", name="Attempts")).to_be_visible()
    assert not tab.barriers()
    assert tab.wider_than_shown() <= 0


def test_a_page_that_is_not_there_says_so(tabs: Tabs, served: Process) -> None:
    tab = tabs().sign_in(served.key, "/nowhere")
    expect(tab.page.get_by_role("heading", level=1)).to_be_visible()
    assert not tab.barriers()
