"""Which blocks a node has of a time: what its silence about a signature is worth.

Methods: https://solana.com/docs/rpc/http/getblockswithlimit,
https://solana.com/docs/rpc/http/getblock
"""

import asyncio
from collections.abc import Awaitable, Iterable
from typing import Any, Final, Protocol, TypeVar

import msgspec

from quantdesk.chains.solana.monitor import WINDOW_BLOCKS, Ledger
from quantdesk.core.errors import DeskError

T = TypeVar("T")

_FINALIZED: Final = {"commitment": "finalized"}
_HEAD: Final = {
    **_FINALIZED,
    "transactionDetails": "none",
    "rewards": False,
    "maxSupportedTransactionVersion": 0,
}


class Ask(Protocol):
    """Asks a node; raises `DeskError`."""

    def __call__(self, method: str, *params: object, answer: Any) -> Awaitable[Any]:  # noqa: ANN401
        """Return the answer in the type asked for."""


class _Head(msgspec.Struct, frozen=True, rename="camel"):
    block_height: int


async def beside(
    search: Awaitable[T], ask: Ask, windows: Iterable[int]
) -> tuple[T, dict[int, Ledger | None]]:
    """Return an answer, and by its first slot what the node that gave it has of each window.

    All are asked in one turn, so that they travel together. Raises what `search` does.
    """
    starts = sorted(windows)
    told: list[Any] = await asyncio.gather(search, *(ledger(ask, start) for start in starts))
    return told[0], dict(zip(starts, told[1:], strict=True))


async def ledger(ask: Ask, start: int) -> Ledger | None:
    """Return the finalized blocks a node has from a slot on; None when it does not tell."""
    try:
        slots = await ask("getBlocksWithLimit", start, WINDOW_BLOCKS, _FINALIZED, answer=list[int])
        if not slots:
            return None
        ends = (ask("getBlock", slot, _HEAD, answer=_Head) for slot in (slots[0], slots[-1]))
        first, last = await asyncio.gather(*ends)
    except DeskError:
        return None
    return Ledger(slots[0], len(slots), first.block_height, last.block_height)
