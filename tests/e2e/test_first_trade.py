"""The guided first trade: somebody new, from a wallet to the proof of an order."""

import re

from playwright.sync_api import expect
from tests.e2e.tab import Tabs
from tests.e2e.test_signing_in import at_the_door, connect
from tests.e2e.wallets import TestWallets
from tests.flow.process.running import Process


def test_somebody_new_is_led_from_the_faucet_to_the_proof(tabs: Tabs, served: Process) -> None:
    wallets = TestWallets(bytes(31) + b"\x21")
    tab = at_the_door(tabs(wallets=wallets), "/trade/SOL-USDC")
    connect(tab, "solana")
    tab.button("Sign with Test Solana").click()
    page = tab.page
    guide = page.get_by_role("complementary", name="Your first trade")
    expect(guide).to_be_visible()

    guide.get_by_role("button", name="Get more from the faucet").click()
    expect(page.get_by_text("10,000 USDC are on their way")).to_be_visible()
    guide.get_by_role("button", name="Preview buying 1 SOL").click()
    page.locator(".trade-send[data-state=ready]").click()
    page.get_by_role("dialog").get_by_role("button", name="Buy 1 SOL").click()
    tab.look("first-trade")
    guide.get_by_role("link", name="See what proves it").click()

    expect(page.get_by_role("heading", level=1, name=re.compile("Buy 1 SOL"))).to_be_visible()
    expect(page.get_by_role("heading", name="Attempts")).to_be_visible()
    assert not tab.barriers()
    tab.go("/trade/SOL-USDC")
    expect(guide).to_be_hidden()
