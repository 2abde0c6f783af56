"""On a node with too many pools the deepest are followed, in few questions, now and later."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest
from tests.flow.chains_solana import crowd
from tests.flow.chains_solana.crowd import CORRUPT, DISABLED, NOT_OPEN, SOL, address
from tests.flow.chains_solana.desk import DISK_S, Desk, opened
from tests.unit.venues import ground

from quantdesk.app import discovery as searching
from quantdesk.app.background import Background
from quantdesk.app.discovery import Discovery
from quantdesk.chains.solana.accounts import LiveAccounts
from quantdesk.chains.solana.reading import read
from quantdesk.chains.solana.rpc import Rpc
from quantdesk.core.errors import DeskError
from quantdesk.ingest.pools import PoolFeed
from quantdesk.localnet.accounts import GenesisAccount
from quantdesk.ops.tasks import Tasks
from quantdesk.venues.following import Followed
from quantdesk.venues.raydium.cpmm.pool import CpmmFollowed

pytestmark = pytest.mark.anyio

SEARCHES = 60  # 6 pairs, 5 kinds, 2 orders of the mints
SIZES = [10 * (at % 7 + 1) + at for at in range(12)]  # thousands of USD, in no order
TOO_MANY = {"code": -32005, "message": "Too many requests for a specific RPC call"}
NO_SUCH_METHOD = {"code": -32601, "message": "Method not found"}
NOWHERE = "9" * 43
NUMBERS = [address(at) for at in range(len(SIZES))]
T = TypeVar("T")


@asynccontextmanager
async def node(folder: Path, accounts: Sequence[GenesisAccount]) -> AsyncIterator[Desk]:
    async with opened(folder, more=accounts) as desk:
        await desk.slots(2)
        yield desk


def made(desk: Desk, *known: Followed) -> Discovery:
    return Discovery(desk.rpc, {"raydium": known}, clock=desk.clock)


def followed(discovery: Discovery) -> set[str]:
    return {pool.address for venue in discovery.venues for pool in venue.followed}


def thousands(sizes: Sequence[int]) -> list[GenesisAccount]:
    return crowd.crowd([1_000 * size for size in sizes])


def deepest(sizes: Sequence[int], count: int = searching.EACH_MAX) -> set[str]:
    ordered = sorted(range(len(sizes)), key=lambda at: -sizes[at])
    return {address(at) for at in ordered[:count]}


async def asked(desk: Desk, discovery: Discovery) -> dict[str, int]:
    """Search once; return how many questions that took, by method."""
    before = dict(desk.net.node.counts)
    await discovery.search()
    after = desk.net.node.counts
    return {
        name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name)
    }


async def put(desk: Desk, accounts: Sequence[GenesisAccount]) -> None:
    """Make accounts on the running chain, as a person does."""
    for account in accounts:
        told = {"data": b64encode(account.data).decode(), "owner": account.owner}
        if account.lamports is not None:
            told["lamports"] = account.lamports  # type: ignore[assignment]
        await desk.rpc.ask("localnet_setAccount", account.address, told, answer=msgspec.Raw)
    await desk.slots(2)


async def test_follows_the_deepest_and_not_the_first(tmp_path: Path) -> None:
    async with node(tmp_path, thousands(SIZES)) as desk:
        discovery = made(desk)
        questions = await asked(desk, discovery)

        assert followed(discovery) == deepest(SIZES)
        # the pools, then their vaults and config
        assert questions == {"getProgramAccounts": SEARCHES, "getMultipleAccounts": 2}


async def test_follows_all_without_a_look_where_there_are_no_more_than_it_keeps(
    tmp_path: Path,
) -> None:
    async with node(tmp_path, thousands(SIZES[: searching.EACH_MAX])) as desk:
        discovery = made(desk)
        questions = await asked(desk, discovery)

        assert followed(discovery) == {address(at) for at in range(searching.EACH_MAX)}
        assert questions == {"getProgramAccounts": SEARCHES}


async def test_looks_at_the_richest_of_very_many_only(tmp_path: Path) -> None:
    sizes = [17 * at % 61 + 1 for at in range(60)]
    async with node(tmp_path, thousands(sizes)) as desk:
        discovery = made(desk)
        questions = await asked(desk, discovery)

        assert followed(discovery) == deepest(sizes)
        # 120 vaults in two questions, 16 pools, their vaults and config
        assert questions == {"getProgramAccounts": SEARCHES, "getMultipleAccounts": 4}
        assert dict(discovery.counts())["raydium", "CPMM", "followed"] == 8
        assert dict(discovery.counts())["raydium", "CPMM", "left_out"] == 52
        assert discovery.told() == "8 pools followed, 52 found and left out"


async def test_looks_at_all_of_too_many_for_one_look_by_and_by(tmp_path: Path) -> None:
    sizes = list(range(1, 61))  # the first addresses have the least
    async with node(tmp_path, thousands(sizes)) as desk:
        discovery = Discovery(desk.rpc, {}, clock=desk.clock, looked_at_max=20)
        questions = [await asked(desk, discovery) for _ in range(2)]
        assert not followed(discovery) & {address(at) for at in range(52, 60)}

        questions.append(await asked(desk, discovery))

        assert followed(discovery) == deepest(sizes)
        assert max(each["getMultipleAccounts"] for each in questions) <= 4


async def test_what_cannot_trade_is_followed_last_and_what_it_was_told_always(
    tmp_path: Path,
) -> None:
    sizes = [100 + at for at in range(7)]
    spoiled = [DISABLED, NOT_OPEN, CORRUPT]
    others = [a for at, spoil in enumerate(spoiled, 20) for a in crowd.pool(at, 10**9, spoil)]
    empty = crowd.pool(30, 0)
    told = crowd.pool(40, 1, DISABLED)
    async with node(tmp_path, [*thousands(sizes), *others, *empty, *told]) as desk:
        known = CpmmFollowed(address(40))
        discovery = made(desk, known)
        await discovery.search()

        assert followed(discovery) == {address(at) for at in (*range(7), 40)}
        assert known in discovery.venues[0].followed
        assert dict(discovery.counts())["raydium", "CPMM", "unreadable"] == 1


async def test_a_seat_left_goes_to_what_may_trade_later_before_what_cannot_be_read(
    tmp_path: Path,
) -> None:
    spoiled = [CORRUPT, DISABLED, NOT_OPEN, CORRUPT]
    others = [a for at, spoil in enumerate(spoiled, 20) for a in crowd.pool(at, 10**9, spoil)]
    async with node(tmp_path, [*thousands(range(1, 7)), *others]) as desk:
        discovery = made(desk)
        await discovery.search()

        assert followed(discovery) == {address(at) for at in (*range(6), 21, 22)}


async def test_a_pool_is_swapped_for_a_clearly_deeper_one_only(tmp_path: Path) -> None:
    sizes = [100 + at for at in range(9)]
    async with node(tmp_path, thousands(sizes)) as desk:
        discovery = made(desk)
        await discovery.search()
        before = {pool.address: pool for pool in discovery.venues[0].followed}
        assert before.keys() == {address(at) for at in range(1, 9)}

        await put(desk, crowd.pool(0, 120_000))
        await discovery.search()
        assert followed(discovery) == before.keys()

        await put(desk, crowd.pool(0, 122_000))
        await discovery.search()
        after = {pool.address: pool for pool in discovery.venues[0].followed}
        assert after.keys() == {address(at) for at in (0, *range(2, 9))}
        assert all(after[at] is before[at] for at in after.keys() & before.keys())


@pytest.mark.parametrize("method", ["getProgramAccounts", "getMultipleAccounts"])
@pytest.mark.parametrize(
    ("error", "again_s"),
    [(TOO_MANY, searching.AGAIN_S), (NO_SUCH_METHOD, searching.EVERY_S)],
    ids=["too many requests", "no such method"],
)
async def test_what_the_node_does_not_answer_stays_as_it_was_until_it_is_asked_again(
    tmp_path: Path, method: str, error: dict[str, object], again_s: float
) -> None:
    async with node(tmp_path, thousands(SIZES)) as desk:
        discovery = made(desk, CpmmFollowed(NOWHERE))
        await discovery.search()
        before = {pool.address: pool for pool in discovery.venues[0].followed}
        await put(desk, crowd.pool(50, 10**9))

        await desk.admin("localnet_setFaults", methods=[method], error=error)
        await discovery.search()
        assert {pool.address: pool for pool in discovery.venues[0].followed} == before
        assert "not answered whole (rpc." in discovery.told()

        await desk.admin("localnet_clearFaults")
        async with running(discovery):
            await desk.clock.advance(again_s - 1)
            assert {pool.address: pool for pool in discovery.venues[0].followed} == before
            await desk.clock.advance(2)
            await until(desk, lambda: address(50) in followed(discovery))
            searches = desk.net.node.counts["getProgramAccounts"]
            await desk.clock.advance(searching.EVERY_S - 1)
            assert desk.net.node.counts["getProgramAccounts"] == searches


async def test_a_node_that_answers_nothing_is_not_asked_for_every_pair(tmp_path: Path) -> None:
    async with node(tmp_path, thousands(SIZES)) as desk:
        discovery = made(desk)
        await desk.admin("localnet_setFaults", methods=["getProgramAccounts"], error=TOO_MANY)
        await discovery.search()

        assert desk.net.node.faults.hits["strike"] == SEARCHES / 6
        assert followed(discovery) == set()


@pytest.mark.parametrize("answered", [5, 25])
async def test_a_search_that_is_cut_short_leaves_what_was_followed(
    tmp_path: Path, answered: int
) -> None:
    async with node(tmp_path, thousands(SIZES)) as desk, Failing(url=desk.net.rpc_url) as rpc:
        discovery = Discovery(rpc, {}, clock=desk.clock)
        await discovery.search()
        before = {pool.address: pool for pool in discovery.venues[0].followed}
        await put(desk, crowd.pool(50, 10**9))

        rpc.answers = answered
        task = asyncio.ensure_future(discovery.search())
        await rpc.stuck.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await desk.admin("localnet_setFaults", methods=["getProgramAccounts"], error=TOO_MANY)
        rpc.answers = None
        await discovery.search()

        assert {pool.address: pool for pool in discovery.venues[0].followed} == before


async def test_a_node_whose_index_is_behind_takes_nothing_that_trades(tmp_path: Path) -> None:
    async with node(tmp_path, thousands(SIZES)) as desk, Failing(url=desk.net.rpc_url) as rpc:
        discovery = Discovery(rpc, {}, clock=desk.clock)
        await discovery.search()
        kept = deepest(SIZES)
        for pool in discovery.venues[0].followed:
            if pool.address != min(kept):
                await fed(desk, pool)
        rpc.forgets = True
        await discovery.search()

        assert followed(discovery) == kept - {min(kept)}


async def test_a_deep_pool_made_later_is_quoted_and_the_others_never_stop(tmp_path: Path) -> None:
    async with node(tmp_path, thousands(SIZES)) as desk, AsyncExitStack() as stack:
        discovery = made(desk)
        await discovery.search()
        begin(stack, desk, discovery)
        first = deepest(SIZES)
        await until(desk, lambda: quoted(desk, discovery) == first)
        leaves = min(first, key=lambda at: SIZES[NUMBERS.index(at)])

        await put(desk, [*crowd.pool(50, 10**9), *crowd.pool(51, 100)])
        stays = first - {leaves}

        def joined() -> bool:
            now = quoted(desk, discovery)
            assert stays <= now
            return address(50) in now

        await desk.slots(2)
        assert not joined()
        await until(desk, joined, seconds=1)

        assert quoted(desk, discovery) == {*stays, address(50)}
        assert desk.clock.monotonic() < searching.EVERY_S + 60


async def test_a_pool_that_is_closed_leaves(tmp_path: Path) -> None:
    async with node(tmp_path, thousands(SIZES[:5])) as desk, AsyncExitStack() as stack:
        discovery = made(desk)
        await discovery.search()
        begin(stack, desk, discovery)
        await until(desk, lambda: len(quoted(desk, discovery)) == 5)

        await desk.rpc.ask("localnet_setAccount", address(3), None, answer=msgspec.Raw)
        await until(desk, lambda: address(3) not in quoted(desk, discovery), seconds=0.1)
        await discovery.search()

        assert followed(discovery) == {address(at) for at in (0, 1, 2, 4)}


class Failing(Rpc):
    """A node that falls silent after so many searches, or whose index is still being made."""

    answers: int | None = None
    forgets = False

    def __init__(self, *, url: str) -> None:
        super().__init__(url=url)
        self.stuck = asyncio.Event()

    async def ask(self, method: str, *params: object, answer: type[T]) -> T:
        """Return what the node says, or that there is nothing; or return never."""
        if method == "getProgramAccounts" and self.answers is not None:
            self.answers -= 1
            if self.answers < 0:
                self.stuck.set()
                await asyncio.get_running_loop().create_future()
        told = await super().ask(method, *params, answer=answer)
        if self.forgets and method == "getProgramAccounts":
            return msgspec.json.decode(b"[]", type=answer)
        return told


def begin(stack: AsyncExitStack, desk: Desk, discovery: Discovery) -> None:
    """Feed the pools and go on searching, as the desk does."""
    tasks = Tasks(clock=desk.clock, restarted=lambda _: None)
    accounts = LiveAccounts(
        url=desk.net.ws_url, rpc=desk.rpc, clock=desk.clock, jitter=lambda: 0.5, silence_s=60
    )
    feed = PoolFeed(accounts=accounts, venues=discovery.venues, clock=desk.clock)
    background = Background(stack, tasks)
    background.begin("pool feed", feed.run)
    background.begin("pool search", discovery.run)


def quoted(desk: Desk, discovery: Discovery) -> set[str]:
    """Return the pools that trade now."""
    try:
        found = discovery.venues[0].pools(ground.mints(SOL), now_ms=desk.clock.now_ms())
    except DeskError:
        return set()
    return {pool.about.address for pool in found}


async def fed(desk: Desk, pool: Followed) -> None:
    """Hand a pool its accounts, as the feed does."""
    for _ in range(2):
        for state in await read(desk.rpc, pool.accounts(), commitment="confirmed"):
            pool.update(state, seen_ms=desk.clock.now_ms())


@asynccontextmanager
async def running(discovery: Discovery) -> AsyncIterator[None]:
    task = asyncio.ensure_future(discovery.run())
    try:
        yield
    finally:
        task.cancel()


async def until(desk: Desk, happened: Callable[[], bool], *, seconds: float = 0) -> None:
    """Let work go on, and so much time pass at each step, until something has happened."""
    async with asyncio.timeout(DISK_S):
        while not happened():
            await desk.clock.advance(seconds)
