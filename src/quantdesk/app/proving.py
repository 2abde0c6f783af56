"""What the messages behind an order's prices prove, looked up when its evidence is asked for."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from quantdesk.api.orders import Prove
from quantdesk.core.errors import Corrupt
from quantdesk.ingest.board import Board
from quantdesk.sources import tape
from quantdesk.sources.recorded import PREFIX
from quantdesk.sources.words import hermes

FORGOTTEN: Final = "forgotten"
_SIGNED: Final = "pyth"


def prover(board: Board, tapes: Path) -> Prove:
    """Return what says of each message of Pyth whether its binary proves the price.

    `proven`, `absent` (it holds no binary), `invalid`, or `forgotten`: neither the board nor a tape
    has it any more. Other sources sign nothing.
    """

    async def prove(symbol: str, raw_ids: Sequence[str]) -> Mapping[str, str]:
        return {
            raw_id: await said(symbol, raw_id)
            for raw_id in raw_ids
            if raw_id.rpartition(":")[0].removeprefix(PREFIX) == _SIGNED
        }

    async def said(symbol: str, raw_id: str) -> str:
        data = board.raw(raw_id)
        if data is None:
            frame = await asyncio.to_thread(tape.find, tapes, raw_id)
            if frame is None:
                return FORGOTTEN
            data = frame.data
        try:
            return hermes.check(data, [symbol])[symbol]
        except Corrupt:
            return hermes.Proof.INVALID

    return prove
