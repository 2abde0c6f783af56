"""Validity: how far a price may be relied on, and what each action asks for. Pure.

Ordered from worst to best like Drift's oracle validity, so that the validity of a price is the
worst of what is known about it, and one table says what each action tolerates. A liquidation may
go by a price that opening a position may not; nothing may go by sources that contradict each other.
Order and figures: https://github.com/drift-labs/protocol-v2, state/oracle.rs and state/state.rs.
"""

from collections.abc import Mapping
from enum import IntEnum, StrEnum
from types import MappingProxyType

import msgspec

from quantdesk.core.errors import Unavailable


class Validity(IntEnum):
    """What is the matter with a price, the worst first."""

    CORRUPT = 0
    """Not a positive, finite number, or a bid at or above its ask."""
    TOO_VOLATILE = 1
    """Several times its own mean of the last minutes, or a fraction of it."""
    DISAGREES = 2
    """Sources are too far apart to say who is right."""
    TOO_UNCERTAIN = 3
    """Its confidence is too wide a part of it."""
    STALE_FOR_MARGIN = 4
    """Older than margins may be reckoned with."""
    CLOSED = 5
    """Its market is closed: this is the last word, not a price to trade at."""
    QUARANTINED = 6
    """A jump that nothing has confirmed yet, so neither side of it may be believed."""
    STALE = 7
    """Older than may be traded on."""
    STRAINED = 8
    """Usable, but uncertain, old, silent or apart enough to be shown as such."""
    VALID = 9
    """Nothing is known against it."""


class Action(StrEnum):
    """What somebody wants to do by a price."""

    QUOTE = "quote"
    """Stand in the market with a price of one's own."""
    OPEN = "open"
    """Trade, or take a position."""
    MARGIN = "margin"
    """Reckon what a position is worth."""
    LIQUIDATE = "liquidate"
    """Close what can no longer be carried."""
    DISPLAY = "display"
    """Show it, with its validity beside it."""


TOLERATES: Mapping[Action, Validity] = MappingProxyType(
    {
        Action.QUOTE: Validity.VALID,
        Action.OPEN: Validity.STRAINED,
        Action.MARGIN: Validity.CLOSED,
        Action.LIQUIDATE: Validity.TOO_UNCERTAIN,
        Action.DISPLAY: Validity.TOO_VOLATILE,
    }
)
"""The least validity each action tolerates."""


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """Where one validity ends and the next begins; past the bound is worse.

    Ages are milliseconds, the others basis points: of a price for its confidence (one standard
    deviation), between the outermost sources for agreement. `swing` is how many times its own mean,
    or what part of it, a price may be.
    """

    age_warn_ms: int = 5_000
    age_trade_ms: int = 10_000
    age_margin_ms: int = 60_000
    confidence_warn_bps: float = 50.0
    confidence_max_bps: float = 200.0
    agreement_warn_bps: float = 50.0
    agreement_max_bps: float = 100.0
    swing: float = 5.0


BOUNDS = Bounds()

_WHY: Mapping[Validity, tuple[str, str]] = MappingProxyType(
    {
        Validity.CORRUPT: ("price.corrupt", "is not a price"),
        Validity.TOO_VOLATILE: ("price.volatile", "is many times off its mean of the last minutes"),
        Validity.DISAGREES: ("price.disagreement", "differs too much from source to source"),
        Validity.TOO_UNCERTAIN: ("price.uncertain", "has too wide a confidence"),
        Validity.STALE_FOR_MARGIN: ("price.stale", "is too old"),
        Validity.CLOSED: ("market.closed", "comes from a market that is closed"),
        Validity.QUARANTINED: ("price.unconfirmed", "jumped, and nothing has confirmed it yet"),
        Validity.STALE: ("price.stale", "is too old"),
        Validity.STRAINED: ("price.strained", "is less certain than usual"),
    }
)


def allows(action: Action, validity: Validity) -> bool:
    """Return whether an action may go by a price of this validity."""
    return validity >= TOLERATES[action]


def unfit(what: str, validity: Validity, action: Action) -> Unavailable:
    """Return the error that says why an action may not go by a price.

    `what` names the price, such as "the price of BTC (pyth)". The codes are `price.corrupt`,
    `price.volatile`, `price.disagreement`, `price.uncertain`, `price.unconfirmed`, `price.stale`,
    `price.strained` and `market.closed`.
    """
    assert not allows(action, validity), "an error says what is wrong"
    code, why = _WHY[validity]
    return Unavailable(
        f"{what} {why}: {action} takes {TOLERATES[action].name} or better, not {validity.name};"
        " see `quantdesk prices`",
        code=code,
    )


def of_age(age_ms: int, bounds: Bounds = BOUNDS) -> Validity:
    """Return the validity that age alone leaves a price, in milliseconds.

    A desk that trades on older prices than it reckons margins with reckons with those too.
    """
    if age_ms <= min(bounds.age_warn_ms, bounds.age_trade_ms):
        return Validity.VALID
    if age_ms <= bounds.age_trade_ms:
        return Validity.STRAINED
    return Validity.STALE if age_ms <= bounds.age_margin_ms else Validity.STALE_FOR_MARGIN


def of_confidence(bps: float, bounds: Bounds = BOUNDS) -> Validity:
    """Return the validity that a confidence leaves a price, in basis points of it."""
    if bps <= bounds.confidence_warn_bps:
        return Validity.VALID
    return Validity.STRAINED if bps <= bounds.confidence_max_bps else Validity.TOO_UNCERTAIN


def of_agreement(bps: float, bounds: Bounds = BOUNDS) -> Validity:
    """Return the validity that the distance of the outermost sources leaves a price."""
    if bps <= bounds.agreement_warn_bps:
        return Validity.VALID
    return Validity.STRAINED if bps <= bounds.agreement_max_bps else Validity.DISAGREES


def of_swing(times: float, bounds: Bounds = BOUNDS) -> Validity:
    """Return the validity of a price that is so many times its own mean."""
    inside = 1 / bounds.swing <= times <= bounds.swing
    return Validity.VALID if inside else Validity.TOO_VOLATILE
