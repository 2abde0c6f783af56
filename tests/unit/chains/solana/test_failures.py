"""Whatever the chain says went wrong, the trader reads a code, plain words, and the cause."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.chains.solana.builder import ASSOCIATED_TOKEN_PROGRAM, MEMO_PROGRAM, SYSTEM_PROGRAM
from quantdesk.chains.solana.failures import (
    METEORA_DAMM_V2,
    METEORA_DLMM,
    RAYDIUM_AMM_V4,
    RAYDIUM_CLMM,
    RAYDIUM_CPMM,
    failure,
)
from quantdesk.core.assets import TOKEN_2022, TOKEN_PROGRAM
from quantdesk.core.errors import DeskError, Refused, Unavailable

WHOLE_TRANSACTION = [
    ("AccountNotFound", Refused, "funds.insufficient"),
    ("InsufficientFundsForFee", Refused, "funds.insufficient"),
    ({"InsufficientFundsForRent": {"account_index": 1}}, Refused, "funds.insufficient"),
    ("BlockhashNotFound", Unavailable, "blockhash.expired"),
    ("AddressLookupTableNotFound", Unavailable, "table.gone"),
    ("InvalidAddressLookupTableIndex", Unavailable, "table.gone"),
    ("ProgramAccountNotFound", Unavailable, "pool.gone"),
    ("InvalidProgramForExecution", Unavailable, "pool.gone"),
    ("AccountInUse", Unavailable, "chain.busy"),
    ("ClusterMaintenance", Unavailable, "chain.busy"),
    ("WouldExceedMaxBlockCostLimit", Unavailable, "chain.busy"),
    ({"ProgramExecutionTemporarilyRestricted": {"account_index": 1}}, Unavailable, "chain.busy"),
    ("SignatureFailure", Refused, "simulation.failed"),
    ({"DuplicateInstruction": 3}, Refused, "simulation.failed"),
    ("NeverHeardOf", Refused, "simulation.failed"),
    (None, Refused, "simulation.failed"),
    ([1, 2], Refused, "simulation.failed"),
    ({}, Refused, "simulation.failed"),
    ({"InstructionError": "odd"}, Refused, "simulation.failed"),
    ({"InstructionError": [0, {"BorshIoError": "Unknown"}]}, Refused, "simulation.failed"),
    ({"InstructionError": [0, "InsufficientFunds"]}, Refused, "funds.insufficient"),
    ({"InstructionError": [0, "AccountNotRentExempt"]}, Refused, "funds.insufficient"),
    ({"InstructionError": [0, "UnsupportedProgramId"]}, Unavailable, "pool.gone"),
    ({"InstructionError": [0, "ComputationalBudgetExceeded"]}, Unavailable, "compute.exceeded"),
    ({"InstructionError": [0, "InvalidArgument"]}, Refused, "simulation.failed"),
]
OF_A_PROGRAM = [
    (TOKEN_PROGRAM, 0, Refused, "funds.insufficient"),
    (TOKEN_PROGRAM, 1, Refused, "funds.insufficient"),
    (TOKEN_PROGRAM, 17, Refused, "simulation.failed"),
    (TOKEN_2022, 0, Refused, "funds.insufficient"),
    (TOKEN_2022, 1, Refused, "funds.insufficient"),
    (SYSTEM_PROGRAM, 1, Refused, "funds.insufficient"),
    (ASSOCIATED_TOKEN_PROGRAM, 1, Refused, "funds.insufficient"),
    (RAYDIUM_CPMM, 1, Refused, "funds.insufficient"),
    (RAYDIUM_CPMM, 3007, Unavailable, "pool.gone"),
    (RAYDIUM_CPMM, 3012, Unavailable, "pool.gone"),
    (RAYDIUM_CPMM, 6000, Unavailable, "pool.gone"),
    (RAYDIUM_CPMM, 6003, Refused, "simulation.failed"),
    (RAYDIUM_CPMM, 6005, Unavailable, "slippage.exceeded"),
    (RAYDIUM_CPMM, 6006, Refused, "amount.too_small"),
    (RAYDIUM_CPMM, 6008, Unavailable, "pool.gone"),
    (RAYDIUM_CPMM, 6012, Unavailable, "pool.moved"),
    (METEORA_DAMM_V2, 3007, Unavailable, "pool.gone"),
    (METEORA_DAMM_V2, 6002, Unavailable, "slippage.exceeded"),
    (METEORA_DAMM_V2, 6003, Unavailable, "pool.gone"),
    (METEORA_DAMM_V2, 6015, Unavailable, "pool.moved"),
    (RAYDIUM_AMM_V4, 1, Refused, "simulation.failed"),
    (RAYDIUM_AMM_V4, 22, Unavailable, "pool.gone"),
    (RAYDIUM_AMM_V4, 30, Unavailable, "slippage.exceeded"),
    (METEORA_DLMM, 1, Refused, "funds.insufficient"),
    (METEORA_DLMM, 3005, Unavailable, "pool.moved"),
    (METEORA_DLMM, 6003, Unavailable, "slippage.exceeded"),
    (METEORA_DLMM, 6004, Unavailable, "slippage.exceeded"),
    (METEORA_DLMM, 6005, Refused, "simulation.failed"),
    (METEORA_DLMM, 6009, Unavailable, "pool.moved"),
    (METEORA_DLMM, 6012, Unavailable, "pool.moved"),
    (METEORA_DLMM, 6027, Unavailable, "pool.moved"),
    (METEORA_DLMM, 6039, Unavailable, "slippage.exceeded"),
    (METEORA_DLMM, 6042, Unavailable, "pool.gone"),
    (METEORA_DLMM, 6057, Unavailable, "pool.moved"),
    (MEMO_PROGRAM, 1, Refused, "simulation.failed"),
]


@pytest.mark.parametrize(("problem", "kind", "code"), WHOLE_TRANSACTION)
def test_sorts_what_befell_the_transaction(
    problem: object, kind: type[DeskError], code: str
) -> None:
    error = failure(problem).error()

    assert (type(error), error.code) == (kind, code)


@pytest.mark.parametrize(("program", "number", "kind", "code"), OF_A_PROGRAM)
def test_sorts_a_number_by_the_program_that_was_called(
    program: str, number: int, kind: type[DeskError], code: str
) -> None:
    problem = {"InstructionError": [1, {"Custom": number}]}

    found = failure(problem, called=[MEMO_PROGRAM, program])

    assert (found.kind, found.code) == (kind, code)


def test_believes_the_innermost_program_of_the_logs_rather_than_the_called_one() -> None:
    logs = [
        f"Program {METEORA_DLMM} invoke [1]",
        "Program log: Instruction: Swap2",
        f"Program {TOKEN_PROGRAM} invoke [2]",
        "Program log: Error: not rent exempt",
        f"Program {TOKEN_PROGRAM} failed: custom program error: 0x0",
        f"Program {METEORA_DLMM} failed: custom program error: 0x0",
    ]
    problem = {"InstructionError": [0, {"Custom": 0}]}

    found = failure(problem, logs=logs, called=[MEMO_PROGRAM])

    assert found.code == "funds.insufficient"
    assert "Error: not rent exempt" in found.detail


@pytest.mark.parametrize(
    ("number", "name", "code"),
    [
        (6022, "TooLittleOutputReceived", "slippage.exceeded"),
        (6018, "TooLittleOutputReceived", "slippage.exceeded"),
        (6022, "TooSmallInputOrOutputAmount", "amount.too_small"),
        (6019, "LiquidityInsufficient", "pool.moved"),
        (6000, "NotApproved", "pool.gone"),
        (6021, "InvalidInputPoolVault", "pool.gone"),
        (2505, "RequireGtViolated", "pool.gone"),
        (6024, "InvalidFirstTickArrayAccount", "pool.moved"),
        (6036, "InsufficientLiquidityForDirection", "pool.moved"),
        (6041, "MaxTokenOverflow", "pool.moved"),
        (6042, "CalculateOverflow", "pool.moved"),
        (6040, "MissingTickArrayBitmapExtensionAccount", "pool.moved"),
    ],
)
def test_knows_an_error_by_its_name_where_versions_number_it_differently(
    number: int, name: str, code: str
) -> None:
    thrown = f"AnchorError thrown in swap_v2.rs:1. Error Code: {name}. Error Number: {number}."
    logs = [
        f"Program log: {thrown} Error Message: words.",
        f"Program {RAYDIUM_CLMM} failed: custom program error: {number:#x}",
    ]

    found = failure({"InstructionError": [3, {"Custom": number}]}, logs=logs)

    assert found.code == code


def test_knows_where_a_panic_means_too_little_liquidity() -> None:
    panic = {"InstructionError": [0, "ProgramFailedToComplete"]}

    assert failure(panic, called=[RAYDIUM_AMM_V4]).code == "pool.moved"
    assert failure(panic, called=[RAYDIUM_CPMM]).code == "simulation.failed"


@pytest.mark.parametrize(
    "last",
    [
        f"Program {RAYDIUM_CLMM} failed: exceeded CUs meter at BPF instruction",
        "Program failed to complete: exceeded CUs meter at BPF instruction #4711",
        "Program failed to complete: exceeded maximum number of instructions allowed (9) at #3",
    ],
)
@pytest.mark.parametrize("called", [RAYDIUM_CLMM, RAYDIUM_AMM_V4])
def test_knows_a_swap_that_ran_out_of_compute_by_its_logs(last: str, called: str) -> None:
    problem = {"InstructionError": [0, "ProgramFailedToComplete"]}
    logs = [f"Program {called} consumed 99 of 99 compute units", last]

    found = failure(problem, logs=logs, called=[called])

    assert (found.kind, found.code) == (Unavailable, "compute.exceeded")


@pytest.mark.parametrize(
    ("number", "last", "code"),
    [
        (6018, ["Log truncated"], "pool.moved"),
        (6018, [], "simulation.failed"),
        (2006, ["Log truncated"], "simulation.failed"),
    ],
)
def test_tries_afresh_where_the_name_that_explains_is_cut_off_the_logs(
    number: int, last: list[str], code: str
) -> None:
    problem = {"InstructionError": [1, {"Custom": number}]}
    logs = [f"Program {RAYDIUM_CLMM} invoke [1]", "Program log: Instruction: SwapV2", *last]

    assert failure(problem, logs=logs, called=[MEMO_PROGRAM, RAYDIUM_CLMM]).code == code


def test_takes_no_word_of_a_program_for_the_meter() -> None:
    problem = {"InstructionError": [0, "ProgramFailedToComplete"]}
    logs = [
        "Program log: Program failed to complete: exceeded CUs meter",
        f"Program {RAYDIUM_CPMM} failed: Access violation in input section",
    ]

    assert failure(problem, logs=logs).code == "simulation.failed"


def test_quotes_the_failing_program_and_not_the_memo() -> None:
    logs = [
        f"Program {MEMO_PROGRAM} invoke [1]",
        'Program log: Memo (len 4): "qd:1"',
        f"Program {RAYDIUM_CPMM} invoke [1]",
        f"Program {RAYDIUM_CPMM} failed: custom program error: 0x1771",
    ]

    found = failure({"InstructionError": [1, {"Custom": 6001}]}, logs=logs)

    assert "custom program error: 0x1771" in found.detail
    assert "Memo" not in found.detail


def test_names_the_error_when_there_are_no_logs() -> None:
    found = failure({"InstructionError": [4, {"Custom": 6005}]}, called=[RAYDIUM_CPMM] * 5)

    assert "instruction 4 failed with error 6005" in found.detail


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["InstructionError", "Custom", "x"]), inner, max_size=2)
    ),
    max_leaves=6,
)


@given(problem=JSON, logs=st.lists(st.text(max_size=30) | st.just("Program log: x"), max_size=4))
def test_has_words_for_every_odd_error(problem: object, logs: list[str]) -> None:
    error = failure(problem, logs=logs).error()

    assert error.code
    assert len(error.detail) < 400
