"""Execution quality over HTTP: what each fill was quoted, simulated and filled at, and came to."""

import re
from decimal import Decimal
from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from quantdesk.access.model import Permission
from quantdesk.api.answers import json, returns
from quantdesk.api.malformed import cut
from quantdesk.api.needs import needs
from quantdesk.core.clock import iso, unix_ms
from quantdesk.core.errors import Refused
from quantdesk.core.markets import market
from quantdesk.core.money import from_raw
from quantdesk.engines.orders.quality.bias import Bias, cost_bps, markout_bps
from quantdesk.engines.orders.quality.ledger import Ledger
from quantdesk.engines.orders.quality.model import HORIZONS, Entry, Mark
from quantdesk.engines.orders.quality.store import Filter, Place, Tally

_CURSOR = re.compile(r"([0-9]{1,13})\.([0-9a-f-]{36})\.([0-9]{1,4})")
_YEARS = range(2000, 2200)  # what clocks and databases agree on, with room to spare
_VENUE = r"^[A-Za-z0-9_.:> -]{1,64}$"  # a path through a third token names several
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


class QualityQuery(BaseModel):
    """Which fills are wanted; `cursor` is the `nextCursor` of the page before."""

    model_config = ConfigDict(extra="forbid")

    pair: str | None = None
    venue: str | None = Field(None, pattern=_VENUE)
    order_id: UUID | None = Field(None, alias="orderId")
    since: AwareDatetime | None = None
    limit: int = Field(50, ge=1, le=500)
    cursor: str | None = None


class ExecutionRoutes:
    """The routes of execution quality."""

    def __init__(self, *, ledger: Ledger) -> None:
        self._ledger = ledger

    def routes(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(prefix="/api/execution", tags=["execution"])

        @router.get(
            "/quality",
            **needs(Permission.ORDERS_READ),
            responses=returns(QualityView),
            summary="What fills cost, by venue and pair",
        )
        async def quality(request: Request, asked: Annotated[QualityQuery, Query()]) -> Response:
            account_id = request.scope["principal"].account_id
            wanted = _wanted(asked, account_id, self._ledger.mode)
            found = await self._ledger.page(wanted)
            shown = found[: asked.limit]
            tallies = await self._ledger.tallies(wanted)
            return json(
                QualityView(
                    rows=[fill_view(entry) for entry in shown],
                    summary=[venue_view(tally, self._ledger.bias) for tally in tallies],
                    next_cursor=_cursor(shown[-1]) if len(found) > asked.limit else None,
                )
            )

        return router


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


def _wanted(asked: QualityQuery, account_id: UUID, mode: str) -> Filter:
    if asked.since is not None and asked.since.year not in _YEARS:
        raise _malformed(f"since must be from {_YEARS[0]} to {_YEARS[-1]}")
    return Filter(
        account_id=account_id,
        mode=mode,
        pair=None if asked.pair is None else market(cut(asked.pair)).pair,
        venue=asked.venue,
        order_id=asked.order_id,
        since_ms=None if asked.since is None else unix_ms(asked.since),
        before=None if asked.cursor is None else _place(asked.cursor),
        limit=asked.limit + 1,
    )


def _cursor(entry: Entry) -> str:
    return f"{entry.landed_ms}.{entry.order_id}.{entry.leg}"


def _place(cursor: str) -> Place:
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise _malformed("cursor must be the nextCursor of a page before")
    try:
        return int(found[1]), UUID(found[2]), int(found[3])
    except ValueError:
        raise _malformed("cursor must be the nextCursor of a page before") from None


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


def _malformed(detail: str) -> Refused:
    return Refused(detail, code="request.malformed")
