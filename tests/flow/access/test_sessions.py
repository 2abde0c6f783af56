"""Sessions: always new, over at once wherever they are ended, renewed by what works once."""

import asyncio
from uuid import UUID

import pytest
from tests.flow.access.world import DAY_MS, HERE, World, world

from quantdesk.access.keys import Given
from quantdesk.access.known.known import ASK_S, STALE_S
from quantdesk.access.model import Account, Permission, Role, SignedIn
from quantdesk.access.policy import ROLES
from quantdesk.access.sessions.sessions import PER_ACCOUNT_MAX, Ending
from quantdesk.core.errors import Refused, Unavailable
from quantdesk.store.pool import Pools
from quantdesk.testing.clock import ManualClock

pytestmark = pytest.mark.anyio


class OneFactor:
    """Every account has a second factor."""

    async def methods(self, _: UUID) -> tuple[str, ...]:
        """Return it."""
        return ("totp",)


async def change(desk: World, statement: str, account: Account) -> None:
    """Change an account as somebody else's process does."""
    async with desk.pools.write.transaction() as c:
        await c.execute(f"update accounts set {statement} where id = $1", account.id)


async def test_each_sign_in_is_a_session_of_its_own(desk: World) -> None:
    account = await desk.account()

    first, second = await desk.sign_in(account), await desk.sign_in(account)

    assert first.session_id != second.session_id
    assert len({first.token, second.token, first.refresh, second.refresh, first.csrf}) == 5
    assert {s.id for s in await desk.sessions.of_account(account.id)} == {
        first.session_id,
        second.session_id,
    }
    assert await desk.acts() == ["session.opened"] * 2


async def test_a_caller_may_what_their_role_may(desk: World) -> None:
    for role in Role:
        if role is Role.OWNER:
            continue
        opened = await desk.sign_in(await desk.account(role))
        caller = desk.caller(opened.token)
        assert caller is not None
        assert (caller.role, caller.may, caller.local) == (role, ROLES[role], False)
        assert caller.proven_ms == desk.clock.now_ms()


async def test_an_ended_session_is_over_in_this_process_at_once(desk: World) -> None:
    opened = await desk.sign_in(await desk.account())
    caller = desk.caller(opened.token)
    assert caller is not None

    await desk.sessions.end(caller, opened.session_id, origin=HERE)

    assert desk.caller(opened.token) is None
    assert not desk.callers.still(caller)
    with pytest.raises(Refused, match="over"):
        await desk.sessions.renew(opened.refresh, origin=HERE)


@pytest.mark.parametrize("how", ["ended", "disabled", "demoted"])
async def test_another_process_hears_of_it_within_a_second(
    desk: World, clock: ManualClock, how: str
) -> None:
    other = await world(desk.pools, clock)
    account = await desk.account(Role.TRADER)
    opened = await desk.sign_in(account)
    await other.known.catch_up()
    before = other.caller(opened.token)
    assert before is not None
    heard: list[bool] = []
    other.known.on_change(lambda: heard.append(other.callers.still(before)))
    running = asyncio.get_running_loop().create_task(other.known.run())
    await clock.asleep(1)

    if how == "ended":
        await desk.sessions.end_all(Ending(account.id, "test"), by=None, origin=HERE)
    else:
        told = "disabled_at = now()" if how == "disabled" else "role = 'viewer'"
        await change(desk, told, account)
    assert ASK_S <= 0.5
    await clock.advance(ASK_S)
    await clock.asleep(1)
    running.cancel()

    assert heard == [False]
    after = other.caller(opened.token)
    if how == "demoted":
        assert after is not None
        assert Permission.ORDERS_WRITE not in after.may
    else:
        assert after is None


async def test_a_session_of_another_process_counts_before_we_hear_of_it(
    desk: World, clock: ManualClock
) -> None:
    other = await world(desk.pools, clock)
    opened = await desk.sign_in(await desk.account())
    given = Given("192.0.2.7", f"Bearer {opened.token}")

    assert other.callers.caller(given) is None
    found = await other.callers.late_caller(given)

    assert found is not None
    assert found.session_id == opened.session_id


async def test_whoever_was_not_signed_by_us_makes_nobody_ask_the_database(desk: World) -> None:
    await desk.pools.aclose()

    assert await desk.callers.late_caller(Given("", "Bearer a.b.c")) is None
    assert await desk.callers.late_caller(Given("", "Bearer qd_unknown")) is None


async def test_changes_that_were_forgotten_are_read_whole(desk: World, clock: ManualClock) -> None:
    other = await world(desk.pools, clock)
    opened = await desk.sign_in(await desk.account())
    async with desk.pools.write.transaction() as c:
        await c.execute(
            "delete from access_changes where number < (select max(number) from access_changes)"
        )
    await desk.account()

    await other.known.catch_up()

    assert other.caller(opened.token) is not None


async def test_changes_are_heard_in_the_order_of_their_commits(desk: World) -> None:
    """A number that is taken first and committed last must not be passed over."""
    accounts = [await desk.account() for _ in range(8)]

    opened = await asyncio.gather(*(desk.sign_in(account) for account in accounts * 3))
    async with desk.pools.read.connection() as c:
        rows = await c.fetch("select number from access_changes order by number")

    numbers = [row["number"] for row in rows]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert all(desk.caller(each.token) is not None for each in opened)


async def test_what_is_known_stays_in_force_for_a_while_without_the_database(
    desk: World, clock: ManualClock
) -> None:
    opened = await desk.sign_in(await desk.account())
    await desk.pools.aclose()
    await clock.advance(STALE_S)
    assert desk.caller(opened.token) is not None

    await clock.advance(1)

    with pytest.raises(Unavailable) as problem:
        desk.caller(opened.token)
    assert problem.value.code == "access.stale"


async def test_a_refresh_token_works_once_and_gives_the_next(
    desk: World, clock: ManualClock
) -> None:
    opened = await desk.sign_in(await desk.account())
    await clock.advance(29 * 86_400)

    renewed = await desk.sessions.renew(opened.refresh, origin=HERE)
    await clock.advance(6 * 86_400)
    await desk.known.catch_up()

    assert renewed.session_id == opened.session_id
    assert len({opened.refresh, renewed.refresh}) == len({opened.token, renewed.token}) == 2
    assert desk.caller(renewed.token) is not None


async def test_a_session_nobody_renews_is_over(desk: World, clock: ManualClock) -> None:
    opened = await desk.sign_in(await desk.account())
    await clock.advance(30 * DAY_MS / 1000)

    with pytest.raises(Refused, match="over"):
        await desk.sessions.renew(opened.refresh, origin=HERE)


async def test_a_refresh_token_that_comes_back_ends_the_session(desk: World) -> None:
    account = await desk.account()
    opened, bystander = await desk.sign_in(account), await desk.sign_in(account)
    renewed = await desk.sessions.renew(opened.refresh, origin=HERE)

    with pytest.raises(Refused) as problem:
        await desk.sessions.renew(opened.refresh, origin=HERE)

    assert problem.value.code == "refresh.invalid"
    assert desk.caller(renewed.token) is None
    assert desk.caller(bystander.token) is not None
    with pytest.raises(Refused):
        await desk.sessions.renew(renewed.refresh, origin=HERE)
    assert (await desk.acts())[2:4] == ["token.replayed", "session.closed"]


async def test_of_many_who_renew_at_once_one_does_and_the_session_ends(desk: World) -> None:
    opened = await desk.sign_in(await desk.account())

    outcomes = await asyncio.gather(
        *(desk.sessions.renew(opened.refresh, origin=HERE) for _ in range(5)),
        return_exceptions=True,
    )

    won = [outcome for outcome in outcomes if isinstance(outcome, SignedIn)]
    assert len(won) == 1
    assert desk.caller(won[0].token) is None


@pytest.mark.parametrize("text", ["", "qdr_unknown", "\x00", "x" * 10_000])
async def test_an_unknown_refresh_token_is_refused(desk: World, text: str) -> None:
    with pytest.raises(Refused, match="over"):
        await desk.sessions.renew(text, origin=HERE)


async def test_a_disabled_account_opens_and_renews_nothing(desk: World) -> None:
    account = await desk.account()
    opened = await desk.sign_in(account)
    await change(desk, "disabled_at = now()", account)

    with pytest.raises(Refused) as problem:
        await desk.sign_in(account)
    with pytest.raises(Refused, match="over"):
        await desk.sessions.renew(opened.refresh, origin=HERE)

    assert problem.value.code == "account.disabled"


async def test_the_session_used_least_lately_makes_room(desk: World, clock: ManualClock) -> None:
    account = await desk.account()
    first = last = await desk.sign_in(account)
    for _ in range(PER_ACCOUNT_MAX):
        await clock.advance(1)
        last = await desk.sign_in(account)

    assert desk.caller(first.token) is None
    assert desk.caller(last.token) is not None
    assert len(await desk.sessions.of_account(account.id)) == PER_ACCOUNT_MAX


async def test_proof_of_presence_is_felt_at_once(desk: World, clock: ManualClock) -> None:
    opened = await desk.sign_in(await desk.account())
    await clock.advance(600)

    await desk.sessions.prove(opened.session_id)

    caller = desk.caller(opened.token)
    assert caller is not None
    assert caller.proven_ms == clock.now_ms()


async def test_a_second_factor_stands_before_the_session(pools: Pools, clock: ManualClock) -> None:
    desk = await world(pools, clock, factors=OneFactor())
    account = await desk.account()

    waits = await desk.waits(account)

    assert waits.methods == ("totp",)
    assert desk.caller(waits.ticket) is None
    assert await desk.entrance.holder(waits.ticket) == account.id
    assert not await desk.sessions.of_account(account.id)
    opened = await desk.entrance.finish(waits.ticket, method="totp", origin=HERE)
    assert desk.caller(opened.token) is not None
    assert [s.method for s in await desk.sessions.of_account(account.id)] == ["test+totp"]
    with pytest.raises(Refused) as problem:
        await desk.entrance.finish(waits.ticket, method="totp", origin=HERE)
    assert problem.value.code == "ticket.invalid"


async def test_a_ticket_runs_out_and_is_good_for_one_thing(
    pools: Pools, clock: ManualClock
) -> None:
    desk = await world(pools, clock, factors=OneFactor())
    waits = await desk.waits(await desk.account())

    assert await desk.tickets.take_socket(waits.ticket) is None
    await clock.advance(300)

    with pytest.raises(Refused, match="sign in again"):
        await desk.entrance.holder(waits.ticket)
    with pytest.raises(Refused, match="sign in again"):
        await desk.entrance.finish(waits.ticket, method="totp", origin=HERE)


async def test_a_socket_ticket_is_bound_to_its_session_and_works_once(
    desk: World, clock: ManualClock
) -> None:
    opened = await desk.sign_in(await desk.account())
    caller = desk.caller(opened.token)
    assert caller is not None
    first, late, ended = [(await desk.tickets.give_socket(caller))[0] for _ in range(3)]

    assert await desk.callers.late_caller(Given(ticket=first)) == caller
    assert await desk.callers.late_caller(Given(ticket=first)) is None
    await desk.sessions.end(caller, opened.session_id, origin=HERE)
    assert await desk.callers.late_caller(Given(ticket=ended)) is None
    await clock.advance(30)
    assert await desk.tickets.take_socket(late) is None


async def test_what_ended_long_ago_is_forgotten(desk: World, clock: ManualClock) -> None:
    await desk.sign_in(await desk.account())
    running = asyncio.get_running_loop().create_task(desk.sessions.run())
    await clock.asleep(1)
    await clock.advance(0)
    async with desk.pools.read.connection() as c:
        assert await c.fetchval("select count(*) from sessions") == 1
    running.cancel()
    await clock.advance(130 * 86_400)

    running = asyncio.get_running_loop().create_task(desk.sessions.run())
    await clock.asleep(1)
    running.cancel()

    async with desk.pools.read.connection() as c:
        assert await c.fetchval("select count(*) from sessions") == 0
        assert await c.fetchval("select count(*) from refresh_tokens") == 0
