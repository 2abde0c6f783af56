"""`LiveAccounts`: account states as they change, over a node's WebSocket.

Every connection subscribes first and reads all accounts after, so that no change falls between the
two; a state older than one already given is dropped. Which accounts are wanted may change at any
time: what is new is subscribed to on the same connection, and the others are told of all the while.
When the socket ends or falls silent, or no longer tells of some account, or the node says that it
is behind its cluster, the whole begins anew after a pause.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from contextlib import aclosing
from typing import Final

import aiohttp
import structlog
from yarl import URL

from quantdesk.chains.port import AccountState
from quantdesk.chains.solana.connection import Connection, Wanted
from quantdesk.chains.solana.health import check_abreast
from quantdesk.chains.solana.pubsub import Subscriptions
from quantdesk.chains.solana.reading import read
from quantdesk.chains.solana.rereads import Rereads
from quantdesk.chains.solana.rpc import Rpc
from quantdesk.core.backoff import Backoff
from quantdesk.core.clock import Clock
from quantdesk.core.errors import DeskError

_MESSAGE_BYTES_MAX: Final = 16 << 20  # an account holds at most 10 MiB
_PAUSE_S: Final = 0.25
_PAUSE_S_MAX: Final = 10.0
_REREAD_S: Final = 30.0

_log = structlog.get_logger(__name__)


class LiveAccounts:
    """Account states from one node.

    `silence_s` is how long a socket may say nothing before it is dropped; pauses between
    connections double from 0.25 s to 10 s and are spread by `jitter`, which returns 0 to 1.
    """

    def __init__(
        self,
        *,
        url: str,
        rpc: Rpc,
        clock: Clock,
        jitter: Callable[[], float],
        commitment: str = "confirmed",
        silence_s: float = 5.0,
    ) -> None:
        self._url = url
        self._rpc = rpc
        self._clock = clock
        self._jitter = jitter
        self._commitment = commitment
        self._silence_s = silence_s
        self.connections = 0
        """Streams that are live now."""
        self.drops = 0
        """Connections that ended, or could not be made, since the start."""
        self.heard_ms = 0
        """When the node last said anything, and all states were as given (Unix milliseconds)."""

    async def stream(self, wanted: Wanted) -> AsyncGenerator[AccountState | None, None]:
        """Yield each wanted account's state, then every change; reconnects and re-reads by itself.

        `wanted` is asked again after all that is yielded, which is None for every slot. An account
        is never yielded at an older slot after a newer one, unless it was not wanted in between.
        """
        newest: dict[str, int] = {}
        backoff = Backoff(self._jitter, first_s=_PAUSE_S, longest_s=_PAUSE_S_MAX)
        async with aiohttp.ClientSession() as session:
            while True:
                try:
                    async with aclosing(self._connection(session, wanted, backoff)) as states:
                        async for state in states:
                            if state is None:
                                newest = _still(wanted(), newest)
                                yield None
                            elif state.slot >= newest.get(state.address, 0):
                                newest[state.address] = state.slot
                                yield state
                except (DeskError, aiohttp.ClientError, TimeoutError, OSError) as problem:
                    # An address may hold a key of its owner's, and an error the whole address.
                    words = problem.detail if isinstance(problem, DeskError) else str(problem)
                    why = words.replace(self._url, "the node") or type(problem).__name__
                    _log.warning("accounts.dropped", host=URL(self._url).host, why=why)
                self.drops += 1
                await self._clock.sleep(backoff.failed())

    async def _connection(
        self, session: aiohttp.ClientSession, wanted: Wanted, backoff: Backoff
    ) -> AsyncGenerator[AccountState | None, None]:
        await check_abreast(self._rpc)
        async with asyncio.timeout(self._silence_s):
            socket = await session.ws_connect(self._url, max_msg_size=_MESSAGE_BYTES_MAX)
        async with socket:
            connection = Connection(
                subscriptions=Subscriptions(
                    socket=socket, commitment=self._commitment, silence_s=self._silence_s
                ),
                wanted=wanted,
                read=self._read,
                rereads=Rereads(self._reread, clock=self._clock, every_s=_REREAD_S),
            )
            for state in await connection.open():
                yield state
            self.heard_ms = self._clock.now_ms()
            self.connections += 1
            try:
                while True:
                    told = await connection.next()
                    self.heard_ms = self._clock.now_ms()
                    backoff.healthy()
                    for change in told:
                        yield change
            finally:
                self.connections -= 1
                await connection.close()

    async def _reread(self, addresses: Sequence[str]) -> list[AccountState]:
        await check_abreast(self._rpc)
        return await self._read(addresses)

    async def _read(self, addresses: Sequence[str]) -> list[AccountState]:
        return await read(self._rpc, addresses, commitment=self._commitment)


def _still(wanted: Collection[str], newest: dict[str, int]) -> dict[str, int]:
    """Return what is known of those that are wanted still."""
    if len(newest) <= len(wanted):
        return newest
    return {address: slot for address, slot in newest.items() if address in wanted}
