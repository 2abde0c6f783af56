"""The messages behind an order's prices are checked when its evidence is asked for."""

import asyncio
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from quantdesk.app.proving import prover
from quantdesk.core.ticks import Frame
from quantdesk.ingest.board import Board
from quantdesk.ingest.gate import Gate
from quantdesk.ingest.recorder import Keep, Recorder
from quantdesk.sources.words import hermes
from quantdesk.sources.words.signatures import Attested, Unknown, attested
from quantdesk.sources.words.signers import WORMHOLE, Known, SignerSet, known
from quantdesk.sources.words.vaa import Vaa
from quantdesk.testing.guardians import QUORUM, SET_INDEX, SETTING
from quantdesk.testing.hermes import Hermes

_NS = 1_795_000_000_000_000_000
_SECOND = _NS // 10**9
_KNOWN = known([SETTING])
_PROVEN = {
    "proof": "proven",
    "says": "the Merkle proof holds; signed by 3 of 4 of Wormhole guardian set 1000",
}


def proofs(
    board: Board, tapes: Path, *raw_ids: str, by: Known = _KNOWN
) -> Mapping[str, Mapping[str, str]]:
    """Return what is said of the messages behind a price of SOL."""

    async def ask() -> Mapping[str, Mapping[str, str]]:
        return await prover(board, tapes, by)("SOL", raw_ids)

    return asyncio.run(ask())


def message(*, lie: int = 0, signers: Iterable[int] = QUORUM) -> bytes:
    """Return what Hermes says of SOL, its parsed price off by `lie`."""
    server = Hermes()
    sol = hermes.FEEDS["SOL"]
    server.publish(sol, price=15_000_000_000, conf=4_500_000, publish_time=_SECOND)
    server.lie, server.signers = lie, signers
    return server.message([sol])


def heard(data: bytes) -> tuple[Board, str]:
    """Return a board that heard a message, and the message's id."""
    board = Board()
    frame = Frame("pyth", "stream", _NS, data)
    for event in hermes.read(data, "stream"):
        Gate(board).take(event, frame)
    board.provenance("SOL", now_ms=frame.received_ms)
    return board, frame.id


def test_that_a_message_on_the_board_is_proven_by_its_tree_and_its_signers(tmp_path: Path) -> None:
    board, raw_id = heard(message())

    assert proofs(board, tmp_path, raw_id) == {raw_id: _PROVEN}


@pytest.mark.parametrize(
    ("lie", "signers", "why"),
    [
        (1, QUORUM, f"(15000000001, 4500000, -8, {_SECOND}), its binary (15000000000, "),
        (0, (0, 1), "2 signatures of the 3 it needs"),
        (0, (0, 0, 1), "signer 0 of 4 comes after signer 0"),
        (0, (), "0 signatures of the 3 it needs"),
    ],
)
def test_that_a_message_that_does_not_hold_is_invalid_and_why(
    tmp_path: Path, lie: int, signers: Iterable[int], why: str
) -> None:
    board, raw_id = heard(message(lie=lie, signers=signers))

    with capture_logs() as logged:
        found = proofs(board, tmp_path, raw_id)[raw_id]

    assert found["proof"] == "invalid"
    assert why in found["says"]
    assert [line["why"] for line in logged] == [found["says"]]


def test_that_signers_this_desk_does_not_know_prove_nothing(tmp_path: Path) -> None:
    board, raw_id = heard(message())

    assert proofs(board, tmp_path, raw_id, by=known()) == {
        raw_id: {
            "proof": "unknown_signers",
            "says": "the Merkle proof holds; signed by Wormhole guardian set 1000,"
            " which this desk does not know",
        }
    }


@pytest.mark.parametrize(("until_s", "proof"), [(_SECOND, "proven"), (_SECOND - 1, "invalid")])
def test_that_signers_who_retired_prove_no_later_price(
    tmp_path: Path, until_s: int, proof: str
) -> None:
    board, raw_id = heard(message())
    network, sets = _KNOWN[WORMHOLE.emitter]
    retired = SignerSet(sets[SET_INDEX].addresses, until_s)

    found = proofs(board, tmp_path, raw_id, by={network.emitter: (network, {SET_INDEX: retired})})[
        raw_id
    ]

    assert found["proof"] == proof
    assert ("after Wormhole guardian set 1000 retired" in found["says"]) == (proof == "invalid")


def test_that_a_message_without_a_binary_or_one_that_cannot_be_read_is_told_apart() -> None:
    says = {
        data: hermes.prove(data, "SOL", lambda _: pytest.fail("there is nothing to verify"))
        for data in (b'{"parsed":[]}', b'{"parsed":7}')
    }

    assert [told.proof for told in says.values()] == ["absent", "invalid"]
    assert "not a Hermes message" in says[b'{"parsed":7}'].says


def test_that_a_message_the_board_forgot_is_looked_for_on_tape(tmp_path: Path) -> None:
    frame = Frame("pyth", "stream", _NS, message())
    recorder = Recorder(tmp_path, keep=Keep()).start()
    recorder.tap(frame)
    recorder.close()

    found = proofs(Board(), tmp_path, frame.id, "pyth:1")

    assert found[frame.id] == _PROVEN
    assert found["pyth:1"]["proof"] == "forgotten"


def test_that_the_event_loop_is_free_while_signatures_are_verified(tmp_path: Path) -> None:
    board, raw_id = heard(message())
    threads = set()

    def attest(vaa: Vaa) -> Attested | Unknown:
        threads.add(threading.get_ident())
        return attested(vaa, _KNOWN)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("quantdesk.app.proving.Attestations.of", staticmethod(attest))
        assert proofs(board, tmp_path, raw_id) == {raw_id: _PROVEN}

    assert threads
    assert threading.get_ident() not in threads


def test_that_sources_that_sign_nothing_are_not_asked(tmp_path: Path) -> None:
    assert proofs(Board(), tmp_path, "binance:1", "simulated:2") == {}
