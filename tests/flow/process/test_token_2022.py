"""PYUSD, a token of the newer program, trades like any other; where a chain lacks it, others do."""

import base64
import json
import urllib.request
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.flow.process.conftest import Desks
from tests.flow.process.running import LOCALNET, Process
from tests.unit.venues import minted

from quantdesk.chains.solana.keys import load, wallet
from quantdesk.core.assets import ASSETS, TOKEN_2022
from quantdesk.core.clock import SystemClock
from quantdesk.core.markets import MARKETS
from quantdesk.localnet import (
    amm_pools,
    clmm_pools,
    damm_pools,
    meteora_pools,
    process,
    raydium_pools,
)
from quantdesk.localnet.genesis import Genesis, found
from quantdesk.localnet.opening import opening
from quantdesk.sources.simulated import MODELS
from quantdesk.venues.transfer_fee import TransferFee

PYUSD = ASSETS["PYUSD"]
PAIR = MARKETS["PYUSD-USDC"]
HUNDREDTH = TransferFee(bps=100, most=minted.U64_MAX)
USD = {symbol: model.start for symbol, model in MODELS.items()}


def asked(desk: Process, method: str, *params: object) -> dict[str, Any]:
    """Return what the desk's chain answers."""
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    request = urllib.request.Request(
        desk.told["urls"]["rpc"],
        data=json.dumps(body).encode(),
        headers={"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        told = json.load(answer)
    assert "error" not in told, told
    result: dict[str, Any] = told["result"]
    return result


def held(desk: Process, *symbols: str) -> list[Decimal]:
    """Return what the chain says the wallet holds of tokens."""
    accounts = wallet(desk.told["wallet"]).token_accounts
    told = [
        asked(desk, "getTokenAccountBalance", accounts[symbol], {"commitment": "confirmed"})
        for symbol in symbols
    ]
    return [Decimal(one["value"]["amount"]).scaleb(-6) for one in told]


def filled(desk: Process, direction: str, amount: int) -> tuple[Decimal, Decimal]:
    """Trade PYUSD and return what was filled of it and of USDC, as balances prove it."""
    before = held(desk, "PYUSD", "USDC")
    placed = desk.post({"pair": PAIR.pair, "amount": amount, "direction": direction})
    assert placed.status == 201, placed
    [order] = desk.ended([placed.body["orderId"]])
    assert order["status"] == "CONFIRMED", order
    base, quote = (Decimal(str(order["filled"][side])) for side in ("base", "quote"))
    sign = 1 if direction == "BUY" else -1
    after = held(desk, "PYUSD", "USDC")
    assert [a - b for a, b in zip(after, before, strict=True)] == [sign * base, -sign * quote]
    return base, quote


def test_fills_what_the_chain_moved_also_once_the_issuer_charges_for_transfers(
    desks: Desks,
) -> None:
    desk = desks("home", *LOCALNET)
    desk.start()
    free = [filled(desk, direction, 1_000) for direction in ("SELL", "BUY")]

    data = minted.mint(HUNDREDTH, decimals=PYUSD.decimals)
    account = {"data": base64.b64encode(data).decode(), "owner": TOKEN_2022}
    asked(desk, "localnet_setAccount", PYUSD.mint, account)
    charged = [filled(desk, direction, 1_000) for direction in ("SELL", "BUY")]

    assert {base for base, _ in [*free, *charged]} == {Decimal(1_000)}
    sold, bought = (after / before for (_, before), (_, after) in zip(free, charged, strict=True))
    assert float(sold) == pytest.approx(0.99, abs=0.002)
    assert float(bought) == pytest.approx(1 / 0.99, abs=0.002)
    assert _withheld(desk) == HUNDREDTH.on(HUNDREDTH.before(10**9))


def test_trades_everything_else_on_a_chain_founded_before_it_was_listed(desks: Desks) -> None:
    desk = desks("home", *LOCALNET)
    _found_without(desk.home)
    desk.start()

    sold = desk.post({"pair": "SOL-USDC", "amount": 1, "direction": "SELL"}).body["orderId"]
    [order] = desk.ended([sold])
    assert order["status"] == "CONFIRMED", order
    balances = desk.get(f"/api/wallets/{desk.told['wallet']}/balances").body["balances"]
    assert Decimal(balances["PYUSD"]) == 0

    unknown = desk.post({"pair": PAIR.pair, "amount": 1, "direction": "BUY"})
    [order] = desk.ended([unknown.body["orderId"]])
    assert (order["status"], order["error"]["code"]) == ("FAILED", "quotes.none")
    assert "pools.none" in desk.said()


def _withheld(desk: Process) -> int:
    account = wallet(desk.told["wallet"]).token_accounts["PYUSD"]
    config = {"encoding": "base64", "commitment": "confirmed"}
    data = base64.b64decode(asked(desk, "getAccountInfo", account, config)["value"]["data"][0])
    at = data.index(b"\x02\x00\x08\x00", 166)  # the extension of what transfers withheld
    return int.from_bytes(data[at + 4 : at + 12], "little")


def _found_without(home: Path) -> None:
    """Found the chain of a home as a desk did that knew nothing of PYUSD."""
    process.prepare(home, USD)
    owners = [wallet(str(load(home / name).pubkey())) for name in ("wallet.key", "maker.key")]
    whole = opening(trader=owners[0], maker=owners[1], usd=USD, depth_usd=Decimal(3_000_000))
    shared = _pool_accounts("USDT-USDC")
    unknown = _pool_accounts(PAIR.pair) - shared
    unknown |= {PYUSD.mint, *(owner.token_accounts["PYUSD"] for owner in owners)}
    kept = [account for account in whole.accounts if account.address not in unknown]
    assert len(kept) == len(whole.accounts) - len(unknown)
    now_ms = SystemClock().now_ms()
    found(home / process.FOLDER, Genesis(kept, whole.programs), now_ms=now_ms, slot_ms=400)


_KINDS = (raydium_pools, amm_pools, clmm_pools, meteora_pools, damm_pools)


def _pool_accounts(pair: str) -> set[str]:
    at = {"price": USD["PYUSD"] / USD["USDC"], "depth_usd": Decimal(300_000), "usd": USD}
    made = [m.accounts(MARKETS[pair], **at) for m in _KINDS]
    return {account.address for pool in made for account in pool}
