"""What follows a failed attempt: another one, or the end. Pure.

An attempt counts only when it can no longer fill: nothing was signed, or the chain proved that
what was signed will never execute. So the three attempts of `flows/order-execution.md` cannot fill
twice.
"""

from quantdesk.chains.port import Fate, Sighting
from quantdesk.core.errors import DeskError, Refused, Unavailable
from quantdesk.engines.orders.model import Failure

RETRY_DELAYS_S = (2.0, 4.0)
"""Seconds before the second and the third attempt."""

_FRESH_TRY_HELPS = frozenset(
    {"slippage.exceeded", "pool.moved", "pool.gone", "table.gone", "compute.exceeded"}
)
"""Why a transaction reverted that a fresh quote may mend: the market moved while it traveled."""


def is_due(problem: DeskError, *, attempt: int) -> bool:
    """Return whether another attempt follows this one."""
    return isinstance(problem, Unavailable) and attempt <= len(RETRY_DELAYS_S)


def delay_s(attempt: int) -> float:
    """Return the seconds that an attempt after the first waits."""
    return RETRY_DELAYS_S[attempt - 2]


def failure(problem: DeskError) -> Failure:
    """Return what the trader is told; `retryable` says whether asking again may do better."""
    return Failure(problem.code, problem.detail, problem.retryable)


def fallen(sighting: Sighting) -> DeskError:
    """Return the error of a transaction that will never fill."""
    if sighting.fate is Fate.DEAD:
        return Unavailable(
            sighting.detail
            or "the transaction expired before any block took it; nothing was traded",
            code=sighting.code or "blockhash.expired",
        )
    assert sighting.fate is Fate.REVERTED, "only dead and reverted transactions have fallen"
    kind = Unavailable if sighting.code in _FRESH_TRY_HELPS else Refused
    return kind(sighting.detail, code=sighting.code)
