"""Promise: by Jupiter an order fills at most once, within its bound, and nothing else is signed."""

import asyncio
from base64 import b64encode
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from tests.unit.chains.jupiter.world import API_KEY, PAIR, WALLET, WRAPPED, World, trade, world

from quantdesk.chains.jupiter import Client
from quantdesk.chains.jupiter.contents import SYSTEM, TOKEN, unpack
from quantdesk.chains.port import Chain, Fate, Transaction
from quantdesk.core.assets import ASSETS
from quantdesk.core.errors import Corrupt, DeskError, Refused, Unavailable
from quantdesk.core.markets import Side
from quantdesk.testing import jupiter as fake

pytestmark = pytest.mark.anyio
ME, OTHER = PAIR.pubkey(), Pubkey.from_string("9" * 43)
Steps = list[Instruction]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def _fate(desk: Chain, made: Transaction) -> Fate:
    (sighting,) = await desk.look([made])
    return sighting.fate


async def _refused(w: World, **changed: Any) -> DeskError:  # noqa: ANN401 - of a trade
    with pytest.raises(DeskError) as refused:
        await (await w.desk()).prepare(trade(**changed), [])
    return refused.value


async def test_that_a_sale_lands_and_the_chain_says_so() -> None:
    async with world() as w:
        desk = await w.desk()
        made = await desk.prepare(trade(), [])
        before = await _fate(desk, made)
        await desk.send(made)
        receipt = await desk.receipt(trade(), made)

        assert (before, await _fate(desk, made)) == (Fate.UNSEEN, Fate.LANDED)
        assert (receipt.base_raw, receipt.quote_raw) == (10**9, 150_000_000)
        assert w.ledger.fills == [made.signature]


async def test_that_the_bound_is_asked_for_and_the_routers_that_sign_are_left_out() -> None:
    async with world() as w:
        await (await w.desk()).prepare(trade(), [])

        assert w.server.asked == [
            {
                "inputMint": trade().base.mint,
                "outputMint": trade().quote.mint,
                "amount": str(10**9),
                "taker": WALLET.address,
                "slippageBps": "66",
                "excludeRouters": "jupiterz,dflow,okx",
            }
        ]


async def test_that_a_worse_promise_is_asked_for_again_with_a_tighter_bound() -> None:
    async with world() as w:
        w.server.price = 0.1495
        await (await w.desk()).prepare(trade(), [])

        assert [asked["slippageBps"] for asked in w.server.asked] == ["66", "33"]


@pytest.mark.parametrize(
    ("price", "limit", "side", "code"),
    [
        (0.148, 149_000_000, Side.SELL, "slippage.exceeded"),
        (0.15, 149_000_000, Side.BUY, "pool.unsupported"),
    ],
)
async def test_that_what_cannot_be_kept_is_not_signed(
    price: float, limit: int, side: Side, code: str
) -> None:
    async with world() as w:
        w.server.price = price

        assert (await _refused(w, limit=limit, side=side)).code == code


async def test_that_the_nodes_word_counts_and_not_jupiters() -> None:
    async with world() as w:
        w.ledger.worse_raw = 1_000_001
        assert (await _refused(w)).code == "slippage.exceeded"
        w.ledger.worse_raw = 0
        w.lost.append("another asset")
        assert (await _refused(w)).code == "route.unsupported"


async def test_that_the_last_valid_height_is_our_own_nodes() -> None:
    async with world() as w:
        w.server.height_lie = -140
        desk = await w.desk()
        made = await desk.prepare(trade(), [])
        await w.clock.advance(100 * fake.BLOCK_S)

        assert made.last_valid_height == 1_000 + fake.VALID_BLOCKS
        assert await _fate(desk, made) is Fate.UNSEEN


def _nonce(steps: Steps) -> Steps:
    advance = Instruction(Pubkey.from_string(SYSTEM), bytes([4, 0, 0, 0]), [])
    return [advance, *steps]


def _token(data: bytes, *keys: Pubkey) -> Callable[[Steps], Steps]:
    accounts = [AccountMeta(key, is_signer=False, is_writable=True) for key in keys]
    step = Instruction(Pubkey.from_string(TOKEN), data, accounts)
    return lambda steps: [*steps, step]


def _sends(to: Pubkey, lamports: int) -> Callable[[Steps], Steps]:
    sent = transfer(TransferParams(from_pubkey=ME, to_pubkey=to, lamports=lamports))
    return lambda steps: [sent, *steps]


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (_nonce, "route.unsupported"),
        (_token(b"\x04" + bytes(8), ME, OTHER, ME), "route.unsupported"),  # approve
        (_token(b"\x06\x00\x01" + bytes(32), ME, ME), "route.unsupported"),  # set authority
        (_token(b"\x03" + bytes(8), ME, OTHER, ME), "route.unsupported"),  # transfer
        (_token(b"\x09", Pubkey.from_string(WRAPPED), OTHER, ME), "route.unsupported"),
        (_sends(OTHER, 5_000_001), "quote.deviates"),
        (lambda steps: [*steps, Instruction(OTHER, b"x", [])], "route.unsupported"),
    ],
    ids=["nonce", "approve", "authority", "transfer", "close", "tip", "program"],
)
async def test_that_a_transaction_that_does_more_is_not_signed(
    edit: Callable[[Steps], Steps], code: str
) -> None:
    async with world() as w:
        w.server.edit = edit

        assert (await _refused(w)).code == code


@pytest.mark.parametrize(
    "edit",
    [
        _token(b"\x09", Pubkey.from_string(WRAPPED), ME, ME),
        _token(b"\x11", Pubkey.from_string(WRAPPED)),
        _sends(Pubkey.from_string(WRAPPED), 10**9),
        _sends(OTHER, 100_000),
    ],
    ids=["close", "sync", "wrap", "tip"],
)
async def test_that_what_a_swap_needs_is_signed(edit: Callable[[Steps], Steps]) -> None:
    async with world() as w:
        w.server.edit = edit

        assert (await (await w.desk()).prepare(trade(), [])).signature


async def test_that_a_transaction_another_signs_first_is_not_signed() -> None:
    async with world() as w:
        w.server.payer = Keypair()

        assert (await _refused(w)).code == "route.unsupported"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"transaction": "", "errorCode": 1, "errorMessage": "Insufficient"}, "funds.insufficient"),
        ({"transaction": "", "errorCode": 2}, "funds.insufficient"),
        ({"transaction": "", "errorCode": 3}, "amount.too_small"),
        ({"transaction": "", "errorCode": 3, "router": "jupiterz"}, "jupiter.unavailable"),
        ({"transaction": None}, "jupiter.unavailable"),
        ({"transaction": "AAAA"}, "jupiter.unreadable"),
        ({"transaction": "?"}, "jupiter.unreadable"),
        ({"inAmount": "5"}, "jupiter.unreadable"),
        ({"outputMint": "other"}, "jupiter.unreadable"),
        ({"otherAmountThreshold": "-1"}, "jupiter.unreadable"),
        ({"requestId": "a\nb"}, "jupiter.unreadable"),
        ({"requestId": 5}, "jupiter.unreadable"),
    ],
)
async def test_that_an_order_that_is_none_says_why(changed: dict[str, Any], code: str) -> None:
    async with world() as w:
        w.server.edit_order = lambda order: {**order, **changed}

        assert (await _refused(w)).code == code


@pytest.mark.parametrize(
    "bad",
    [
        fake.LOST,
        fake.Bad(lands=True, status=500, body={"error": "unknown"}),
        fake.Bad(lands=True, status=200, body={"status": "Failed", "code": -1000}),
        fake.Bad(lands=True, status=200, body=["?"]),
    ],
)
async def test_that_whatever_jupiter_says_the_chain_is_asked(bad: fake.Bad) -> None:
    async with world() as w:
        desk = await w.desk()
        made = await desk.prepare(trade(), [])
        w.server.bad(bad)
        w.ledger.drops = True
        with pytest.raises(Unavailable):
            await desk.send(made)

        assert await _fate(desk, made) is Fate.LANDED
        assert w.ledger.fills == [made.signature]


async def test_that_a_word_of_success_alone_lands_nothing() -> None:
    async with world() as w:
        desk = await w.desk()
        made = await desk.prepare(trade(), [])
        w.server.bad(fake.Bad(status=200, body={"status": "Success", "code": 0}))
        await desk.send(made)

        assert await _fate(desk, made) is Fate.UNSEEN


async def test_that_our_own_node_lands_what_jupiter_forgot() -> None:
    async with world() as w:
        desk = await w.desk()
        made = await desk.prepare(trade(), [])
        w.server._orders.clear()
        await desk.send(made)

        assert w.server.executed == [unpack(made.raw)[0]]
        assert await _fate(desk, made) is Fate.LANDED


async def test_that_landing_may_take_longer_than_a_price() -> None:
    async with world() as w:
        made = await (await w.desk()).prepare(trade(), [])
        request_id, raw = unpack(made.raw)
        w.server.held = asyncio.Event()
        client = Client(url=w.server.url, clock=w.clock, api_key=API_KEY, timeout_s=0.2)
        async with client:
            landing = asyncio.ensure_future(
                client.execute(
                    request_id=request_id,
                    transaction=b64encode(raw).decode(),
                    height=made.last_valid_height,
                )
            )
            with pytest.raises(Unavailable):
                await client.quote(paid="a", received="b", amount=1)
            await asyncio.wait((landing,), timeout=0)
            assert not landing.done()
            w.server.held.set()

            assert (await landing).status == "Success"


async def test_that_bytes_jupiter_has_go_to_our_own_node_from_then_on() -> None:
    async with world() as w:
        desk = await w.desk()
        made = await desk.prepare(trade(), [])
        w.server.bad(fake.Bad(status=200, body={"status": "Failed", "code": -1000}))
        for _ in range(3):
            await desk.send(made)
        w.ledger.drops = True
        await desk.send(made)
        w.server.bad(fake.CUT)
        with pytest.raises(Unavailable):
            await desk.send(made)

        assert w.ledger.sent[made.signature] == 5
        assert len(w.server.executed) == 3, "at first, and where our own node does not answer"


async def test_that_a_busy_jupiter_is_left_alone_until_it_said() -> None:
    async with world() as w:
        desk = await w.desk()
        w.server.rate_max = 0
        for _ in range(3):
            with pytest.raises(Unavailable) as busy:
                await desk.prepare(trade(), [])
            assert busy.value.code == "jupiter.busy"
        asked = len(w.server.asked)
        w.server.rate_max = 100
        await w.clock.advance(11)
        await desk.prepare(trade(), [])

        assert (asked, len(w.server.asked)) == (1, 2)


async def test_that_a_wrong_key_is_told_and_no_key_is() -> None:
    async with world() as w:
        async with Client(url=w.server.url, clock=w.clock, api_key="wrong" + API_KEY) as client:
            with pytest.raises(Unavailable) as refused:
                await client.order({"amount": "1"})
        async with Client(url="http://127.0.0.1:1", clock=w.clock, api_key=API_KEY) as client:
            with pytest.raises(Unavailable) as nowhere:
                await client.order({"amount": "1"})

        assert refused.value.code == "jupiter.unauthorized"
        assert refused.value.detail == "Jupiter answers HTTP 401: Unauthorized"
        assert API_KEY not in f"{refused.value!r} {nowhere.value!r} {client!r}"


@pytest.mark.parametrize(
    ("told", "impact"),
    [
        ({}, "0.001"),  # in percent, as the server tells it
        ({"priceImpact": 2.5, "priceImpactPct": "0.4"}, "0.025"),
        ({"priceImpact": None, "priceImpactPct": "-0.003"}, "0.003"),
        ({"priceImpact": None}, "0"),
        ({"priceImpact": None, "priceImpactPct": "little"}, "0"),
        ({"priceImpact": 100}, "0"),
    ],
)
async def test_that_a_quote_tells_its_impact_as_a_fraction(
    told: dict[str, object], impact: str
) -> None:
    async with world() as w:
        w.server.edit_order = lambda order: {**order, **told}
        paid, received = (ASSETS[symbol].mint for symbol in ("SOL", "USDC"))
        async with Client(url=w.server.url, clock=w.clock, api_key=API_KEY) as client:
            quote = await client.quote(paid=paid, received=received, amount=10**9)

        assert quote.impact == Decimal(impact)


@pytest.mark.parametrize("raw", [b"", b"id", b"id\n", b"\nraw", b"i d\nraw", b"\xff\nraw"])
def test_that_other_bytes_are_refused(raw: bytes) -> None:
    with pytest.raises(Corrupt):
        unpack(raw)


async def test_that_a_request_that_is_wrong_is_refused() -> None:
    async with world() as w, Client(url=w.server.url, clock=w.clock, api_key=API_KEY) as client:
        with pytest.raises(Refused):
            await client.order({"swapMode": "ExactOut", "amount": "1"})
