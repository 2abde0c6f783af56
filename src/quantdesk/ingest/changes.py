"""Changes: which assets have a new word on the board, for those who follow it."""

import asyncio
from collections.abc import Collection
from typing import Self


class Changes:
    """The assets that changed since the last look: bounded by their number, the latest wins."""

    def __init__(self, listeners: "set[Changes]") -> None:
        self._listeners = listeners
        self._changed: set[str] = set()
        self._some = asyncio.Event()

    def add(self, symbols: Collection[str]) -> None:
        """Note that these changed."""
        self._changed.update(symbols)
        self._some.set()

    def taken(self) -> frozenset[str]:
        """Return what changed since the last look, at once."""
        changed, self._changed = frozenset(self._changed), set()
        self._some.clear()
        return changed

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._listeners.discard(self)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> frozenset[str]:
        await self._some.wait()
        return self.taken()
