"""What to pay for speed and how much compute to ask for; pure.

    recent fees of the accounts to be written → the priority's percentile, at least its floor
    → at most the cap per unit → at most the cap per transaction

A transaction's network fee is 5,000 lamports per signature plus its compute limit times the price
of a compute unit in micro-lamports, rounded up: https://solana.com/docs/core/fees
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from quantdesk.chains.port import Priority
from quantdesk.chains.solana.answers import PrioritizationFee

COMPUTE_UNITS_MAX: Final = 1_400_000
_MARGIN_PERCENT: Final = 20  # state moves between simulation and execution: bins and ticks to cross
_MARGIN_FLOOR: Final = 40_000  # two ticks or seven bins more, as measured with the real programs
_PERCENT: Final = 100
_MICRO: Final = 1_000_000


class Bid(NamedTuple):
    """What a priority offers per compute unit: a percentile of recent fees, within bounds.

    Prices are micro-lamports; `price_min` counts even where nobody else pays anything, `price_max`
    whatever others pay.
    """

    percentile: int
    price_min: int
    price_max: int


# Of the least that landed in each recent block with a write to the same accounts.
_PERCENTILES: Final = {Priority.ECONOMY: 25, Priority.NORMAL: 75, Priority.URGENT: 95}
_FLOORS: Final = {Priority.ECONOMY: 0, Priority.NORMAL: 0, Priority.URGENT: 10_000}


def bid(priority: Priority, *, price_min: int, price_max: int) -> Bid:
    """Return what a priority offers on a chain where prices are kept within these bounds."""
    return Bid(_PERCENTILES[priority], max(price_min, _FLOORS[priority]), price_max)


def unit_price(recent: Sequence[PrioritizationFee], offer: Bid) -> int:
    """Return micro-lamports per compute unit: a percentile of recent fees, within the bounds.

    Nearest rank. Negative answers count as zero, and so does knowing nothing recent.
    """
    assert 0 < offer.percentile <= _PERCENT
    paid = sorted(fee.prioritization_fee for fee in recent)
    rank = -(-len(paid) * offer.percentile // _PERCENT)
    asked = max(0, paid[rank - 1]) if paid else 0
    return min(max(asked, offer.price_min), offer.price_max)


def affordable(price: int, *, compute_units: int, lamports_max: int) -> int:
    """Return the price, or the highest at which so many units cost no more than the cap."""
    return min(price, lamports_max * _MICRO // compute_units) if compute_units else price


def priority_lamports(price: int, *, compute_units: int) -> int:
    """Return the priority fee of a transaction, rounded up as the chain does."""
    return -(-price * compute_units // _MICRO)


def compute_share(units: int) -> int:
    """Return what a call of so many compute units adds to a limit beyond the margin it has."""
    return units + units * _MARGIN_PERCENT // _PERCENT


def compute_limit(units_simulated: int) -> int:
    """Return the compute units to ask for, given what a simulation used."""
    margin = max(_MARGIN_FLOOR, units_simulated * _MARGIN_PERCENT // _PERCENT)
    return min(units_simulated + margin, COMPUTE_UNITS_MAX)
