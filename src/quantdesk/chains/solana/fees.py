"""What to pay for speed and how much compute to ask for; pure.

A transaction's network fee is 5,000 lamports per signature plus its compute limit times the price
of a compute unit in micro-lamports, rounded up: https://solana.com/docs/core/fees
"""

from collections.abc import Sequence
from typing import Final

from quantdesk.chains.solana.answers import PrioritizationFee

COMPUTE_UNITS_MAX: Final = 1_400_000
_MARGIN_PERCENT: Final = 20  # state moves between simulation and execution: bins and ticks to cross
_MARGIN_FLOOR: Final = 5_000
_PERCENT: Final = 100


def unit_price(recent: Sequence[PrioritizationFee], *, percentile: int, price_max: int) -> int:
    """Return micro-lamports per compute unit: a percentile of recent fees, at most `price_max`.

    Nearest rank; zero when nothing recent is known. Negative answers count as zero.
    """
    assert 0 < percentile <= _PERCENT
    if not recent:
        return 0
    paid = sorted(fee.prioritization_fee for fee in recent)
    rank = -(-len(paid) * percentile // _PERCENT)
    return max(0, min(paid[rank - 1], price_max))


def compute_limit(units_simulated: int) -> int:
    """Return the compute units to ask for, given what a simulation used."""
    margin = max(_MARGIN_FLOOR, units_simulated * _MARGIN_PERCENT // _PERCENT)
    return min(units_simulated + margin, COMPUTE_UNITS_MAX)
