"""A revert that its status does not explain is explained by the logs of its execution."""

from typing import Any

import msgspec
import pytest
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction
from tests.unit.chains.solana.scripted import ScriptedNode, Told

from quantdesk.chains.port import Fate, Simulation, Transaction
from quantdesk.chains.solana import keys
from quantdesk.chains.solana.chain import Solana
from quantdesk.chains.solana.reverts import explained
from quantdesk.chains.solana.rpc import Rpc
from quantdesk.testing.clock import ManualClock
from quantdesk.venues.raydium.clmm.layout import PROGRAM

pytestmark = pytest.mark.anyio

KEYPAIR = Keypair.from_seed(bytes(32))
_CALL = Instruction(Pubkey.from_string(PROGRAM), b"", [])
_MESSAGE = MessageV0.try_compile(KEYPAIR.pubkey(), [_CALL], [], Hash.default())
RAW = bytes(VersionedTransaction(_MESSAGE, [KEYPAIR]))
ERROR = {"InstructionError": [0, {"Custom": 6018}]}
LOGS = [
    f"Program {PROGRAM} invoke [1]",
    "Program log: AnchorError thrown in swap.rs:9. Error Code: TooLittleOutputReceived. Error",
    f"Program {PROGRAM} failed: custom program error: 0x1782",
]


def _answer(err: object = ERROR, logs: object = LOGS) -> dict[str, Any]:
    return {"slot": 5, "meta": {"err": err, "logMessages": logs}}


def _code(answer: object) -> str | None:
    why = explained(msgspec.json.encode(answer), RAW)
    return None if why is None else why.code


def test_that_the_logs_name_what_a_number_does_not() -> None:
    assert _code(_answer()) == "slippage.exceeded"


@pytest.mark.parametrize(
    "answer",
    [None, {}, {"meta": None}, {"meta": {}}, {"meta": 7}, 7, _answer(None), _answer(logs=None)],
)
def test_that_an_answer_without_logs_says_no_more_than_the_status(answer: object) -> None:
    assert _code(answer) is None


@pytest.fixture
def chain(rpc: Rpc, node: ScriptedNode) -> Solana:
    status = {"slot": 5, "err": ERROR, "confirmationStatus": "finalized"}
    node.says["getSignatureStatuses"] = lambda *_: {"context": {"slot": 9}, "value": [status]}
    wallet = keys.wallet(str(KEYPAIR.pubkey()))
    return Solana(rpc=rpc, keypair=KEYPAIR, wallet=wallet, clock=ManualClock())


SENT = Transaction(RAW, "sig", 1_000, Simulation(1, 1, ()))


async def test_that_a_look_asks_for_the_logs_of_what_it_cannot_name(
    chain: Solana, node: ScriptedNode
) -> None:
    node.says["getTransaction"] = lambda *_: _answer()

    (sighting,) = await chain.look([SENT])

    assert (sighting.fate, sighting.slot) == (Fate.REVERTED, 5)
    assert (sighting.code, "TooLittleOutputReceived" in sighting.detail) == (
        "slippage.exceeded",
        True,
    )


async def test_that_it_is_looked_at_again_while_the_logs_cannot_be_had(
    chain: Solana, node: ScriptedNode
) -> None:
    def busy(*_: object) -> object:
        raise Told(-32005, "behind")

    node.says["getTransaction"] = busy
    assert [one.fate for one in await chain.look([SENT])] == [Fate.UNSEEN]

    node.says["getTransaction"] = lambda *_: None  # it has forgotten: nothing more will be known
    assert [(one.fate, one.code) for one in await chain.look([SENT])] == [
        (Fate.REVERTED, "simulation.failed")
    ]
