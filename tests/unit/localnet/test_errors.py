"""Promise: every error of the runtime has the shape that strict clients read back as it."""

from typing import Any

import pytest
from solders import transaction_status as status
from solders.rpc.responses import GetSignatureStatusesResp

from quantdesk.localnet.errors import error_json, sentence
from quantdesk.localnet.rpc import encode

Json = Any


def variants(kind: Json) -> list[Json]:
    found = [getattr(kind, name) for name in dir(kind) if not name.startswith("_")]
    return [item for item in found if isinstance(item, kind)]


FIELDLESS = variants(status.TransactionErrorFieldless)
CAUSES = [*variants(status.InstructionErrorFieldless), status.InstructionErrorCustom(6001)]
ERRORS = [
    *FIELDLESS,
    *(status.TransactionErrorInstructionError(3, cause) for cause in CAUSES),
    status.TransactionErrorDuplicateInstruction(2),
    status.TransactionErrorInsufficientFundsForRent(1),
    status.TransactionErrorProgramExecutionTemporarilyRestricted(4),
]


@pytest.mark.parametrize("error", ERRORS, ids=str)
def test_that_the_shape_reads_back_as_the_error(error: Json) -> None:
    shape = error_json(error)
    line = {
        "slot": 1,
        "confirmations": 0,
        "err": shape,
        "status": {"Err": shape},
        "confirmationStatus": "processed",
    }
    answer = {"jsonrpc": "2.0", "id": 1, "result": {"context": {"slot": 1}, "value": [line]}}
    parsed: Json = GetSignatureStatusesResp.from_json(encode(answer).decode())
    assert parsed.value[0].err == error


@pytest.mark.parametrize("error", ERRORS, ids=str)
def test_that_every_error_has_a_sentence(error: Json) -> None:
    assert len(sentence(error_json(error))) > 5


def test_that_all_variants_are_covered() -> None:
    assert len(FIELDLESS) > 30
    assert len(CAUSES) > 50


def test_that_a_program_s_own_error_is_told_in_hex() -> None:
    error = status.TransactionErrorInstructionError(1, status.InstructionErrorCustom(6001))
    assert error_json(error) == {"InstructionError": [1, {"Custom": 6001}]}
    assert sentence(error_json(error)) == (
        "Error processing Instruction 1: custom program error: 0x1771"
    )
