"""What the messages behind an order's prices prove, looked up when its evidence is asked for."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import structlog

from quantdesk.api.orders import Prove
from quantdesk.ingest.board import Board
from quantdesk.sources import tape
from quantdesk.sources.recorded import PREFIX
from quantdesk.sources.words import hermes, signers
from quantdesk.sources.words.signatures import Attestations
from quantdesk.sources.words.signers import Known

log = structlog.get_logger()

FORGOTTEN: Final = {
    "proof": "forgotten",
    "says": "neither the board nor a tape has the message any more",
}
_SIGNED: Final = "pyth"
_BUILT_IN: Final = signers.known()


def prover(board: Board, tapes: Path, known: Known = _BUILT_IN) -> Prove:
    """Return what says of each message of Pyth whether its binary proves the price, and by whom.

    A word of `hermes.Proof` or `forgotten`, and a sentence. Signatures are verified in a thread,
    one message at a time: recovering a signer takes 5 ms of pure Python. Other sources sign
    nothing.
    """
    attestations, turn = Attestations(known), asyncio.Lock()

    async def prove(symbol: str, raw_ids: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
        return {
            raw_id: await said(symbol, raw_id)
            for raw_id in raw_ids
            if raw_id.rpartition(":")[0].removeprefix(PREFIX) == _SIGNED
        }

    async def said(symbol: str, raw_id: str) -> Mapping[str, str]:
        data = board.raw(raw_id)
        if data is None:
            frame = await asyncio.to_thread(tape.find, tapes, raw_id)
            if frame is None:
                return FORGOTTEN
            data = frame.data
        async with turn:
            told = await asyncio.to_thread(hermes.prove, data, symbol, attestations.of)
        if told.proof is not hermes.Proof.PROVEN:
            log.warning("price.unproven", symbol=symbol, raw_id=raw_id, why=told.says)
        return {"proof": told.proof, "says": told.says}

    return prove
