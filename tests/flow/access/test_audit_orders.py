"""Promise: every row of an order is covered with the commit that writes it, and a pack proves it.

The pack is verified by the program that ships for people without a desk, run as they run it.
"""

import asyncio
import copy
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from tests.flow.access.audited import DAY_S, World

from quantdesk.access.audit import verify as verifying
from quantdesk.access.audit.evidence import pack
from quantdesk.access.audit.verify import verify
from quantdesk.chains.port import Priority
from quantdesk.core.errors import Corrupt, Refused, Unavailable
from quantdesk.engines.orders.model import OrderStatus
from quantdesk.ops import verify_evidence
from quantdesk.store.pool import Pools
from quantdesk.testing.killing import Cut, How
from quantdesk.testing.stage import Stage, Wish

pytestmark = pytest.mark.anyio

SCRIPT = Path(verify_evidence.__file__)


@pytest.fixture
async def stage(pools: Pools) -> AsyncIterator[Stage]:
    made = Stage(pools)
    yield made
    await made.clear()


async def traded(stage: Stage, *wishes: Wish) -> list[UUID]:
    """Trade these wishes to their ends; return their orders."""
    desk = stage.desk()
    ids = [(await stage.place(desk, wish)).order.id for wish in wishes]
    assert await stage.run_until(stage.all_ended, within_s=60)
    return ids


async def evidence(world: World, order_id: UUID) -> dict[str, Any]:
    found = await pack(world.pools, order_id, signer=world.signer, now_ms=world.clock.now_ms())
    decoded: dict[str, Any] = verify_evidence.read(msgspec.json.encode(found).decode())
    return decoded


async def test_that_every_row_of_orders_is_covered(stage: Stage, world: World) -> None:
    await traded(stage, Wish(), Wish(pair="BTC-USDC"), Wish(limit_price=Decimal(200)))
    before = await verify(world.pools)
    assert before.order_rows == 0
    assert before.waiting > 12

    await world.keep(0)

    after = await verify(world.pools)
    async with world.pools.read.connection() as c:
        events = await c.fetchval("select count(*) from order_events")
        attempts = await c.fetchval("select count(*) from order_attempts")
    assert (after.order_rows, after.waiting) == (events + attempts, 0)
    assert attempts == 3


async def test_that_a_commit_that_was_never_told_is_covered(stage: Stage, world: World) -> None:
    """The desk dies between the commit and its publication: nobody ever hears of that event."""
    whole = stage.desk()
    await stage.place(whole)
    assert await stage.run_until(stage.all_ended, within_s=60)
    first_told = whole.life.effects.index("bus:publish") + 1
    untold = stage.desk(Cut(first_told, after=False, how=How.KILL))
    asyncio.get_running_loop().create_task(stage.place(untold))
    await stage.run_for(1)
    assert untold.life.dead
    assert not untold.told

    await world.keep(0)
    verdict = await verify(world.pools)
    async with world.pools.read.connection() as c:
        assert await c.fetchval("select count(distinct order_id) from order_events") == 2
        rows = await c.fetchval(
            "select (select count(*) from order_events) + (select count(*) from order_attempts)"
        )
    assert (verdict.order_rows, verdict.waiting) == (rows, 0)


async def test_that_a_cancelled_order_is_covered(stage: Stage, world: World) -> None:
    desk = stage.desk()
    placed = await stage.place(desk, Wish(limit_price=Decimal(1)))
    await stage.run_for(2)
    order = await desk.orders.cancel(stage.account_id, placed.order.id)
    assert order.status is OrderStatus.CANCELLED
    await world.keep(0)
    assert (await verify(world.pools)).waiting == 0
    proven = verify_evidence.verify(await evidence(world, order.id))
    assert "CANCELLED" in proven[0]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("update order_events set status = 'FAILED' where version = 5", "not as they were"),
        ("update order_events set at = at + interval '1 us' where version = 2", "not as they were"),
        ("update order_events set data = '{}' where version = 3", "not as they were"),
        ("update order_events set batch = batch + 1 where version = 5", "of order events"),
        ("delete from order_events where version = 5", "of order events"),
        ("update orders set base_raw = base_raw + 1", "not as they were"),
        ("update orders set limit_price = 7", "not as they were"),
        ("update orders set priority = 'economy'", "not as they were"),
        ("update order_attempts set raw = raw || '\\x00'", "not as they were"),
        ("update order_attempts set route = '{}'", "not as they were"),
        ("delete from order_attempts", "all are gone"),
        (("alter table order_events disable trigger note_events;"
         "insert into order_events (order_id, version, status, attempt, at, data)"
         " select order_id, 99, status, attempt, at, data from order_events where version = 5"),
         "behind its back"),
    ],
)  # fmt: skip
async def test_that_a_change_to_an_order_is_found(
    stage: Stage, world: World, change: str, says: str
) -> None:
    await traded(stage, Wish())
    await world.keep(0)
    await verify(world.pools)

    async with world.superuser() as c:
        await c.execute(change)

    with pytest.raises(Corrupt, match=says) as broken:
        await verify(world.pools)
    assert broken.value.code == "audit.broken"


async def test_that_a_large_batch_is_read_in_pages(
    stage: Stage, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await traded(stage, *(Wish() for _ in range(4)))
    async with world.superuser() as c:
        await c.execute(
            """insert into order_events (order_id, version, status, attempt, at, data)
               select order_id, 100 + n, status, attempt, at, data from order_events,
                 generate_series(1, 2000) n where version = 5"""
        )
    await world.keep(0)
    monkeypatch.setattr(verifying, "_LARGE", 3)
    assert (await verify(world.pools)).order_rows > 8000
    async with world.superuser() as c:
        await c.execute("update order_events set attempt = 2 where version = 1999")
    with pytest.raises(Corrupt, match="not as they were"):
        await verify(world.pools)


async def test_that_a_pack_proves_an_order_without_the_desk(
    stage: Stage, world: World, tmp_path: Path
) -> None:
    order_id, _ = await traded(stage, Wish(), Wish(pair="BTC-USDC"))
    await world.note(world.act("order.placed", about=f"order:{order_id}"))
    await world.keep(20)
    found = await evidence(world, order_id)
    file = tmp_path / "pack.json"
    file.write_text(written(found))
    public = world.signer.public.public.hex()

    def run(*more: str) -> subprocess.CompletedProcess[str]:
        # -I -S: nothing but the standard library can be imported
        return subprocess.run(
            [sys.executable, "-I", "-S", SCRIPT, file, *more], capture_output=True, text=True,
            check=False, timeout=60,
        )  # fmt: skip

    good = run("--key", public)
    assert good.returncode == 0, good.stdout + good.stderr
    assert f"PROVEN: order {order_id}, BUY SOL-USDC, is CONFIRMED" in good.stdout
    assert run("--key", "00" * 32).returncode == 1
    assert run("--key").returncode == 2
    assert len(found["rows"]) == len({one["row"] for one in found["batches"]}) + 1
    assert "BTC" not in json.dumps(found["intent"], default=str)
    assert found["realised"]["networkFeeLamports"] > 0

    file.write_text(written(found).replace('"BUY"', '"SELL"'))
    bad = run()
    assert bad.returncode == 1
    assert "NOT PROVEN" in bad.stdout


async def test_that_a_pack_of_an_earlier_day_leads_to_its_signed_root(
    stage: Stage, world: World
) -> None:
    [order_id] = await traded(stage, Wish())
    keeper = world.keeper()
    await world.keep(7, keeper)
    await world.clock.advance(DAY_S)
    await world.keep(7, keeper)
    found = await evidence(world, order_id)
    [root] = found["roots"]
    assert json.loads(root["statement"])["day"] == "2023-11-15"
    verify_evidence.verify(found, world.signer.public.public.hex())


async def test_that_a_pack_waits_for_the_chain(stage: Stage, world: World) -> None:
    [order_id] = await traded(stage, Wish())
    with pytest.raises(Unavailable) as pending:
        await evidence(world, order_id)
    assert pending.value.code == "audit.pending"
    with pytest.raises(Refused) as unknown:
        await evidence(world, world.new_id())
    assert unknown.value.code == "order.unknown"


async def test_that_a_priority_is_proven_where_it_was_chosen(stage: Stage, world: World) -> None:
    urgent, bare = await traded(stage, Wish(priority=Priority.URGENT), Wish())
    await world.keep(0)

    packs = [await evidence(world, order_id) for order_id in (urgent, bare)]

    assert packs[0]["intent"]["priority"] == "urgent"
    assert "priority" not in packs[1]["intent"], "older verifiers read this pack too"
    for found in packs:
        verify_evidence.verify(found)
    usd = packs[0]["intent"]["notionalUsd"]
    del packs[0]["intent"]["priority"]
    assert not holds(packs[0])
    packs[0]["intent"]["notionalUsd"] = f"{usd}\nurgent"
    assert not holds(packs[0]), "two terms do not pass for one"
    packs[1]["intent"]["priority"] = "urgent"
    assert not holds(packs[1])


@pytest.mark.parametrize("priority", [None, Priority.ECONOMY])
async def test_that_every_part_of_a_pack_counts(
    stage: Stage, world: World, priority: Priority | None
) -> None:
    wish = Wish(limit_price=Decimal("200.5"), priority=priority)
    [order_id] = await traded(stage, wish)
    await world.keep(5)
    found = await evidence(world, order_id)
    verify_evidence.verify(found)
    tried = 0
    for path in leaves(found):
        for other in others(at(found, path)):
            forged = copy.deepcopy(found)
            place(forged, path, other)
            assert not holds(forged), (path, other)
            tried += 1
    for path in lists(found):
        for change in (lambda part: part[1:], lambda part: [*part, part[-1]]):
            forged = copy.deepcopy(found)
            place(forged, path, change(at(found, path)))
            assert not holds(forged), path
            tried += 1
    for path in objects(found):
        forged = copy.deepcopy(found)
        part = at(forged, path) if path else forged
        part["more"] = 1
        assert not holds(forged), path
    assert tried > 150


def holds(forged: Any) -> bool:  # noqa: ANN401
    try:
        verify_evidence.verify(forged)
    except verify_evidence.UNPROVEN:
        return False
    return True


def leaves(part: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401
    if isinstance(part, dict):
        for name, held in part.items():
            yield from leaves(held, (*path, name))
    elif isinstance(part, list):
        for number, held in enumerate(part):
            yield from leaves(held, (*path, number))
    else:
        yield path


def lists(part: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401
    if isinstance(part, dict):
        for name, held in part.items():
            yield from lists(held, (*path, name))
    elif isinstance(part, list):
        if part:
            yield path
        for number, held in enumerate(part):
            yield from lists(held, (*path, number))


def objects(part: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401
    if isinstance(part, dict):
        yield path
        for name, held in part.items():
            yield from objects(held, (*path, name))
    elif isinstance(part, list):
        for number, held in enumerate(part):
            yield from objects(held, (*path, number))


def others(value: Any) -> Iterator[Any]:  # noqa: ANN401
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int | Decimal):
        yield value + 1
        yield str(value)
    elif isinstance(value, str):
        yield value + "0"
        yield None
        if value:
            yield value[:-1] + chr(ord(value[-1]) ^ 1)
            yield value[1:]
    else:
        yield 0
        yield ""


def at(part: Any, path: tuple[Any, ...]) -> Any:  # noqa: ANN401
    for name in path:
        part = part[name]
    return part


def place(part: Any, path: tuple[Any, ...], value: Any) -> None:  # noqa: ANN401
    at(part, path[:-1])[path[-1]] = value


def written(found: Any) -> str:  # noqa: ANN401
    return msgspec.json.encode(found, enc_hook=str).decode()
