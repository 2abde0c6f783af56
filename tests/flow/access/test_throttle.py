"""Promise: guessing is slow from anywhere, and never locks the owner out elsewhere."""

import asyncio

import pytest

from quantdesk.access.limits import store
from quantdesk.access.limits.refusing import TooMany
from quantdesk.access.limits.throttle import Throttle
from quantdesk.access.limits.tries import Tries
from quantdesk.api import problems
from quantdesk.store.pool import Pools
from quantdesk.testing.clock import ManualClock

pytestmark = pytest.mark.anyio

OWNER = "owner@desk.example"
ELSEWHERE = "198.51.100.7"
HERE = "203.0.113.7"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def throttle(pools: Pools, clock: ManualClock) -> Throttle:
    return Throttle(pools=pools, clock=clock)


async def guess(throttle: Throttle, who: str, ip: str) -> TooMany | None:
    """Try a wrong secret; return why it was not even looked at."""
    try:
        await throttle.check(who, ip)
    except TooMany as refused:
        return refused
    await throttle.failed(who, ip)
    return None


async def test_that_ten_failures_lock_the_name_from_there_and_nowhere_else(
    throttle: Throttle, clock: ManualClock
) -> None:
    assert [await guess(throttle, OWNER, ELSEWHERE) for _ in range(10)] == [None] * 10
    refused = await guess(throttle, OWNER, "198.51.100.250")
    assert refused is not None, "the same network"
    assert (refused.code, problems.status_of(refused)) == ("sign_in.throttled", 429)
    assert dict(problems.headers(refused)) == {b"retry-after": b"900"}

    await throttle.check(OWNER, HERE)
    await throttle.succeeded(OWNER, HERE)
    assert await guess(throttle, "another@desk.example", ELSEWHERE) is None
    assert await guess(throttle, OWNER, ELSEWHERE) is not None, "success elsewhere lifts nothing"

    await clock.advance(900)
    assert await guess(throttle, OWNER, ELSEWHERE) is None


async def test_that_no_attack_from_elsewhere_locks_the_owner_out(
    throttle: Throttle, clock: ManualClock
) -> None:
    for number in range(150):
        await guess(throttle, OWNER, f"198.51.{number % 8}.{number}")
        await guess(throttle, f"name{number}", "198.51.100.9")
        await clock.advance(1)
    await throttle.check(OWNER, HERE)


async def test_that_many_names_from_one_network_are_bounded_too(
    throttle: Throttle, clock: ManualClock
) -> None:
    found = [await guess(throttle, f"name{n}", ELSEWHERE) for n in range(101)]
    assert found[:100] == [None] * 100
    assert found[100] is not None
    assert found[100].code == "sign_in.throttled"
    assert await guess(throttle, "name", HERE) is None
    await clock.advance(found[100].retry_after_s)
    assert await guess(throttle, "name", ELSEWHERE) is None


async def test_that_an_attackers_own_account_forgives_no_guess(throttle: Throttle) -> None:
    refused = None
    for number in range(110):
        refused = refused or await guess(throttle, f"name{number}", ELSEWHERE)
        if number % 9 == 5 and number < 99:
            await throttle.check("mallory", ELSEWHERE)
            await throttle.succeeded("mallory", ELSEWHERE)
    assert refused is not None


async def test_that_success_forgives_the_name_but_signing_in_often_is_no_guessing(
    throttle: Throttle,
) -> None:
    for _ in range(3):
        for _ in range(9):
            assert await guess(throttle, OWNER, HERE) is None
        await throttle.check(OWNER, HERE)
        await throttle.succeeded(OWNER, HERE)
    for _ in range(150):
        await throttle.check(OWNER, HERE)
        await throttle.succeeded(OWNER, HERE)


async def test_that_guesses_at_the_same_time_in_two_processes_are_counted_together(
    pools: Pools, clock: ManualClock
) -> None:
    both = [Throttle(pools=pools, clock=clock) for _ in range(2)]
    found = await asyncio.gather(*(guess(both[n % 2], OWNER, HERE) for n in range(40)))
    assert sum(refused is None for refused in found) == 10
    again = Throttle(pools=pools, clock=clock)
    assert await guess(again, OWNER, HERE) is not None, "a restart forgives nothing"


async def test_that_an_account_that_is_not_there_is_answered_the_same(
    throttle: Throttle, clock: ManualClock
) -> None:
    told = []
    for who, ip in ((OWNER, HERE), ("nobody@desk.example", ELSEWHERE)):
        found = [await guess(throttle, who, ip) for _ in range(11)]
        told.append([f and (f.code, f.detail, f.retry_after_s) for f in found])
    assert told[0] == told[1]


async def test_that_the_last_failure_says_that_it_locked(throttle: Throttle) -> None:
    told = []
    for _ in range(10):
        await throttle.check(OWNER, HERE)
        told.append(await throttle.failed(OWNER, HERE))
    assert told == [False] * 9 + [True]


async def test_that_what_is_kept_is_bounded_and_forgotten(pools: Pools, clock: ManualClock) -> None:
    throttle = Throttle(pools=pools, clock=clock, rows_max=20)

    async def rows() -> int:
        async with pools.read.connection() as c:
            count: int = await c.fetchval("select count(*) from sign_in_tries")
            return count

    for number in range(30):
        await guess(throttle, f"name{number}", f"10.{number}.0.1")
        await clock.advance(0.001)
    assert await rows() == 60
    await throttle.sweep()
    assert await rows() == 20
    await clock.advance(25 * 3600)
    await throttle.sweep()
    assert await rows() == 0
    async with pools.write.transaction() as c:
        assert await store.tries(c, b"x", "here", at_ms=clock.now_ms()) == Tries()
