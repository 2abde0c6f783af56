"""Fills and what they cost in the words of the HTTP contract, which API and command line speak.

Prices and costs are decimal strings, so that no reader makes floats of them by accident.
"""

from decimal import Decimal

import msgspec

from quantdesk.core.clock import iso
from quantdesk.core.markets import market
from quantdesk.core.money import from_raw
from quantdesk.engines.orders.quality.bias import Bias, cost_bps, markout_bps
from quantdesk.engines.orders.quality.model import HORIZONS, Entry, Mark
from quantdesk.engines.orders.quality.store import Tally

_FINEST = Decimal("0.0001")


class CostsView(msgspec.Struct, frozen=True, rename="camel"):
    """Costs in basis points, positive where the trader is worse off; null where not known."""

    quoted_to_simulated: str | None
    simulated_to_landed: str | None
    quoted_to_landed: str | None
    landed_to_markout10s: str | None = msgspec.field(name="landedToMarkout10s")
    landed_to_markout1m: str | None = msgspec.field(name="landedToMarkout1m")
    landed_to_markout5m: str | None = msgspec.field(name="landedToMarkout5m")


class MarkView(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Where a board's price came from, when it was the board's word, and how old it was then.

    Or why it is missing.
    """

    at: str | None = None
    age_ms: int | None = None
    source: str | None = None
    missing: str | None = None


class FillView(msgspec.Struct, frozen=True, rename="camel"):
    """One leg of one fill; prices are quote per base as decimal strings, null until known.

    `provenance` tells of the board's prices by the name of their field. Legs that are not
    `measured` share what their order moved as they were quoted; legs that are not
    `simulatedMeasured` share so what its simulation said, where it said anything. `otherFees` were
    paid in assets that the order did not trade, such as BNB, and are in no price and no cost.
    """

    order_id: str
    leg: int
    legs: int
    measured: bool
    simulated_measured: bool
    venue: str
    pool: str
    kind: str
    pair: str
    direction: str
    mode: str
    base: str
    landed_at: str
    quoted: str | None
    simulated: str | None
    landed: str | None
    board_at_decision: str | None
    board_at_landing: str | None
    markout10s: str | None
    markout1m: str | None
    markout5m: str | None
    other_fees: dict[str, str]
    cost_bps: CostsView
    provenance: dict[str, MarkView]


class VenueView(msgspec.Struct, frozen=True, rename="camel"):
    """What a venue's fills of a pair came to: means in basis points, positive is worse.

    `meanCostBps` is landed against quoted. `split` fills were legs of larger orders. Of `feeApart`
    fills the venue took its fee in an asset that was not traded, which is in no cost; the router
    learns nothing from those. `biasBps` is what it now adds to the venue's quotes.
    """

    venue: str
    pair: str
    fills: int
    split: int
    fee_apart: int
    mean_cost_bps: str
    stderr_bps: str | None
    quoted_to_simulated_bps: str | None
    markout10s_bps: str | None
    markout1m_bps: str | None
    markout5m_bps: str | None
    bias_bps: str


class QualityView(msgspec.Struct, frozen=True, rename="camel"):
    """Fills, the latest first, and what all of those asked for came to by venue and pair.

    `nextCursor` asks for the older ones.
    """

    rows: list[FillView]
    summary: list[VenueView]
    next_cursor: str | None


def fill_view(entry: Entry) -> FillView:
    """Return an entry as clients read it."""
    names = [_FIELDS[horizon.name] for horizon in HORIZONS]
    marks = dict(zip(names, entry.marks, strict=False)) | {"boardAtDecision": entry.decision}
    side, landed = entry.side, entry.landed_price
    quoted, simulated = entry.quoted_price, entry.simulated_price
    after = [markout_bps(side, landed, _price(marks.get(name))) for name in names[1:]]
    known = {name: _text(_price(marks.get(name))) for name in ("boardAtDecision", *names)}
    return FillView(
        order_id=str(entry.order_id),
        leg=entry.leg,
        legs=entry.legs,
        measured=entry.measured,
        simulated_measured=entry.simulated_measured,
        venue=entry.venue,
        pool=entry.pool,
        kind=entry.kind,
        pair=entry.pair,
        direction=entry.side.value,
        mode=entry.mode,
        base=f"{from_raw(entry.base_raw, market(entry.pair).base.decimals):f}",
        landed_at=iso(entry.landed_ms),
        quoted=_text(quoted),
        simulated=_text(simulated),
        landed=_text(landed),
        board_at_decision=known["boardAtDecision"],
        board_at_landing=known["boardAtLanding"],
        markout10s=known["markout10s"],
        markout1m=known["markout1m"],
        markout5m=known["markout5m"],
        other_fees={symbol: f"{fee:f}" for symbol, fee in entry.other_fees.items()},
        cost_bps=CostsView(
            _text(cost_bps(side, quoted, simulated)),
            _text(cost_bps(side, simulated, landed)),
            _text(cost_bps(side, quoted, landed)),
            *(_text(cost) for cost in after),
        ),
        provenance={name: _mark_view(mark) for name, mark in marks.items()},
    )


def venue_view(tally: Tally, bias: Bias) -> VenueView:
    """Return what a venue's fills came to as clients read it."""
    group = tally.group
    after_10s, after_1m, after_5m = (_bps(cost) for cost in tally.markout_bps)
    return VenueView(
        venue=group.venue,
        pair=group.pair,
        fills=group.fills,
        split=tally.split,
        fee_apart=tally.fee_apart,
        mean_cost_bps=f"{group.mean_bps.quantize(_FINEST):f}",
        stderr_bps=_bps(group.stderr_bps),
        quoted_to_simulated_bps=_bps(tally.simulated_bps),
        markout10s_bps=after_10s,
        markout1m_bps=after_1m,
        markout5m_bps=after_5m,
        bias_bps=f"{bias.bps(group.venue, group.pair):f}",
    )


_FIELDS = {
    "landing": "boardAtLanding",
    "markout_10s": "markout10s",
    "markout_1m": "markout1m",
    "markout_5m": "markout5m",
}


def _mark_view(mark: Mark) -> MarkView:
    return MarkView(
        at=None if mark.at_ms is None else iso(mark.at_ms),
        age_ms=mark.age_ms,
        source=mark.source,
        missing=mark.missing,
    )


def _price(mark: Mark | None) -> Decimal | None:
    return None if mark is None else mark.price


def _text(number: Decimal | None) -> str | None:
    return None if number is None else f"{number:f}"


def _bps(number: Decimal | None) -> str | None:
    return None if number is None else f"{number.quantize(_FINEST):f}"
