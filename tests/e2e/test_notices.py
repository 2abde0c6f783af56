"""Trying who is told of security events, in a browser: what came of it, and who may not."""

import re

from playwright.sync_api import expect
from tests.e2e.tab import Tab, Tabs
from tests.e2e.test_signing_in import at_the_door, connect
from tests.e2e.wallets import TestWallets
from tests.flow.process.running import Process

TAB = "/account?tab=notices"


def test_the_owner_tries_who_is_told(owner: Tab) -> None:
    page = owner.go(TAB).page
    expect(page.get_by_text(re.compile("^Only the log is told"))).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("Webhook not set"))).to_be_visible()
    owner.button("Send a test").click()
    expect(page.get_by_text("Only the desk's log was told")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("Log.*delivered"))).to_be_visible()
    assert not owner.barriers()

    page.route("**/api/security/notices/test", lambda route: route.abort())
    owner.button("Send a test").click()
    expect(page.get_by_role("alert").filter(has_text="network.unreachable")).to_be_visible()
    expect(page.get_by_text("Only the desk's log was told")).to_have_count(0)


def test_a_trader_sees_what_can_be_set_and_tries_nothing(tabs: Tabs, served: Process) -> None:
    wallets = TestWallets(bytes(31) + b"\x12")
    made = served.ask(
        "POST", "/api/users", served.key, {"wallet": wallets.solana.address, "role": "trader"}
    )
    assert made.status == 201, made
    tab = at_the_door(tabs(wallets=wallets), TAB)
    connect(tab, "solana")
    tab.button("Sign with Test Solana").click()
    expect(tab.page.get_by_text("notices.webhook_url", exact=True)).to_be_visible()
    expect(tab.button("Send a test")).to_have_count(0)
