"""Promise: every act is chained once, whatever dies, and any change to the past is found."""

import asyncio
import json
from pathlib import Path
from typing import Any, cast

import asyncpg
import pytest
from tests.flow.access.audited import DAY_S, World

from quantdesk.access.audit.chain import GENESIS, linked
from quantdesk.access.audit.signing import Signer, Statement, new_seed, stated
from quantdesk.access.audit.store import chain as rows
from quantdesk.access.audit.store import note
from quantdesk.access.audit.verify import verify
from quantdesk.access.audit.witness import Files
from quantdesk.core.errors import Corrupt, Unavailable
from quantdesk.store.pool import Pools, connect
from quantdesk.testing.killing import Cut, How, Life, Ports, wrapped

pytestmark = pytest.mark.anyio


async def found(world: World, **more: Any) -> str:  # noqa: ANN401
    """Return what verifying says is wrong."""
    with pytest.raises(Corrupt) as broken:
        await verify(world.pools, **more)
    assert broken.value.code == "audit.broken"
    return broken.value.detail


async def test_that_an_empty_audit_holds(pools: Pools) -> None:
    verdict = await verify(pools)
    assert (verdict.rows, verdict.roots, verdict.waiting) == (0, 0, 0)


async def test_that_acts_are_chained_once_and_in_order(world: World) -> None:
    await world.note(world.act("user.added"), world.act("key.made", about="key:1"))
    keeper = world.keeper()
    assert not await keeper.step()
    await keeper.step()

    assert await world.actions() == ["audit.key_made", "user.added", "key.made"]
    verdict = await verify(world.pools)
    assert (verdict.rows, verdict.waiting) == (3, 0)


async def test_that_what_waits_is_told(world: World) -> None:
    await world.keep()
    await world.note(world.act())
    assert (await verify(world.pools)).waiting == 1


async def test_that_an_act_committed_late_under_a_low_number_is_taken(world: World) -> None:
    keeper = world.keeper()
    await keeper.step()
    async with world.pools.write.transaction() as slow:
        await note(slow, world.act("slow.one"))
        await world.note(world.act("quick.one"))
        await keeper.step()
    await keeper.step()

    assert await world.actions() == ["audit.key_made", "quick.one", "slow.one"]
    await verify(world.pools)


async def test_that_an_act_that_rolled_back_is_not_there(world: World) -> None:
    async def fails() -> None:
        async with world.pools.write.transaction() as c:
            await note(c, world.act("never"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fails()
    await world.keep()
    assert "never" not in await world.actions()


async def test_that_text_no_database_can_hold_does_not_stop_the_audit(world: World) -> None:
    await world.note(world.act("sign_in.failed", about="email:a\x00b", after={"\x00": ["\ud800"]}))
    await world.keep()
    assert "sign_in.failed" in await world.actions()
    await verify(world.pools)


async def test_that_an_act_nobody_can_read_is_kept_as_it_is(world: World) -> None:
    async with world.superuser() as c:
        await c.execute(
            "insert into acts (id, at, act) values (gen_random_uuid(), now(), '[\"\\u0000\"]')"
        )
    await world.keep()
    assert "audit.unreadable" in await world.actions()
    await verify(world.pools)


async def test_that_a_large_document_is_kept_as_its_hash(world: World) -> None:
    await world.note(world.act(after={"x": "y" * 100_000}))
    await world.keep()
    async with world.pools.read.connection() as c:
        assert await c.fetchval("select max(length(body::text)) from audit") < 1_000


@pytest.mark.parametrize("how", [How.KILL, How.LOSE])
@pytest.mark.parametrize("after", [False, True])
async def test_that_a_keeper_cut_anywhere_skips_and_repeats_nothing(
    world: World,
    how: How,
    after: bool,  # noqa: FBT001
) -> None:
    whole = Life()
    await world.keep(3, world.keeper(pools=_seen_by(whole, world)))
    expected = 4
    for number in range(1, len(whole.effects) + 1):
        life = Life(Cut(number, after, how))
        doomed = world.keeper(pools=_seen_by(life, world))
        await world.note(*(world.act(about=f"key:{n}") for n in range(3)))
        expected += 3
        task = asyncio.get_running_loop().create_task(doomed.step())
        while not task.done() and not life.hanging:  # noqa: ASYNC110 - a turn, not a time
            await asyncio.sleep(0)
        if life.hanging:
            life.lose_transactions()
            task.cancel()
        await asyncio.wait([task])
        assert life.struck, number
        if not task.cancelled() and task.exception() is not None:
            assert isinstance(task.exception(), Unavailable)

        keeper = world.keeper()
        while len(await world.actions()) < expected:
            await keeper.step()
        assert (await verify(world.pools)).rows == expected
        async with world.pools.read.connection() as c:
            assert await c.fetchval("select count(*) from acts") == 0


def _seen_by(life: Life, world: World) -> Pools:
    ports = Ports(world.pools, cast("Any", None), cast("Any", None), world.clock)
    return wrapped(ports, life).pools


async def test_that_two_keepers_make_one_chain(world: World) -> None:
    keepers = [world.keeper() for _ in range(2)]
    for _ in range(10):
        await world.note(*(world.act() for _ in range(5)))
        await asyncio.gather(*(keeper.step() for keeper in keepers))
    await world.keep()
    assert (await verify(world.pools)).rows == 52
    assert not any(keeper.tampered for keeper in keepers)


async def test_that_an_act_noted_twice_is_chained_once(world: World) -> None:
    act = world.act("refused.once")
    await world.note(act)
    await world.keep()
    await world.note(act)
    await world.keep()
    assert (await world.actions()).count("refused.once") == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("update audit set body = replace(body::text, 'key:4', 'key:5')::json where seq = 6",
         "row 6 of the audit: its body is not the one"),
        ("delete from audit where seq = 5", "row 5 of the audit: it is missing"),
        (("update audit set seq = case seq when 3 then 1000 else 3 end where seq in (3, 4);"
         "update audit set seq = 4 where seq = 1000"), "row 3 of the audit"),
        ("update audit set hash = sha256('x') where seq = 7", "row 7 of the audit"),
        ("delete from audit where seq >= 9", "row 9 of the audit: it is missing"),
        ("delete from audit_roots", "the root that it tells of is missing"),
        ("update audit_roots set signature = sha256('x') || sha256('y')", "was not signed"),
        (("update audit_roots set statement = replace(statement::text, '\"first\":1',"
         " '\"first\":2')::json"), "was not signed"),
    ],
)  # fmt: skip
async def test_that_a_change_by_a_superuser_is_found(world: World, change: str, says: str) -> None:
    keeper = world.keeper()
    await world.keep(9, keeper)
    await world.clock.advance(DAY_S)
    await world.keep(3, keeper)
    assert (await verify(world.pools)).roots == 1

    async with world.superuser() as c:
        await c.execute(change)

    assert says in await found(world)


async def rewritten(world: World) -> None:
    """Forge row 4 and chain all anew, as somebody does who may do everything to the database."""
    async with world.superuser() as c:
        bodies = [
            json.loads(row[0]) for row in await c.fetch("select body from audit order by seq")
        ]
        bodies[3]["about"] = "key:forged"
        async with c.transaction():
            await c.execute("delete from audit")
            await rows.append(c, linked(GENESIS, bodies))


async def test_that_a_past_rewritten_whole_is_found_by_its_root(world: World) -> None:
    keeper = world.keeper()
    await world.keep(5, keeper)
    await world.clock.advance(DAY_S)
    await world.keep(1, keeper)
    await rewritten(world)
    assert "signed" in await found(world)


async def test_that_a_day_rewritten_whole_is_found_by_the_kept_head(
    world: World, tmp_path: Path
) -> None:
    files = Files(tmp_path)
    await world.keep(5, world.keeper(files))
    await rewritten(world)
    await verify(world.pools)  # no root was signed yet: inside the database nobody can tell
    assert "kept elsewhere knows another" in await found(world, witnessed=files.kept())


async def test_that_a_row_forged_with_its_hash_is_found_by_the_next(world: World) -> None:
    await world.keep(5)
    async with world.superuser() as c:
        await c.execute(
            """update audit set body = forged::json, hash = sha256(prev_hash || forged::bytea)
               from (select seq, replace(body::text, 'key:1', 'key:7') as forged from audit) f
               where audit.seq = 3 and f.seq = 3"""
        )
    said = await found(world)
    assert said == "row 4 of the audit: it does not hold the hash of the row before it"


async def test_that_an_end_cut_off_before_its_day_ends_is_found_by_the_kept_head(
    world: World, tmp_path: Path
) -> None:
    files = Files(tmp_path)
    await world.keep(9, world.keeper(files))
    assert (await verify(world.pools, witnessed=files.kept())).witnessed == 1
    async with world.superuser() as c:
        await c.execute("delete from audit where seq >= 9")

    await verify(world.pools)  # inside the database nobody can tell
    assert "row 9 of the audit: it is missing" in await found(world, witnessed=files.kept())

    next_life = world.keeper(files)
    await next_life.step()
    assert next_life.tampered
    assert "audit.tampered" in await world.actions()


async def test_that_roots_are_kept_outside_and_added_once(world: World, tmp_path: Path) -> None:
    files = Files(tmp_path)
    for _ in range(3):
        await world.keep(2, world.keeper(files))
        await world.keep(2, world.keeper(files))
        await world.clock.advance(DAY_S)
    roots = files.roots()
    assert len({root.statement for root in roots}) == len(roots) == 2
    assert (await verify(world.pools, witnessed=roots)).witnessed == 2
    async with world.superuser() as c:
        await c.execute("delete from audit_roots")
        await c.execute("delete from audit where seq > 3")
    await verify(world.pools)  # cut so deep that nothing in the database tells of it
    assert "a signed root tells of them" in await found(world, witnessed=roots)


async def test_that_a_root_by_a_key_no_row_made_is_found(world: World) -> None:
    await world.keep(2)
    stranger = Signer(new_seed())
    async with world.pools.read.connection() as c:
        head = await rows.head(c)
    said = Statement(at=1, day=None, first=1, last=head.seq, head=head.hash.hex(), tree="")
    async with world.superuser() as c:
        await rows.add_signer(c, stranger.public, sealed=b"", at_ms=1)
        await rows.add_root(c, stranger.sign(said), last=head.seq)
    assert "which no row made" in await found(world)


async def test_that_a_live_keeper_tells_of_tampering_and_goes_on(world: World) -> None:
    keeper = world.keeper()
    await world.keep(5, keeper)
    async with world.superuser() as c:
        await c.execute("delete from audit where seq >= 4")
    await world.keep(1, keeper)
    assert keeper.tampered
    await keeper.step()
    assert "audit.tampered" in await world.actions()
    assert [act.action for act in world.told].count("audit.tampered") == 1


@pytest.mark.parametrize("table", ["audit", "audit_roots", "audit_keys", "order_events"])
@pytest.mark.parametrize("change", ["update {} set {}", "delete from {}", "truncate {} cascade"])
async def test_that_the_desk_can_change_nothing_of_it(
    world: World, table: str, change: str
) -> None:
    await world.keep(2)
    columns = {"audit": "seq = seq", "audit_roots": "key = key", "audit_keys": "id = id",
               "order_events": "version = 1"}  # fmt: skip
    async with world.pools.write.connection() as c:
        assert await c.fetchval("select current_user") == "quantdesk_desk"
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
            await c.execute(change.format(table, columns[table]))
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await c.execute(f"drop table {table}")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await c.execute(f"alter table {table} disable trigger all")
    owner = await asyncpg.connect(world.url)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
            await owner.execute(change.format(table, columns[table]))
    finally:
        await owner.close()
    await verify(world.pools)


async def test_that_both_protections_are_told(world: World) -> None:
    async with world.pools.read.connection() as c:
        both = await rows.protection(c)
    assert (both.role, both.triggers) == ("quantdesk_desk", True)
    async with world.superuser() as c:
        neither = await rows.protection(c)
    assert (neither.role, neither.triggers) == (None, False)


async def test_that_each_day_is_signed_once_also_after_days_off(world: World) -> None:
    keeper = world.keeper()
    await world.keep(1, keeper)
    for days in (1, 3, 1):
        await world.clock.advance(days * DAY_S)
        await keeper.step()
        await keeper.step()
    async with world.pools.read.connection() as c:
        days_signed = [stated(root).day for root in await rows.roots(c, after=0, limit=10)]
    assert days_signed == ["2023-11-15", "2023-11-18", "2023-11-19"]
    assert (await verify(world.pools)).roots == 3


async def test_that_another_login_works_as_the_role_too(world: World) -> None:
    async with (
        await connect(world.url, write_max=1, read_max=1) as pools,
        pools.read.snapshot() as c,
    ):
        assert await c.fetchval("select current_user") == "quantdesk_desk"
