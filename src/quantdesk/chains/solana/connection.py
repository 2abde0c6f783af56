"""One connection to a node, and the accounts that are followed on it, which may change.

    subscribe → the node says that it tells of them → read each once → its changes

In this order no change falls between reading and telling. Whoever is followed already is told of
all the while others join.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence

from quantdesk.chains.port import AccountState
from quantdesk.chains.solana.pubsub import Subscriptions
from quantdesk.chains.solana.rereads import Rereads

Wanted = Callable[[], Collection[str]]
Read = Callable[[Sequence[str]], Awaitable[list[AccountState]]]


class Connection:
    """Follows what is wanted, as long as the socket behind `subscriptions` lives."""

    def __init__(
        self, *, subscriptions: Subscriptions, wanted: Wanted, read: Read, rereads: Rereads
    ) -> None:
        self._subscriptions = subscriptions
        self._wanted = wanted
        self._read = read
        self._rereads = rereads
        self._followed: Collection[str] = ()
        self._unread: set[str] = set()
        self._reading: asyncio.Future[list[AccountState]] | None = None

    async def open(self) -> list[AccountState]:
        """Return the state of everything, and what changed meanwhile.

        Raises `Unavailable` when the node refuses or closes, `TimeoutError` when it is silent.
        """
        self._followed = self._wanted()
        self._rereads.follow(self._followed)
        early = await self._subscriptions.open(self._followed)
        return self._noted([*await self._read(sorted(self._followed)), *early])

    async def next(self) -> list[AccountState | None]:
        """Return what came next: changes, accounts that joined, None for a sign of life.

        Raises as `open`.
        """
        await self._follow()
        change = await self._subscriptions.next(unless=self._reading)
        told = self._noted([*([change] if change else []), *self._joined()])
        return [*told, *self._rereads.found()] or [None]

    async def close(self) -> None:
        """End what is still asked."""
        self._rereads.close()
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        await self._subscriptions.close()

    async def _follow(self) -> None:
        wanted = self._wanted()
        if wanted is not self._followed and wanted != self._followed:
            before, self._followed = self._followed, wanted
            await self._subscriptions.follow(wanted)
            # Also who left and is back before the node answered, and was never subscribed anew.
            self._unread.update(one for one in wanted if one not in before)
            self._unread.intersection_update(wanted)
            self._rereads.follow(wanted)
        if self._unread and self._reading is None and self._subscriptions.settled:
            self._reading = asyncio.ensure_future(self._read(sorted(self._unread)))
            self._unread.clear()

    def _joined(self) -> list[AccountState]:
        if self._reading is None or not self._reading.done():
            return []
        reading, self._reading = self._reading, None
        return reading.result()

    def _noted(self, states: list[AccountState]) -> list[AccountState]:
        for state in states:
            self._rereads.told(state)
        return states
