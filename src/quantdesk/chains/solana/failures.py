"""What the chain said went wrong → code, words for the trader, and whether to try afresh; pure.

A program's own error is a number, and means something only together with the program that gave it.
That program is often not the one the transaction called: a pool calls the token program, and its
number comes out. The logs name the innermost one; without logs the called one must do.

TransactionError: https://docs.rs/solana-transaction-error · InstructionError:
https://docs.rs/solana-instruction-error · SPL Token:
https://github.com/solana-program/token (error.rs) · Raydium CPMM:
https://github.com/raydium-io/raydium-cp-swap (error.rs) · Raydium AMM v4:
https://github.com/raydium-io/raydium-amm (error.rs) · Raydium CLMM:
https://github.com/raydium-io/raydium-clmm (error.rs) · Meteora DLMM:
https://github.com/MeteoraAg/dlmm-sdk (idls/dlmm.json) · Meteora DAMM v2:
https://github.com/MeteoraAg/damm-v2 (programs/cp-amm/src/error.rs) · Anchor:
https://docs.rs/anchor-lang/latest/anchor_lang/error/enum.ErrorCode.html
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from quantdesk.chains.solana.builder import ASSOCIATED_TOKEN_PROGRAM, SYSTEM_PROGRAM
from quantdesk.core.assets import TOKEN_PROGRAMS
from quantdesk.core.errors import DeskError, Refused, Unavailable

RAYDIUM_CPMM: Final = "CPMMoo8L3F4NbTegBCKVNunggL7H1ZpdTHKxQB5qKP1C"
METEORA_DLMM: Final = "LBUZKhRxPF3XUpBCjp4YzTKgLccjZhTSDM9YuVaPwxo"
METEORA_DAMM_V2: Final = "cpamdpZCGKUy5JxQXB4dcpGPiikHawvSWAd6mEn1sGG"
RAYDIUM_CLMM: Final = "CAMMCzo5YL8w4VFF8KVHrK22GGUsp5VTaW7grrKgrWqK"
RAYDIUM_AMM_V4: Final = "675kPX9MHTjS2zt1qfr1NYHuzeLXfQM9H24wFSUt1Mp8"
_POOLS: Final = (
    RAYDIUM_CPMM,
    RAYDIUM_CLMM,
    METEORA_DLMM,
    METEORA_DAMM_V2,
)  # those built with Anchor

_LINE_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a transaction failed; `kind` says whether a fresh try may do better."""

    kind: type[DeskError]
    code: str
    detail: str

    def error(self) -> DeskError:
        """Return it as the error to raise."""
        return self.kind(self.detail, code=self.code)


_FUNDS: Final = Failure(
    Refused, "funds.insufficient", "The wallet does not hold enough for this trade."
)
_FEE: Final = Failure(
    Refused, "funds.insufficient", "The wallet does not hold enough SOL for the network fee."
)
_RENT: Final = Failure(
    Refused, "funds.insufficient", "The wallet would not keep the SOL its accounts must hold."
)
_SLIPPAGE: Final = Failure(
    Unavailable, "slippage.exceeded", "The price moved past the limit before the swap executed."
)
_MOVED: Final = Failure(
    Unavailable, "pool.moved", "The pool changed since the quote and cannot fill it any more."
)
_GONE: Final = Failure(Unavailable, "pool.gone", "The pool is closed or disabled.")
_DUST: Final = Failure(Refused, "amount.too_small", "The amount is too small for this pool.")
_EXPIRED: Final = Failure(
    Unavailable, "blockhash.expired", "The transaction is too old for the chain to take it."
)
_BUSY: Final = Failure(Unavailable, "chain.busy", "The chain is too busy for this transaction.")
_COMPUTE: Final = Failure(
    Unavailable, "compute.exceeded", "The swap needed more computation than was asked for."
)
_TABLE: Final = Failure(Unavailable, "table.gone", "A lookup table changed since it was read.")
UNKNOWN: Final = "simulation.failed"
"""The code of what this desk has no name for."""
_OTHER: Final = Failure(Refused, UNKNOWN, "The chain refuses the transaction.")

_TRANSACTION: Final[Mapping[str, Failure]] = {
    "AccountNotFound": _FEE,  # the payer has never held anything
    "InsufficientFundsForFee": _FEE,
    "InsufficientFundsForRent": _RENT,
    "BlockhashNotFound": _EXPIRED,
    "ProgramAccountNotFound": _GONE,
    "InvalidProgramForExecution": _GONE,
    "AccountInUse": _BUSY,
    "ClusterMaintenance": _BUSY,
    "WouldExceedMaxBlockCostLimit": _BUSY,
    "WouldExceedMaxVoteCostLimit": _BUSY,
    "WouldExceedMaxAccountCostLimit": _BUSY,
    "WouldExceedAccountDataBlockLimit": _BUSY,
    "WouldExceedAccountDataTotalLimit": _BUSY,
    "ResanitizationNeeded": _BUSY,
    "ProgramExecutionTemporarilyRestricted": _BUSY,
    "AddressLookupTableNotFound": _TABLE,
    "InvalidAddressLookupTableOwner": _TABLE,
    "InvalidAddressLookupTableData": _TABLE,
    "InvalidAddressLookupTableIndex": _TABLE,
    "UnbalancedTransaction": _OTHER,
}
_INSTRUCTION: Final[Mapping[str, Failure]] = {
    "InsufficientFunds": _FUNDS,
    "AccountNotRentExempt": _RENT,
    "IncorrectProgramId": _GONE,
    "UnsupportedProgramId": _GONE,
    "AccountNotExecutable": _GONE,
    "ComputationalBudgetExceeded": _COMPUTE,
}
_INSTRUCTION_OF: Final[Mapping[tuple[str, str], Failure]] = {
    # It panics where an exact output is more than its vault holds.
    (RAYDIUM_AMM_V4, "ProgramFailedToComplete"): _MOVED,
}
_CUSTOM: Final[Mapping[tuple[str, int], Failure]] = {
    **dict.fromkeys(((token, 0) for token in TOKEN_PROGRAMS), _RENT),  # NotRentExempt
    **dict.fromkeys(((token, 1) for token in TOKEN_PROGRAMS), _FUNDS),  # InsufficientFunds
    (SYSTEM_PROGRAM, 1): _FUNDS,  # ResultWithNegativeLamports
    (ASSOCIATED_TOKEN_PROGRAM, 1): _FUNDS,  # the system program's, when it pays for the account
    (RAYDIUM_CPMM, 6000): _GONE,  # NotApproved: swaps are off, or not open yet
    (RAYDIUM_CPMM, 6005): _SLIPPAGE,  # ExceededSlippage
    (RAYDIUM_CPMM, 6006): _DUST,  # ZeroTradingTokens
    (RAYDIUM_CPMM, 6008): _GONE,  # InvalidVault
    (RAYDIUM_CPMM, 6012): _MOVED,  # InsufficientVault
    (METEORA_DLMM, 6003): _SLIPPAGE,  # ExceededAmountSlippageTolerance
    (METEORA_DLMM, 6004): _SLIPPAGE,  # ExceededBinSlippageTolerance
    (METEORA_DLMM, 6007): _MOVED,  # ZeroLiquidity
    (METEORA_DLMM, 6009): _MOVED,  # BinArrayNotFound
    (METEORA_DLMM, 6012): _MOVED,  # PairInsufficientLiquidity
    (METEORA_DLMM, 6027): _MOVED,  # InvalidBinArray
    (METEORA_DLMM, 6028): _MOVED,  # NonContinuousBinArrays
    (METEORA_DLMM, 6036): _MOVED,  # BitmapExtensionAccountIsNotProvided
    (METEORA_DLMM, 6037): _MOVED,  # CannotFindNonZeroLiquidityBinArrayId
    (METEORA_DLMM, 6039): _SLIPPAGE,  # InsufficientOutAmount
    (METEORA_DLMM, 6042): _GONE,  # PoolDisabled
    (METEORA_DLMM, 6053): _MOVED,  # ExceedMaxSwappedAmount
    (METEORA_DLMM, 6057): _MOVED,  # NotExactAmountOut
    (METEORA_DLMM, 6066): _GONE,  # InvalidStatus
    (METEORA_DLMM, 6104): _SLIPPAGE,  # InsufficientInAmount
    (METEORA_DAMM_V2, 6000): _MOVED,  # MathOverflow: more than the pool holds
    (METEORA_DAMM_V2, 6002): _SLIPPAGE,  # ExceededSlippage
    (METEORA_DAMM_V2, 6003): _GONE,  # PoolDisabled, or not open yet
    (METEORA_DAMM_V2, 6006): _DUST,  # AmountIsZero
    (METEORA_DAMM_V2, 6007): _MOVED,  # TypeCastFailed: past 64 or 128 bits
    (METEORA_DAMM_V2, 6015): _MOVED,  # PriceRangeViolation
    (RAYDIUM_AMM_V4, 4): _GONE,  # InvalidCoinVault
    (RAYDIUM_AMM_V4, 5): _GONE,  # InvalidPCVault
    (RAYDIUM_AMM_V4, 10): _GONE,  # InvalidOpenOrders: it went back to its order book
    (RAYDIUM_AMM_V4, 22): _GONE,  # InvalidStatus: disabled, or not open yet
    (RAYDIUM_AMM_V4, 27): _GONE,  # InvalidAmmAccountOwner
    (RAYDIUM_AMM_V4, 29): _DUST,  # InvalidInput: nothing would come out
    (RAYDIUM_AMM_V4, 30): _SLIPPAGE,  # ExceededSlippage
    (RAYDIUM_AMM_V4, 32): _MOVED,  # CheckedSubOverflow: it owes more than its vaults hold
    (RAYDIUM_AMM_V4, 40): _FUNDS,  # InsufficientFunds
    **dict.fromkeys(((pool, 1) for pool in _POOLS), _FUNDS),  # the token program's, seen from above
    **dict.fromkeys(((pool, 3005) for pool in _POOLS), _MOVED),  # Anchor AccountNotEnoughKeys
    **dict.fromkeys(((pool, 3002) for pool in _POOLS), _GONE),  # AccountDiscriminatorMismatch
    **dict.fromkeys(((pool, 3007) for pool in _POOLS), _GONE),  # AccountOwnedByWrongProgram
    **dict.fromkeys(((pool, 3012) for pool in _POOLS), _GONE),  # AccountNotInitialized
}

# Raydium renumbers the errors of its CLMM from version to version: their names in the logs stay.
_NAMED: Final[Mapping[tuple[str, str], Failure]] = {
    (RAYDIUM_CLMM, "NotApproved"): _GONE,
    (RAYDIUM_CLMM, "RequireGtViolated"): _GONE,  # not open yet
    (RAYDIUM_CLMM, "InvalidInputPoolVault"): _GONE,
    (RAYDIUM_CLMM, "LiquidityInsufficient"): _MOVED,
    (RAYDIUM_CLMM, "InsufficientLiquidityForDirection"): _MOVED,
    (RAYDIUM_CLMM, "MaxTokenOverflow"): _MOVED,
    (RAYDIUM_CLMM, "CalculateOverflow"): _MOVED,
    (RAYDIUM_CLMM, "TooLittleOutputReceived"): _SLIPPAGE,
    (RAYDIUM_CLMM, "TooMuchInputPaid"): _SLIPPAGE,
    (RAYDIUM_CLMM, "TooSmallInputOrOutputAmount"): _DUST,
    (RAYDIUM_CLMM, "NotEnoughTickArrayAccount"): _MOVED,
    (RAYDIUM_CLMM, "InvalidFirstTickArrayAccount"): _MOVED,
    (RAYDIUM_CLMM, "MissingTickArrayBitmapExtensionAccount"): _MOVED,
}

_FAILED: Final = re.compile(r"Program (\w{32,44}) failed: ")
# A program that runs out between two system calls fails by another name than within one:
# https://github.com/anza-xyz/agave/issues/1976. The second wording is that of older nodes.
_METERED: Final = re.compile(
    r"Program (?:\w{32,44} failed|failed to complete): "
    r"(?:exceeded CUs meter|exceeded maximum number of instructions)"
)
_CUT: Final = "Log truncated"  # stands for what is past 10,000 bytes
_ANCHOR_OWN: Final = 6_000  # from where on the numbers are a program's own
_NAME: Final = re.compile(r"AnchorError .*Error Code: (\w+)\.")
_SAID: Final = re.compile(r"Program log: (?!Memo |Signed by |Instruction: )(.+)", re.DOTALL)


def failure(
    problem: object, *, logs: Sequence[str] = (), called: Sequence[str] | None = None
) -> Failure:
    """Return what a TransactionError, as JSON, means.

    `logs` are those of the failed execution, `called` the program of each instruction. A code this
    desk does not know is `simulation.failed` with the program's last words.
    """
    known = _known(problem, logs, called or ())
    words = _words(logs) or _name(problem)
    return Failure(known.kind, known.code, f"{known.detail} ({words})")


def instruction_index(problem: object) -> int | None:
    """Return which instruction failed, None when the transaction as a whole did."""
    match problem:
        case {"InstructionError": [int(index), _]}:
            return index
    return None


def _known(problem: object, logs: Sequence[str], called: Sequence[str]) -> Failure:
    match problem:
        case str(name):
            return _TRANSACTION.get(name, _OTHER)
        case {"InstructionError": [int(index), str(name)]}:
            return _named(_culprit(index, logs, called), name, logs)
        case {"InstructionError": [int(index), {"Custom": int(number)}]}:
            culprit = _culprit(index, logs, called)
            return _custom(culprit, number, logs)
        case dict() if len(problem) == 1:
            return _TRANSACTION.get(str(next(iter(problem))), _OTHER)
    return _OTHER


def _named(culprit: str, name: str, logs: Sequence[str]) -> Failure:
    if name == "ProgramFailedToComplete" and any(map(_METERED.match, logs)):
        return _COMPUTE
    return _INSTRUCTION_OF.get((culprit, name)) or _INSTRUCTION.get(name, _OTHER)


def _custom(culprit: str, number: int, logs: Sequence[str]) -> Failure:
    known = _by_name(culprit, logs) or _CUSTOM.get((culprit, number))
    if known is None and culprit == RAYDIUM_CLMM and number >= _ANCHOR_OWN and _CUT in logs:
        return _MOVED  # its name is cut off: mostly the price has moved, and a fresh try tells
    return known or _OTHER


def _by_name(culprit: str, logs: Sequence[str]) -> Failure | None:
    names = (found[1] for line in logs if (found := _NAME.search(line)))
    return next((_NAMED[culprit, name] for name in names if (culprit, name) in _NAMED), None)


def _culprit(index: int, logs: Sequence[str], called: Sequence[str]) -> str:
    for line in logs:  # the innermost program fails first
        if found := _FAILED.match(line):
            return found[1]
    return called[index] if 0 <= index < len(called) else ""


def _words(logs: Sequence[str]) -> str:
    end = next((i for i, line in enumerate(logs) if _FAILED.match(line)), len(logs))
    for line in reversed(logs[:end]):
        if found := _SAID.match(line):
            return found[1][:_LINE_MAX]
    return logs[end][:_LINE_MAX] if end < len(logs) else ""


def _name(problem: object) -> str:
    match problem:
        case {"InstructionError": [int(index), {"Custom": int(number)}]}:
            return f"instruction {index} failed with error {number}"
        case {"InstructionError": [int(index), reason]}:
            return f"instruction {index} failed: {reason}"[:_LINE_MAX]
        case dict() if len(problem) == 1:
            return str(next(iter(problem)))[:_LINE_MAX]
    return str(problem)[:_LINE_MAX]
