"""Promise: a limit holds at once here and soon elsewhere, with its history and its act, or not."""

import asyncio
from collections.abc import Collection
from decimal import Decimal
from uuid import UUID

import asyncpg
import pytest
from tests.flow.guard.conftest import ANNA, BERT, SETTINGS, Office

from quantdesk.core.errors import Refused
from quantdesk.guard.book import POLL_S, LimitBook
from quantdesk.guard.check import Limits
from quantdesk.guard.halts import Halt
from quantdesk.store.pool import Connection

pytestmark = pytest.mark.anyio


def anything(_: Collection[str]) -> None:
    """Allow every change."""


async def edit(office: Office, book: LimitBook, account: UUID | None, **told: object) -> None:
    await book.edit(account, told, by=ANNA, judge=anything, note=office.note)


async def test_that_the_strictest_of_three_holds_at_once(office: Office) -> None:
    book = await office.book()
    await edit(office, book, None, order_notional_usd_max=900, open_orders_max=5)
    await edit(office, book, ANNA, order_notional_usd_max="800.5", open_orders_max=7)

    anna, bert = book.of(ANNA), book.of(BERT)
    assert anna.order_notional_usd_max == Decimal("800.5")
    assert anna.open_orders_max == 5
    assert bert.order_notional_usd_max == 900
    assert bert.open_orders_max == 5

    await edit(office, book, None, order_notional_usd_max=100)
    assert book.of(ANNA).order_notional_usd_max == 100
    await edit(office, book, None, order_notional_usd_max=None)
    assert book.of(BERT).order_notional_usd_max == 1_000, "the settings stay"
    assert book.of(ANNA).order_notional_usd_max == Decimal("800.5")


async def test_that_another_process_hears_of_it_within_a_second(office: Office) -> None:
    here, there = await office.book(), await office.book()
    running = asyncio.ensure_future(there.run())
    await office.clock.asleep(1)
    await edit(office, here, ANNA, order_notional_usd_max=5)
    await here.halt(BERT, halted(office), note=office.note)
    assert there.of(ANNA) == SETTINGS

    await office.clock.advance(POLL_S)
    await office.clock.asleep(1)
    assert POLL_S < 1
    assert there.of(ANNA).order_notional_usd_max == 5
    assert there.of(BERT).halted
    assert there.halts.of(ANNA) is None
    running.cancel()


async def test_that_a_restart_forgets_nothing(office: Office) -> None:
    book = await office.book()
    await edit(office, book, None, pairs=["SOL-USDC", "BTC-USDC"])
    await edit(office, book, ANNA, pairs=["SOL-USDC", "ETH-USDC"])
    await book.halt(None, halted(office), note=office.note)

    again = await office.book()
    assert again.of(ANNA) == book.of(ANNA)
    assert again.of(ANNA).pairs == frozenset({"SOL-USDC"})
    assert again.of(BERT).halted
    assert again.halts.desk == halted(office)


async def test_that_history_grows_and_nothing_else(office: Office) -> None:
    book = await office.book()
    await edit(office, book, None, open_orders_max=5)
    await edit(office, book, ANNA, open_orders_max=4)
    await edit(office, book, BERT, open_orders_max=3)
    await edit(office, book, None, open_orders_max=6)
    await edit(office, book, None, open_orders_max=6)  # changes nothing

    told = [(o.account_id, o.before, o.after) for o in await book.history(ANNA)]
    assert told == [(None, 5, 6), (ANNA, None, 4), (None, None, 5)]
    assert [(o.account_id, o.before, o.after) for o in office.noted] == [
        (None, None, 5), (ANNA, None, 4), (BERT, None, 3), (None, 5, 6),
    ]  # fmt: skip
    newest = (await book.history(ANNA, limit=1))[0]
    older = await book.history(ANNA, below=newest.version, limit=1)
    assert [o.account_id for o in older] == [ANNA]
    for statement in ("update guard_history set by = null", "delete from guard_history"):
        with pytest.raises(asyncpg.RaiseError):
            async with office.pools.write.connection() as c:
                await c.execute(statement)


async def test_that_what_cannot_be_noted_is_not_changed(office: Office) -> None:
    book = await office.book()

    async def broken(_: Connection, __: object) -> None:
        raise Refused("the audit is full", code="audit.full")

    with pytest.raises(Refused, match="full"):
        await book.edit(ANNA, {"open_orders_max": 3}, by=ANNA, judge=anything, note=broken)
    assert book.of(ANNA) == SETTINGS
    assert (await office.book()).of(ANNA) == SETTINGS
    assert await book.history(ANNA) == []


async def test_that_the_judge_hears_exactly_what_is_loosened(office: Office) -> None:
    book = await office.book()
    heard: list[set[str]] = []

    async def told(**values: object) -> None:
        def judge(loosened: Collection[str]) -> None:
            heard.append(set(loosened))

        await book.edit(ANNA, values, by=ANNA, judge=judge, note=office.note)

    await told(open_orders_max=5, order_notional_usd_max=10)
    await told(open_orders_max=6, order_notional_usd_max=9)
    await told(open_orders_max=6, pairs=["SOL-USDC"])
    await told(pairs=["BTC-USDC"])
    await told(pairs=[], open_orders_max=None)
    assert heard == [set(), {"open_orders_max"}, set(), {"pairs"}, {"open_orders_max"}]


async def test_that_two_processes_judge_one_after_the_other(office: Office) -> None:
    here, there = await office.book(), await office.book()
    await edit(office, here, ANNA, open_orders_max=5)

    def never_looser(loosened: Collection[str]) -> None:
        if loosened:
            raise Refused("that is more", code="proof.needed")

    async def to(book: LimitBook, value: int) -> None:
        await book.edit(
            ANNA, {"open_orders_max": value}, by=ANNA, judge=never_looser, note=office.note
        )

    await to(here, 2)
    with pytest.raises(Refused):  # what `there` has in memory would allow it
        await to(there, 4)
    assert (await office.book()).of(ANNA).open_orders_max == 2

    both = [to(book, value) for book in (here, there) for value in (1, 2)]
    await asyncio.gather(*both, return_exceptions=True)
    await there.load()
    await here.load()
    assert here.of(ANNA).open_orders_max == there.of(ANNA).open_orders_max == 1


@pytest.mark.parametrize(
    ("account", "told", "code", "named"),
    [
        (None, {"order_notional_max": 5}, "limit.unknown", "order_notional_max"),
        (None, {"halt": {}}, "limit.unknown", "halt"),
        (None, {"order_notional_max": None}, "limit.unknown", "order_notional_max"),
        (ANNA, {"price_band_bps_max": None}, "limit.unknown", "price_band_bps_max"),
        (ANNA, {"open_orders_max": "many"}, "limit.invalid", "open_orders_max"),
        (None, {"order_notional_usd_max": 1_001}, "limit.above_settings", "order_notional_usd_max"),
        (UUID(int=99), {"open_orders_max": 5}, "account.unknown", "account"),
    ],
)
async def test_that_nothing_is_changed_by_what_is_wrong_in_part(
    office: Office, account: UUID | None, told: dict[str, object], code: str, named: str
) -> None:
    book = await office.book()
    with pytest.raises(Refused) as wrong:
        await edit(office, book, account, **{"slippage_bps_max": 1, **told})
    assert wrong.value.code == code
    assert named in wrong.value.detail
    assert book.desk == SETTINGS
    assert office.noted == []


def halted(office: Office, scope: str = "new") -> Halt:
    return Halt(scope=scope, reason="a drill", at_ms=office.clock.now_ms(), by=ANNA)  # type: ignore[arg-type]


async def test_that_a_halt_holds_until_it_is_lifted_and_says_who(office: Office) -> None:
    book = await office.book()
    await book.halt(ANNA, halted(office), note=office.note)
    assert book.of(ANNA).halted
    assert "a drill" in book.of(ANNA).halted_by
    assert not book.of(BERT).halted

    await book.resume(ANNA, by=BERT, note=office.note)
    assert not book.of(ANNA).halted
    with pytest.raises(Refused) as twice:
        await book.resume(ANNA, by=BERT, note=office.note)
    assert twice.value.code == "trading.not_halted"
    assert [(o.name, o.by, o.after is None) for o in office.noted] == [
        ("halt", ANNA, False), ("halt", BERT, True),
    ]  # fmt: skip


async def test_that_a_halt_of_all_is_never_made_narrower(office: Office) -> None:
    book = await office.book()
    await book.halt(None, halted(office, "new"), note=office.note)
    await book.halt(None, halted(office, "all"), note=office.note)
    await book.halt(None, halted(office, "new"), note=office.note)
    await book.halt(ANNA, halted(office, "new"), note=office.note)
    halt = book.halts.of(ANNA)
    assert halt is not None
    assert halt.scope == "all"
    await book.resume(None, by=ANNA, note=office.note)
    assert book.of(ANNA).halted, "the account's own halt stays"
    assert not book.of(BERT).halted


async def test_that_a_halt_of_the_settings_is_lifted_there_alone(office: Office) -> None:
    book = await office.book(Limits(halted=True))
    assert book.halts.of(ANNA) is not None
    assert book.of(ANNA).halted_by == "guard.halted"
    with pytest.raises(Refused) as fixed:
        await book.resume(None, by=ANNA, note=office.note)
    assert fixed.value.code == "trading.halted_by_settings"
    await edit(office, book, ANNA, open_orders_max=3)
    assert book.of(ANNA).halted
    assert (await book.probe()).startswith("halted (new)")
