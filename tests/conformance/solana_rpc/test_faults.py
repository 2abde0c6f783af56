"""Promise: each fault switch does what it says; cleared, the node is honest. Ours only."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from solders.keypair import Keypair
from tests.conformance.solana_rpc.chain import SOL, Chain, Json, pay, until

PROCESSED = {"commitment": "processed"}
SKIP = {"encoding": "base64", "skipPreflight": True}


@pytest.fixture
def wallet(own: Chain) -> Keypair:
    made = Keypair()
    asyncio.run(own.fund(made.pubkey(), 100 * SOL))
    return made


@asynccontextmanager
async def faults(own: Chain, **switches: Json) -> AsyncIterator[None]:
    await own.result("localnet_setFaults", switches)
    try:
        yield
    finally:
        await own.result("localnet_clearFaults")


async def send(own: Chain, transaction: Json) -> str:
    raw = base64.b64encode(bytes(transaction)).decode()
    return str(await own.result("sendTransaction", raw, SKIP))


async def slot_of(own: Chain) -> int:
    return int(await own.result("getSlot", PROCESSED))


async def passed(own: Chain, slots: int) -> None:
    start = await slot_of(own)

    async def there() -> bool | None:
        return True if await slot_of(own) >= start + slots else None

    await until(there)


async def test_that_a_dropped_send_is_acknowledged_and_never_lands(
    own: Chain, wallet: Keypair
) -> None:
    transaction = await own.signed([pay(wallet, Keypair().pubkey(), SOL)], wallet)
    async with faults(own, dropSend=1):
        signature = await send(own, transaction)
    assert signature == str(transaction.signatures[0])
    await passed(own, 3)
    assert (await own.result("getSignatureStatuses", [signature]))["value"] == [None]
    assert await send(own, transaction) == signature
    await own.confirmed(signature)


async def test_that_a_doubled_send_lands_once(own: Chain, wallet: Keypair) -> None:
    to = Keypair().pubkey()
    async with faults(own, duplicate=1):
        signature = await send(own, await own.signed([pay(wallet, to, SOL)], wallet))
    await own.confirmed(signature)
    balance = await own.result("getBalance", str(to), PROCESSED)
    assert balance["value"] == SOL


async def test_that_errors_meet_the_methods_named_and_no_others(own: Chain) -> None:
    error = {"code": -32005, "message": "Node is behind by 42 slots"}
    async with faults(own, error=error, methods=["getBlockHeight"]):
        assert (await own.call("getBlockHeight"))["error"] == error
        assert "result" in await own.call("getSlot")
    assert "result" in await own.call("getBlockHeight")


async def test_that_faults_last_as_many_calls_as_asked(own: Chain) -> None:
    async with faults(own, error={"code": -32603, "message": "x"}, requests=2):
        answers = [await own.call("getHealth") for _ in range(3)]
    assert ["error" in answer for answer in answers] == [True, True, False]


async def test_that_a_share_of_calls_is_hit_the_same_way_for_a_seed(own: Chain) -> None:
    seen = []
    for _ in range(2):
        async with faults(own, error={"code": -1, "message": "x"}, probability=0.5, seed=7):
            seen.append(["error" in await own.call("getHealth") for _ in range(20)])
    assert seen[0] == seen[1]
    assert {True, False} == set(seen[0])


async def test_that_a_delayed_answer_comes_after_others(own: Chain) -> None:
    order: list[str] = []

    async def ask(method: str) -> None:
        await own.call(method)
        order.append(method)

    async with faults(own, delayMs=200, methods=["getHealth"]):
        slow = asyncio.create_task(ask("getHealth"))
        await ask("getSlot")
        await slow
    assert order == ["getSlot", "getHealth"]


async def test_that_stale_statuses_hide_what_just_landed(own: Chain, wallet: Keypair) -> None:
    await passed(own, 31)
    transaction = await own.signed([pay(wallet, Keypair().pubkey(), SOL)], wallet)
    await own.result("localnet_stopSlots")
    try:
        async with faults(own, staleSlots=5):
            signature = await send(own, transaction)
            assert (await own.result("getSignatureStatuses", [signature]))["value"] == [None]
        found = (await own.result("getSignatureStatuses", [signature]))["value"][0]
        assert found["confirmationStatus"] == "processed"
    finally:
        await own.result("localnet_resumeSlots")


async def test_that_stopped_slots_confirm_nothing(own: Chain, wallet: Keypair) -> None:
    transaction = await own.signed([pay(wallet, Keypair().pubkey(), SOL)], wallet)
    stopped_at = (await own.result("localnet_stopSlots"))["slot"]
    try:
        signature = await send(own, transaction)
        found = (await own.result("getSignatureStatuses", [signature]))["value"][0]
        assert (found["slot"], found["confirmationStatus"]) == (stopped_at, "processed")
        assert await slot_of(own) == stopped_at
    finally:
        await own.result("localnet_resumeSlots")
    await own.confirmed(signature)


async def test_that_a_rollback_undoes_and_lets_send_again(own: Chain, wallet: Keypair) -> None:
    to = Keypair().pubkey()
    transaction = await own.signed([pay(wallet, to, SOL)], wallet)
    await passed(own, 8)
    signature = await send(own, transaction)
    await own.confirmed(signature)
    before = await slot_of(own)
    answer = await own.result("localnet_rollback", {"slots": 8})
    assert answer["slot"] > before
    assert (await own.result("getSignatureStatuses", [signature]))["value"] == [None]
    assert (await own.result("getBalance", str(to), PROCESSED))["value"] == 0
    dropped = await own.call("getBlock", answer["firstDropped"], {"commitment": "confirmed"})
    assert dropped["error"]["code"] in {-32004, -32007}
    await send(own, transaction)
    await own.confirmed(signature)
    assert (await own.result("getBalance", str(to), PROCESSED))["value"] == SOL


async def test_that_final_slots_cannot_be_rolled_back(own: Chain) -> None:
    answer = await own.call("localnet_rollback", {"slots": 64})
    assert answer["error"]["code"] == -32602


async def test_that_an_operator_can_set_accounts_and_give_tokens(
    own: Chain, wallet: Keypair
) -> None:
    address = str(Keypair().pubkey())
    data = base64.b64encode(b"forged").decode()
    await own.result("localnet_setAccount", address, {"lamports": 5 * SOL, "data": data})
    found = await own.result("getAccountInfo", address, {"encoding": "base64", **PROCESSED})
    assert found["value"]["data"] == [data, "base64"]
    await own.result("localnet_setAccount", address, None)
    gone = await own.result("getAccountInfo", address, PROCESSED)
    assert gone["value"] is None
    coin = await own.token(wallet, amount=10)
    gift = {"mint": str(coin.mint), "owner": str(wallet.pubkey()), "amount": 90}
    assert await own.result("localnet_mintTo", gift) == {
        "account": str(coin.account),
        "amount": "100",
    }
    fresh = {**gift, "owner": str(Keypair().pubkey())}
    made = (await own.result("localnet_mintTo", fresh))["account"]
    held = await own.result("getTokenAccountBalance", made, PROCESSED)
    assert held["value"]["amount"] == "90"
    supply = await own.result("getTokenSupply", str(coin.mint), PROCESSED)
    assert supply["value"]["amount"] == "190"


@pytest.mark.parametrize(
    "switches",
    [{"nonsense": 1}, {"dropSend": 2}, {"delayMs": -1}, {"staleSlots": 99}, {"error": 5}],
)
async def test_that_a_fault_that_cannot_be_is_refused(own: Chain, switches: Json) -> None:
    assert (await own.call("localnet_setFaults", switches))["error"]["code"] == -32602
