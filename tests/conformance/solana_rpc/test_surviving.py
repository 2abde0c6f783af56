"""Promise: what was confirmed is there after kill -9, with slot, status and balance; ours only."""

import asyncio
from pathlib import Path

import pytest
from solders.keypair import Keypair
from tests.conformance.solana_rpc.chain import SOL, Chain, Coin, Json, pay, started, stopped, until
from tests.conformance.solana_rpc.conftest import own_command

V0 = {"commitment": "confirmed", "maxSupportedTransactionVersion": 0}
PAYMENTS = 20


def test_that_a_killed_cluster_loses_nothing_confirmed(tmp_path: Path) -> None:
    payer, to = Keypair(), Keypair().pubkey()
    chain, process = started("localnet", own_command(tmp_path))
    before, coin = asyncio.run(_confirm_payments(chain, payer, to))
    process.kill()
    stopped(process)

    chain, process = started("localnet", own_command(tmp_path))
    try:
        asyncio.run(_expect_all(chain, before, coin, to))
    finally:
        assert stopped(process) == 0


def test_that_a_second_cluster_is_refused_the_folder(tmp_path: Path) -> None:
    _, process = started("localnet", own_command(tmp_path))
    try:
        with pytest.raises(RuntimeError):
            started("localnet", own_command(tmp_path))
    finally:
        stopped(process)


async def _confirm_payments(
    chain: Chain, payer: Keypair, to: Json
) -> tuple[dict[str, dict[str, Json]], Coin]:
    await chain.fund(payer.pubkey(), 1000 * SOL)
    coin = await chain.token(payer, amount=42)
    async with chain.client() as client:
        sent = [
            (await client.send_transaction(await chain.signed([pay(payer, to, SOL + n)], payer)))
            for n in range(PAYMENTS)
        ]
    statuses = {}
    for answer in sent:
        await chain.confirmed(answer.value)
        found = await chain.result("getTransaction", str(answer.value), V0)
        statuses[str(answer.value)] = found
    return statuses, coin


async def _expect_all(
    chain: Chain, before: dict[str, dict[str, Json]], coin: Coin, to: Json
) -> None:
    for signature, told in before.items():
        assert await chain.result("getTransaction", signature, V0) == told
        await chain.confirmed(signature)
    balance = await chain.result("getBalance", str(to), {"commitment": "confirmed"})
    assert balance["value"] == sum(SOL + n for n in range(PAYMENTS))
    held = await chain.result(
        "getTokenAccountBalance", str(coin.account), {"commitment": "confirmed"}
    )
    assert held["value"]["amount"] == "42"
    slot = await chain.result("getSlot", {"commitment": "processed"})
    assert slot >= max(told["slot"] for told in before.values())

    async def moved() -> bool | None:
        return True if await chain.result("getSlot", {"commitment": "processed"}) > slot else None

    assert await until(moved)
