"""What each may do, as the page says it: viewers, keys that are shown once, the kill switch."""

import re

from playwright.sync_api import expect
from tests.e2e.tab import Tab, Tabs
from tests.e2e.test_signing_in import at_the_door, connect
from tests.e2e.test_trading import ticket
from tests.e2e.wallets import TestWallets
from tests.flow.process.running import Process


def test_a_viewer_looks_and_cannot_trade(tabs: Tabs, served: Process) -> None:
    wallets = TestWallets(bytes(31) + b"\x11")
    address = wallets.solana.address
    made = served.ask("POST", "/api/users", served.key, {"wallet": address, "role": "viewer"})
    assert made.status == 201, made
    tab = at_the_door(tabs(wallets=wallets), "/trade/SOL-USDC")
    connect(tab, "solana")
    tab.button("Sign with Test Solana").click()
    expect(tab.page.locator(".trade-ticket")).to_be_visible()
    ticket(tab, "1")
    send = tab.page.locator(".trade-send")
    expect(send).to_have_text("Your role may not trade")
    expect(send).to_be_disabled()
    tab.go("/operations")
    expect(tab.button("Stop and cancel")).to_have_count(0)


def test_a_key_is_shown_once(owner: Tab, served: Process) -> None:
    page = owner.go("/account?tab=keys").page
    owner.button("Make a key").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("a reader")
    dialog.get_by_role("button", name="Make it").click()
    key = page.locator("[data-secret=key]").inner_text()
    assert served.ask("GET", "/api/prices", key).status == 200
    assert served.ask("GET", "/api/orders", key).status == 403

    owner.button("I have kept it").click()
    page.reload()
    expect(page.get_by_text("a reader")).to_be_visible()
    assert key not in page.content()
    row = page.get_by_role("row", name=re.compile("a reader"))
    row.get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(row).to_have_count(0)
    assert served.ask("GET", "/api/prices", key).status == 401


def test_the_kill_switch_stops_the_ticket_and_lifts_by_its_phrase(
    owner: Tab, served: Process
) -> None:
    page = owner.go("/operations").page
    owner.button("Pause new entries").click()
    asked = page.get_by_role("dialog")
    asked.get_by_label("Why").fill("the market is strange")
    asked.get_by_role("button", name="Pause new entries").click()
    banner = page.get_by_role("alert").filter(has_text="the market is strange")
    expect(banner).to_be_visible()
    refused = served.post({"pair": "SOL-USDC", "amount": 1, "direction": "BUY"})
    assert refused.body["code"] == "trading.halted"
    owner.look("halted")
    owner.go("/trade/SOL-USDC")
    ticket(owner, "1")
    expect(page.locator(".trade-send")).to_have_text(re.compile("halted"))

    owner.go("/operations")
    owner.button(re.compile("Lift|Resume|Let trading")).first.click()
    asked = page.get_by_role("dialog")
    phrase = served.get("/api/trading").body["deskPhrase"]
    asked.get_by_role("textbox").last.fill(phrase)
    asked.get_by_role("button").last.click()
    expect(banner).to_be_hidden()
    assert served.get("/api/trading").body["trading"] is True
