"""Promise: every chain without a network keeps the port's word: same bytes, one fill, its receipt.

The Solana adapter is held to the same in `tests/flow/chains_solana`, on a cluster.
"""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import pytest

from quantdesk.chains.paper import Paper
from quantdesk.chains.port import Chain, Fate, Instruction, Trade, Transaction
from quantdesk.core.assets import ASSETS
from quantdesk.core.errors import Refused, Unavailable
from quantdesk.core.markets import Side
from quantdesk.testing.chain import Fill, ScriptedChain
from quantdesk.testing.clock import ManualClock

pytestmark = pytest.mark.anyio
ORDER = "00000000-0000-7000-8000-000000000001"
HELD = {"SOL": 10**12, "USDC": 10**12}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class Subject:
    """A chain under test, and the program it executes."""

    chain: Chain
    clock: ManualClock
    program: str

    async def signed(self, *, attempt: int = 1, quote_raw: int = 15) -> Transaction:
        """Sign a purchase of 10 base units."""
        data = msgspec.json.encode(Fill(10, quote_raw))
        fill = Instruction(self.program, (), data)
        return await self.chain.prepare(trade(attempt), [fill])

    async def fate(self, transaction: Transaction) -> Fate:
        """Return what the chain says became of it."""
        (sighting,) = await self.chain.look([transaction])
        return sighting.fate


def trade(attempt: int = 1) -> Trade:
    return Trade(Side.BUY, ASSETS["SOL"], ASSETS["USDC"], 10, 20, f"qd:{ORDER}:{attempt}")


def _paper(clock: ManualClock) -> Chain:
    return Paper(clock=clock, latency_ms=400, book=HELD)


def _scripted(clock: ManualClock) -> Chain:
    return ScriptedChain(clock=clock, balances=HELD)


@pytest.fixture(params=[(_paper, "paper"), (_scripted, "scripted")], ids=["paper", "scripted"])
def subject(request: pytest.FixtureRequest) -> Subject:
    made: Callable[[ManualClock], Chain]
    made, program = request.param
    clock = ManualClock()
    return Subject(made(clock), clock, program)


async def test_that_nothing_lands_that_was_not_sent(subject: Subject) -> None:
    made = await subject.signed()
    await subject.clock.advance(5)
    assert await subject.fate(made) is Fate.UNSEEN


async def test_that_sent_bytes_land_and_say_what_moved(subject: Subject) -> None:
    made = await subject.signed()
    await subject.chain.send(made)
    assert await subject.fate(made) is Fate.UNSEEN
    await subject.clock.advance(1)
    assert await subject.fate(made) is Fate.LANDED
    receipt = await subject.chain.receipt(trade(), made)
    assert (receipt.base_raw, receipt.quote_raw) == (10, 15)


async def test_that_sending_again_changes_nothing(subject: Subject) -> None:
    made = await subject.signed()
    for _ in range(3):
        await subject.chain.send(made)
        await subject.clock.advance(1)
    assert await subject.fate(made) is Fate.LANDED
    assert (await subject.chain.receipt(trade(), made)).quote_raw == 15


async def test_that_attempts_differ_in_their_signatures(subject: Subject) -> None:
    first, second = await subject.signed(), await subject.signed(attempt=2)
    assert first.signature != second.signature
    await subject.chain.send(second)
    await subject.clock.advance(1)
    assert [await subject.fate(first), await subject.fate(second)] == [Fate.UNSEEN, Fate.LANDED]


async def test_that_fates_come_in_the_order_asked(subject: Subject) -> None:
    made = [await subject.signed(attempt=n) for n in (1, 2, 3)]
    await subject.chain.send(made[1])
    await subject.clock.advance(1)
    fates = [sighting.fate for sighting in await subject.chain.look(made)]
    assert fates == [Fate.UNSEEN, Fate.LANDED, Fate.UNSEEN]
    assert await subject.chain.look([]) == []


async def test_that_a_fill_past_the_limit_is_not_signed(subject: Subject) -> None:
    with pytest.raises(Unavailable) as past:
        await subject.signed(quote_raw=21)
    assert past.value.code == "slippage.exceeded"


async def test_that_a_foreign_instruction_is_not_signed(subject: Subject) -> None:
    with pytest.raises(Refused) as foreign:
        await subject.chain.prepare(trade(), [Instruction("elsewhere", (), b"{}")])
    assert foreign.value.code == "simulation.failed"


async def test_that_balances_are_told_of_every_asset_asked(subject: Subject) -> None:
    told = await subject.chain.balances([ASSETS["SOL"], ASSETS["ETH"]])
    assert told == {"SOL": 10**12, "ETH": 0}
