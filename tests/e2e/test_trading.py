"""A trader at the page: quotes, an order through its stages, its proof, and what goes wrong."""

import json
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

from playwright.sync_api import expect
from tests.e2e.tab import ROOT, Tab, Tabs
from tests.flow.process.running import Process

VERIFIER = ROOT / "src/quantdesk/ops/verify_evidence.py"


def ticket(tab: Tab, amount: str, *, side: str = "Buy", **also: str) -> Tab:
    """Fill the ticket and return once it may be sent, or says why not."""
    page = tab.page
    page.locator(".trade-ticket").get_by_text(f"{side} SOL", exact=True).click()
    for label, text in also.items():
        page.get_by_label(label).fill(text)
    page.get_by_label("Amount").fill(amount)
    return tab


def place(tab: Tab, amount: str, *, side: str = "Buy", **also: str) -> None:
    """Send an order the way a person does: preview, look, confirm."""
    ticket(tab, amount, side=side, **also)
    tab.page.locator(".trade-send[data-state=ready], .trade-send[data-state=rest]").click()
    dialog = tab.page.get_by_role("dialog")
    confirm = dialog.get_by_role("button", name=f"{side} {amount} SOL")
    again = dialog.get_by_role("button", name="Show new numbers")
    expect(confirm.or_(again)).to_be_visible()
    if again.is_visible():  # the quote ran out while a busy machine came this far
        again.click()
    confirm.click()


def becomes(tab: Tab, amount: str, status: str) -> None:
    """Return once the list of all orders shows that the one of this amount came to an end."""
    tab.page.get_by_role("tab", name="Orders", exact=True).click()
    row = tab.page.get_by_role("row", name=re.compile(rf" {re.escape(amount)} "))
    expect(row.locator(".ui-chip", has_text=status)).to_be_visible()


def orders_of(desk: Process, amount: str) -> list[dict[str, Any]]:
    return [one for one in desk.orders() if Decimal(str(one["amount"])) == Decimal(amount)]


def test_an_order_is_previewed_sent_followed_and_proven(
    owner: Tab, served: Process, tmp_path: Path
) -> None:
    page = owner.page
    ticket(owner, "1.25")
    preview = page.locator(".trade-preview")
    for venue in ("raydium", "meteora"):
        expect(preview.get_by_text(re.compile(venue, re.IGNORECASE)).first).to_be_visible()
    owner.look("trade-preview")
    place(owner, "1.25")

    becomes(owner, "1.25", "CONFIRMED")
    [order] = orders_of(served, "1.25")
    # Where the maker moves a pool between quote and simulation, a try is made again.
    assert list(dict.fromkeys(one["status"] for one in order["logs"])) == [
        "PENDING", "ROUTING", "BUILDING", "SUBMITTED", "CONFIRMED",
    ]  # fmt: skip

    owner.go(f"/orders/{order['orderId']}")
    for heading in ("Stages", "Attempts", "Prices it was judged by"):
        expect(page.get_by_role("heading", name=heading)).to_be_visible()
    expect(page.get_by_text(order["txHash"][:4]).first).to_be_visible()
    owner.look("order-evidence", full=True)
    with page.expect_download() as download:
        owner.button("Evidence pack").click()
    pack = tmp_path / "pack.json"
    download.value.save_as(pack)
    assert json.loads(pack.read_text())
    verified = subprocess.run(
        [sys.executable, VERIFIER, pack], capture_output=True, text=True, check=False
    )
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_a_sale_is_told_as_one(owner: Tab, served: Process) -> None:
    place(owner, "0.75", side="Sell")
    becomes(owner, "0.75", "CONFIRMED")
    [order] = orders_of(served, "0.75")
    assert order["direction"] == "SELL"


def test_a_large_order_shows_how_it_is_split_and_why(owner: Tab, served: Process) -> None:
    ticket(owner, "2500")
    shares = owner.page.locator(".trade-preview").get_by_text(re.compile(r"\d+(\.\d+)? ?%"))
    expect(shares.nth(1)).to_be_visible()
    told = served.preview({"pair": "SOL-USDC", "amount": 2500, "direction": "BUY"}).body
    assert len(told["route"]["legs"]) > 1
    owner.page.get_by_role("tab", name="Orders", exact=True).click()
    owner.page.set_viewport_size({"width": 1440, "height": 1200})
    owner.look("trade-split")


def test_one_order_is_made_urgent_and_its_fee_is_shown_before(owner: Tab, served: Process) -> None:
    page = owner.page
    ticket(owner, "0.17")
    fee = page.locator(".trade-preview .trade-line", has_text="Network + priority fee")
    expect(fee).to_contain_text("0.000005 + 0 SOL")
    page.get_by_label("Priority").select_option("urgent")
    expect(page.get_by_label("Priority")).to_have_accessible_description("pays more than 95 %")
    expect(fee).to_have_text(re.compile(r"0\.000005 \+ 0\.\d*[1-9] SOL$"))
    owner.look("trade-urgent")
    assert not owner.barriers()

    place(owner, "0.17")

    becomes(owner, "0.17", "CONFIRMED")
    [order] = orders_of(served, "0.17")
    assert order["priority"] == "urgent"
    owner.go(f"/orders/{order['orderId']}")
    asked = page.locator(".trade-line").filter(has=page.get_by_text("Priority", exact=True))
    expect(asked).to_contain_text("urgent")


def test_a_double_click_makes_one_order(owner: Tab, served: Process) -> None:
    ticket(owner, "0.11")
    owner.page.locator(".trade-send[data-state=ready]").click()
    owner.page.get_by_role("dialog").get_by_role("button", name="Buy 0.11 SOL").dblclick()
    becomes(owner, "0.11", "CONFIRMED")
    assert len(orders_of(served, "0.11")) == 1


def test_a_quote_that_ran_out_is_shown_anew_and_not_sent(owner: Tab, served: Process) -> None:
    ticket(owner, "0.12")
    owner.page.locator(".trade-send[data-state=ready]").click()
    dialog = owner.page.get_by_role("dialog")
    again = dialog.get_by_role("button", name="Show new numbers")
    expect(again).to_be_visible()
    again.click()
    expect(dialog.get_by_role("button", name="Buy 0.12 SOL")).to_be_visible()
    dialog.get_by_role("button", name="Back").click()
    assert not orders_of(served, "0.12")


def test_more_than_the_wallet_holds_is_not_sendable(owner: Tab, served: Process) -> None:
    ticket(owner, "9999999")
    send = owner.page.locator(".trade-send")
    expect(send).to_have_text(re.compile("Insufficient USDC: need .* more"))
    expect(send).to_be_disabled()


def test_mistyped_amounts_say_what_is_wrong(owner: Tab) -> None:
    send = owner.page.locator(".trade-send")
    for typed, said in (
        ("", "Enter an amount"),
        ("abc", "Amount is not a number like 10.5"),
        ("0", "Enter an amount above zero"),
        ("1.0000000001", "SOL has at most 9 decimals"),
    ):
        owner.page.get_by_label("Amount").fill(typed)
        expect(send).to_have_text(said)
        expect(send).to_be_disabled()


def test_a_limit_order_rests_shows_on_the_chart_and_is_cancelled(
    owner: Tab, served: Process
) -> None:
    place(owner, "0.13", **{"Limit price": "1.5"})
    row = owner.page.get_by_role("row", name=re.compile(r"0\.13"))
    expect(row.locator(".ui-chip", has_text="PENDING")).to_be_visible()
    row.get_by_role("button", name=re.compile("Cancel")).click()
    becomes(owner, "0.13", "CANCELLED")
    [order] = orders_of(served, "0.13")
    assert order["status"] == "CANCELLED"


def test_two_tabs_show_the_same_order(owner: Tab, tabs: Tabs) -> None:
    other = tabs(context=owner.page.context).go("/trade/SOL-USDC")
    place(owner, "0.14")
    for tab in (owner, other):
        becomes(tab, "0.14", "CONFIRMED")


def test_an_order_placed_elsewhere_is_on_the_list_before_it_is_read(
    owner: Tab, served: Process
) -> None:
    owner.page.get_by_role("tab", name="Orders", exact=True).click()
    expect(owner.page.locator(".trade-send")).to_have_text("Enter an amount")
    owner.page.route("**/api/orders?*", lambda route: route.abort())
    served.post({"pair": "SOL-USDC", "amount": 0.18, "direction": "SELL"})
    becomes(owner, "0.18", "CONFIRMED")


def test_keys_fill_and_send_but_never_with_one(owner: Tab, served: Process) -> None:
    page = owner.page
    page.keyboard.press("s")
    page.keyboard.press("b")
    page.get_by_label("Amount").fill("0.15")
    expect(page.locator(".trade-send")).to_have_attribute("data-state", "ready")
    page.keyboard.press("Enter")
    assert not orders_of(served, "0.15")
    expect(page.locator(".trade-send")).to_have_attribute("data-state", "ready")
    page.keyboard.press("Control+Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert not orders_of(served, "0.15")
