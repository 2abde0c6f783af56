"""One life of a desk's process: every effect it has on the world is counted and can be its last.

The ports given to an engine (pools, chain, bus, clock) are wrapped. `Cut` names one effect and what
happens there, before or after it took effect:

    KILL    the process is gone: it never does or learns anything again
    FREEZE  it stands still until `thaw`, while others take over (a long pause, a laptop's lid)
    LOSE    it lives on, but is told that the database or the node did not answer
"""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, TypeVar, cast

from quantdesk.bus.port import Bus, Listener
from quantdesk.chains.port import Chain, Instruction, Receipt, Sighting, Trade, Transaction
from quantdesk.core.assets import Asset
from quantdesk.core.clock import Clock
from quantdesk.core.errors import DeskError, Unavailable
from quantdesk.store.pool import Connection, Pools, ReadPool, WritePool

T = TypeVar("T")


class How(StrEnum):
    """What happens at the effect."""

    KILL = "kill"
    FREEZE = "freeze"
    LOSE = "lose"


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a life is cut: at its `at`-th effect (from 1), before or `after` it took effect."""

    at: int
    after: bool
    how: How


class Killed(BaseException):
    """Unwinds what a dead process was doing; not an `Exception`, so that nothing survives it."""


class Life:
    """Counts effects and ends, freezes or deceives the process at `cut`."""

    def __init__(self, cut: Cut | None = None) -> None:
        self.cut = cut
        self.effects: list[str] = []
        self.dead = False
        self.doing = 0
        """Effects that the world is working on right now."""
        self.struck = False
        self.hanging: set[asyncio.Task[Any]] = set()
        """Tasks of a dead life that wait for what never comes."""
        self.transactions: set[Any] = set()
        """Connections with a transaction begun and not ended."""
        self._running = asyncio.Event()
        self._running.set()
        self._rest = asyncio.Event()
        self._rest.set()

    @property
    def frozen(self) -> bool:
        """Return whether it stands still."""
        return not self._running.is_set()

    def lose_transactions(self) -> None:
        """End what it left open, as the server does with a client that idles in a transaction.

        The server waits half a minute first (`store/pool.py`), and others may wait for its locks.
        """
        for connection in self.transactions:
            connection.terminate()

    def thaw(self) -> None:
        """Let it go on from where it stood still."""
        self._running.set()

    async def rest(self) -> None:
        """Return when the world works on nothing for it."""
        await self._rest.wait()

    async def do(self, name: str, action: Callable[[], Awaitable[T]]) -> T:
        """Have one effect."""
        number = await self.enter(name)
        try:
            result = await self.during(action())
        except DeskError:
            await self.leave(number)
            raise
        await self.leave(number)
        return result

    async def enter(self, name: str) -> int:
        """Begin an effect; return its number."""
        await self.alive()
        self.effects.append(name)
        number = len(self.effects)
        if self._is_cut(number, after=False):
            await self._strike(name)
        return number

    async def leave(self, number: int) -> None:
        """End an effect that happened."""
        if self._is_cut(number, after=True):
            await self._strike(self.effects[number - 1])
        await self.alive()

    async def during(self, action: Awaitable[T]) -> T:
        """Wait for the world to do something that cannot be stopped half-way."""
        self.doing += 1
        self._rest.clear()
        try:
            return await action
        finally:
            self.doing -= 1
            if not self.doing:
                self._rest.set()

    async def alive(self) -> None:
        """Go on if this life may; a dead one never does."""
        await self._running.wait()
        if self.dead:
            task = asyncio.current_task()
            assert task is not None, "effects are had by tasks"
            self.hanging.add(task)
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                self.hanging.discard(task)

    def say(self, name: str, action: Callable[[], None]) -> None:
        """Have an effect that waits for nothing."""
        if self.dead:
            raise Killed
        self.effects.append(name)
        number = len(self.effects)
        for after in (False, True):
            if after:
                action()
            if self._is_cut(number, after=after):
                self._stop(name)
                if self.dead:
                    raise Killed

    def _is_cut(self, number: int, *, after: bool) -> bool:
        cut = self.cut
        return cut is not None and (cut.at, cut.after) == (number, after)

    async def _strike(self, name: str) -> None:
        self._stop(name)
        assert self.cut is not None
        if self.cut.how is How.LOSE and name.startswith(("db:", "chain:")):
            code = "database.unavailable" if name.startswith("db:") else "rpc.unavailable"
            raise Unavailable(f"no answer to {name}", code=code)
        await self.alive()

    def _stop(self, _name: str) -> None:
        assert self.cut is not None
        self.struck = True
        self.dead = self.cut.how is How.KILL
        if self.cut.how is How.FREEZE:
            self._running.clear()


class _Connection:
    def __init__(self, inner: Connection, life: Life) -> None:
        self._inner = inner
        self._life = life

    async def execute(self, query: str, *args: object) -> str:
        return await self._life.do(_named(query), lambda: self._inner.execute(query, *args))

    async def executemany(self, command: str, args: Sequence[Sequence[object]]) -> None:
        await self._life.do(_named(command), lambda: self._inner.executemany(command, args))

    async def fetch(self, query: str, *args: object) -> list[Any]:
        return await self._life.do(_named(query), lambda: self._inner.fetch(query, *args))

    async def fetchrow(self, query: str, *args: object) -> Any | None:  # noqa: ANN401 - a row
        return await self._life.do(_named(query), lambda: self._inner.fetchrow(query, *args))

    async def fetchval(self, query: str, *args: object) -> Any:  # noqa: ANN401 - a column
        return await self._life.do(_named(query), lambda: self._inner.fetchval(query, *args))

    async def copy_to_table(
        self,
        table_name: str,
        *,
        source: AsyncIterable[bytes],
        columns: Sequence[str],
        format: Literal["binary"],  # noqa: A002 - the driver's own name
    ) -> str:
        return await self._life.do(
            f"copy {table_name}",
            lambda: self._inner.copy_to_table(
                table_name, source=source, columns=columns, format=format
            ),
        )


@asynccontextmanager
async def _lent(
    lender: AbstractAsyncContextManager[Connection], life: Life, *, commits: bool
) -> AsyncIterator[Connection]:
    await life.alive()
    connection = await life.during(lender.__aenter__())
    if commits:
        life.transactions.add(connection)
    try:
        yield _Connection(connection, life)
        number = await life.enter("db:commit") if commits else 0
    except BaseException as problem:
        life.transactions.discard(connection)
        # What the server does for a client that is gone: roll back, and free the connection.
        if not await life.during(lender.__aexit__(type(problem), problem, problem.__traceback__)):
            raise
        return
    life.transactions.discard(connection)
    await life.during(lender.__aexit__(None, None, None))
    if commits:
        await life.leave(number)


class _Pool:
    def __init__(self, inner: WritePool | ReadPool, life: Life) -> None:
        self._inner = inner
        self._life = life

    def connection(self) -> AbstractAsyncContextManager[Connection]:
        return _lent(self._inner.connection(), self._life, commits=False)

    def transaction(self) -> AbstractAsyncContextManager[Connection]:
        assert isinstance(self._inner, WritePool)
        return _lent(self._inner.transaction(), self._life, commits=True)


class _Chain:
    def __init__(self, inner: Chain, life: Life) -> None:
        self._inner = inner
        self._life = life

    @property
    def poll_s(self) -> float:
        return self._inner.poll_s

    async def prepare(self, trade: Trade, instructions: Sequence[Instruction]) -> Transaction:
        return await self._life.do(
            "chain:prepare", lambda: self._inner.prepare(trade, instructions)
        )

    async def send(self, transaction: Transaction) -> None:
        await self._life.do("chain:send", lambda: self._inner.send(transaction))

    async def look(self, transactions: Sequence[Transaction]) -> list[Sighting]:
        return await self._life.do("chain:look", lambda: self._inner.look(transactions))

    async def receipt(self, trade: Trade, transaction: Transaction) -> Receipt:
        return await self._life.do("chain:receipt", lambda: self._inner.receipt(trade, transaction))

    async def balances(self, assets: Sequence[Asset]) -> dict[str, int]:
        return await self._life.do("chain:balances", lambda: self._inner.balances(assets))


class _Bus:
    def __init__(self, inner: Bus, life: Life) -> None:
        self._inner = inner
        self._life = life

    def publish(self, topic: str, events: Sequence[Any]) -> None:
        self._life.say("bus:publish", lambda: self._inner.publish(topic, events))

    def listen(self, topic: str, listener: Listener) -> Callable[[], None]:
        return self._inner.listen(topic, listener)


class _Clock:
    def __init__(self, inner: Clock, life: Life) -> None:
        self._inner = inner
        self._life = life

    def now_ms(self) -> int:
        return self._inner.now_ms()

    def now_ns(self) -> int:
        return self._inner.now_ns()

    def monotonic(self) -> float:
        return self._inner.monotonic()

    async def sleep(self, seconds: float) -> None:
        number = await self._life.enter("clock:sleep")
        await self._inner.sleep(seconds)
        await self._life.leave(number)


@dataclass(frozen=True, slots=True)
class Ports:
    """What an engine is given, so that all it does to the world is its life's."""

    pools: Pools
    chain: Chain
    bus: Bus
    clock: Clock


def wrapped(ports: Ports, life: Life) -> Ports:
    """Return the same ports as seen by one life."""
    pools = Pools(
        cast("WritePool", _Pool(ports.pools.write, life)),
        cast("ReadPool", _Pool(ports.pools.read, life)),
    )
    chain, bus = _Chain(ports.chain, life), _Bus(ports.bus, life)
    return Ports(pools, chain, bus, _Clock(ports.clock, life))


def _named(query: str) -> str:
    return "db:" + query.split(maxsplit=1)[0].lower()
