"""The ways in, in a browser: the owner's first day, wallets of both chains, what can go wrong."""

import re

import pytest
from playwright.sync_api import Locator, expect
from tests.e2e.tab import Tab, Tabs
from tests.e2e.wallets import TestWallets
from tests.flow.process.running import Process

WALLETS = {"solana": "Test Solana", "evm": "Test EVM"}


def at_the_door(tab: Tab, path: str = "/markets") -> Tab:
    """Open a page without being signed in: the way in comes first."""
    tab.go(path)
    expect(door(tab)).to_be_visible()
    return tab


def door(tab: Tab) -> Locator:
    """Return the heading of the way in."""
    return tab.page.get_by_role("heading", name="Sign in to QuantDesk")


def inside(tab: Tab, heading: str = "Markets") -> None:
    """Return once a page of the terminal is there."""
    title = tab.page.get_by_role("heading", level=1, name=re.compile(heading))
    expect(title).to_be_attached()
    expect(door(tab)).to_be_hidden()


def connect(tab: Tab, chain: str) -> str:
    """Choose a wallet and return the text it is to sign."""
    tab.button(re.compile(WALLETS[chain])).click()
    text = tab.page.get_by_label("Text to sign")
    expect(text).to_be_visible()
    return text.inner_text()


def test_the_owner_comes_in_by_the_key_and_is_led_on(tabs: Tabs, served: Process) -> None:
    tab = at_the_door(tabs())
    tab.page.get_by_label(re.compile("Owner.s key")).fill(served.key)
    tab.button("Sign in with the key").click()
    expect(tab.page).to_have_url(re.compile("/account"))
    expect(tab.page.get_by_text(re.compile("localnet", re.IGNORECASE)).first).to_be_visible()
    tab.look("first-run")


def test_a_wrong_key_says_no_more_than_that(tabs: Tabs) -> None:
    tab = at_the_door(tabs())
    tab.page.get_by_label(re.compile("Owner.s key")).fill("qd_" + "A" * 43)
    tab.button("Sign in with the key").click()
    expect(tab.page.get_by_role("alert").first).to_be_visible()
    expect(door(tab)).to_be_visible()


@pytest.mark.parametrize("chain", WALLETS)
def test_a_wallet_signs_what_was_shown_and_is_in(tabs: Tabs, chain: str) -> None:
    wallets = TestWallets((chain * 32).encode()[:32])
    tab = at_the_door(tabs(wallets=wallets))
    shown = connect(tab, chain)
    tab.look(f"sign-in-text-{chain}")
    tab.button(f"Sign with {WALLETS[chain]}").click()

    inside(tab)  # where it wanted to go
    assert [text.strip() for text in wallets.shown] == [shown.strip()]
    tab.page.reload()
    inside(tab)


@pytest.mark.parametrize("chain", WALLETS)
def test_a_wallet_that_declines_leaves_the_way_open(tabs: Tabs, chain: str) -> None:
    wallets = TestWallets(bytes(31) + b"\x07")
    wallets.decline = True
    tab = at_the_door(tabs(wallets=wallets))
    connect(tab, chain)
    tab.button(f"Sign with {WALLETS[chain]}").click()
    expect(tab.page.get_by_text("You declined in the wallet")).to_be_visible()

    wallets.decline = False
    tab.button(f"Sign with {WALLETS[chain]}").click()
    inside(tab)


def test_a_text_that_was_used_before_is_refused_with_a_way_on(tabs: Tabs) -> None:
    wallets = TestWallets(bytes(31) + b"\x08")
    first = at_the_door(tabs(wallets=wallets))
    context = first.page.context
    connect(first, "solana")
    with first.page.expect_request("**/api/auth/wallet") as sent:
        first.button("Sign with Test Solana").click()
    inside(first)
    context.clear_cookies()

    # The same signed text again, in place of what the page would send.
    again = at_the_door(tabs(context=context))
    body = sent.value.post_data
    again.page.route("**/api/auth/wallet", lambda route: route.continue_(post_data=body))
    connect(again, "solana")
    again.button("Sign with Test Solana").click()
    expect(again.page.get_by_text("This text was used before")).to_be_visible()
    expect(again.button("Ask for a fresh text")).to_be_visible()


def test_who_signs_out_is_out_in_every_tab(owner: Tab, tabs: Tabs) -> None:
    other = tabs(context=owner.page.context).go("/markets")
    owner.page.get_by_role("button", name=re.compile("account", re.IGNORECASE)).first.click()
    owner.page.get_by_role("menuitem", name=re.compile("Sign out")).click()
    expect(door(owner)).to_be_visible()
    expect(door(other)).to_be_visible()
