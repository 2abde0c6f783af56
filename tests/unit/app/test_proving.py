"""The messages behind an order's prices are checked when its evidence is asked for."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from quantdesk.app.proving import prover
from quantdesk.core.ticks import Frame
from quantdesk.ingest.board import Board
from quantdesk.ingest.gate import Gate
from quantdesk.ingest.recorder import Keep, Recorder
from quantdesk.sources.words import hermes
from quantdesk.testing.hermes import Hermes

_NS = 1_795_000_000_000_000_000


def proofs(board: Board, tapes: Path, *raw_ids: str) -> Mapping[str, str]:
    """Return what is said of the messages behind a price of SOL."""

    async def ask() -> Mapping[str, str]:
        return await prover(board, tapes)("SOL", raw_ids)

    return asyncio.run(ask())


def message(*, lie: int = 0) -> bytes:
    """Return what Hermes says of SOL, its parsed price off by `lie`."""
    server = Hermes()
    sol, second = hermes.FEEDS["SOL"], _NS // 10**9
    server.publish(sol, price=15_000_000_000, conf=4_500_000, publish_time=second)
    server.lie = lie
    return server.message([sol])


def heard(data: bytes) -> tuple[Board, str]:
    """Return a board that heard a message, and the message's id."""
    board = Board()
    frame = Frame("pyth", "stream", _NS, data)
    for event in hermes.read(data, "stream"):
        Gate(board).take(event, frame)
    board.provenance("SOL", now_ms=frame.received_ms)
    return board, frame.id


@pytest.mark.parametrize(("lie", "proof"), [(0, "proven"), (1, "invalid")])
def test_that_a_message_on_the_board_is_checked(tmp_path: Path, lie: int, proof: str) -> None:
    board, raw_id = heard(message(lie=lie))

    assert proofs(board, tmp_path, raw_id) == {raw_id: proof}


def test_that_a_message_the_board_forgot_is_looked_for_on_tape(tmp_path: Path) -> None:
    frame = Frame("pyth", "stream", _NS, message())
    recorder = Recorder(tmp_path, keep=Keep()).start()
    recorder.tap(frame)
    recorder.close()

    found = proofs(Board(), tmp_path, frame.id, "pyth:1")

    assert found == {frame.id: "proven", "pyth:1": "forgotten"}


def test_that_sources_that_sign_nothing_are_not_asked(tmp_path: Path) -> None:
    assert proofs(Board(), tmp_path, "binance:1", "simulated:2") == {}
