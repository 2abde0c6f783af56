"""`quantdesk quality`: what fills cost against their quotes, and what the market did after them.

By venue as table and bars, or every leg with its prices, for eyes or for a spreadsheet.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.table import Table
from rich.text import Text

from quantdesk import settings as knobs
from quantdesk.cli import bars, typed
from quantdesk.cli.client import client
from quantdesk.cli.legs import NOTE, bps, cost, each, spreadsheet
from quantdesk.cli.running import run
from quantdesk.cli.terminal import PROGRAM, Home, Json, answer, say, verbatim
from quantdesk.core.clock import Clock, SystemClock, iso, unix_ms
from quantdesk.core.errors import Refused
from quantdesk.engines.orders.quality.wire import FillView, QualityView, VenueView

_ROWS = 500
_PAGES_MAX = 200  # of a spreadsheet: 100,000 legs
_VIEWS = ("venues", "fills", "csv")
_BAR_COLUMNS = 32
_NOTE = """\
basis points, positive is worse for you
cost: landed against quoted, ± one standard error; simulated: simulated against quoted
10 s, 1 min, 5 min: how far the market then stood against the fill
bias: what routing adds to the venue's quotes, from its past fills"""
_SPAN = re.compile(r"([1-9][0-9]{0,5})([mhd])")
_UNIT_MS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000}


class _Page(msgspec.Struct, frozen=True, rename="camel"):
    next_cursor: str | None


def quality(
    pair: Annotated[str | None, typer.Option(help="Only fills of this pair.")] = None,
    venue: Annotated[str | None, typer.Option(help="Only fills of this venue.")] = None,
    since: Annotated[
        str | None, typer.Option(help="Only fills since: 24h, 7d, 30m, or 2026-01-31T12:00:00Z.")
    ] = None,
    view: Annotated[
        str, typer.Option("--as", help="venues, fills (every leg with its prices), or csv of them.")
    ] = "venues",
    json: Json = False,  # noqa: FBT002 - a flag
    home: Home = None,
) -> None:
    """Show what fills cost, by venue: quoted, filled, and where the market went after them."""
    if view not in _VIEWS:
        raise Refused(f"{view} is no view: write {', '.join(_VIEWS)}", code="view.unknown")
    place, query = knobs.home(home), _asked(pair, venue, since)
    told = run(_read(place, query, pages=_PAGES_MAX if view == "csv" else 1))
    if json:
        verbatim(told[0].decode())
        return
    pages = [msgspec.json.decode(page, type=QualityView) for page in told]
    found = QualityView([row for page in pages for row in page.rows], pages[0].summary, None)
    if view == "csv":
        verbatim(spreadsheet(found.rows).rstrip("\n"))
    elif not found.summary:
        say(run(_nothing(place, is_narrowed=len(query) > 1)), style="")
    elif view == "fills":
        answer(each(found.rows))
        answer(Text(NOTE, style="dim"))
    else:
        _by_venue(found)
    if pages[-1].next_cursor is not None:
        shown = "the bars are of" if view == "venues" else "only"
        say(f"{shown} the latest {len(found.rows)} legs: narrow with --since, --pair or --venue")


def _asked(pair: str | None, venue: str | None, since: str | None) -> dict[str, str | int]:
    query: dict[str, str | int] = {"limit": _ROWS}
    if pair is not None:
        query["pair"] = typed.pair(pair)
    if venue is not None:
        query["venue"] = venue.strip().lower()
    if since is not None:
        query["since"] = moment(since, clock=SystemClock())
    return query


def _by_venue(found: QualityView) -> None:
    answer(table(found.summary))
    answer(Text(_NOTE, style="dim"))
    for venue, costs in by_venue(found.rows).items():
        answer()
        answer(drawn(venue, costs))
    if apart := sum(venue.fee_apart for venue in found.summary):
        say(f"{apart} fills paid a fee in another asset, which is in no cost: see --as fills")


def table(venues: Sequence[VenueView]) -> Table:
    """Return venues and pairs with their mean costs."""
    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for title in ("venue", "pair"):
        shown.add_column(title, no_wrap=True)
    for title in ("fills", "cost", "±", "simulated", "10 s", "1 min", "5 min", "bias"):
        shown.add_column(title, no_wrap=True, justify="right")
    for venue in venues:
        shown.add_row(
            venue.venue,
            venue.pair,
            str(venue.fills),
            cost(venue.mean_cost_bps),
            bps(venue.stderr_bps, sign=""),
            bps(venue.quoted_to_simulated_bps),
            *(
                bps(cost)
                for cost in (venue.markout10s_bps, venue.markout1m_bps, venue.markout5m_bps)
            ),
            bps(venue.bias_bps),
        )
    return shown


def by_venue(rows: Sequence[FillView]) -> dict[str, list[Decimal]]:
    """Return the costs of each venue's fills, landed against quoted."""
    found: dict[str, list[Decimal]] = {}
    for row in rows:
        if row.cost_bps.quoted_to_landed is not None:
            found.setdefault(row.venue, []).append(Decimal(row.cost_bps.quoted_to_landed))
    return dict(sorted(found.items()))


def drawn(venue: str, costs: Sequence[Decimal]) -> Table:
    """Return how a venue's costs are spread, as bars."""
    bins = bars.histogram(costs)
    most = max(one.held for one in bins)
    shown = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    shown.add_column(f"{venue}, cost bps", justify="right", no_wrap=True)
    shown.add_column("fills", justify="right", no_wrap=True)
    shown.add_column("", no_wrap=True)
    for one in bins:
        line = Text(bars.bar(one.held, most, width=_BAR_COLUMNS), style="cyan")
        shown.add_row(bars.label(one), str(one.held), line)
    return shown


def moment(text: str, *, clock: Clock) -> str:
    """Return an ISO-8601 time: that long ago, or the one that was typed.

    Raises `Refused` (`since.unreadable`).
    """
    wanted = text.strip()
    if span := _SPAN.fullmatch(wanted.lower()):
        return iso(max(0, clock.now_ms() - int(span[1]) * _UNIT_MS[span[2]]))
    try:
        then = datetime.fromisoformat(wanted)
    except ValueError:
        raise Refused(
            f"{text} is no time: write 24h, 7d, 30m, or 2026-01-31T12:00:00Z",
            code="since.unreadable",
        ) from None
    return iso(unix_ms(then if then.tzinfo else then.replace(tzinfo=UTC)))


async def _nothing(home: Path, *, is_narrowed: bool) -> str:
    """Return why nothing is shown, and what there would be without the filters."""
    [every] = await _read(home, {"limit": 1}, pages=1) if is_narrowed else [b""]
    summary = msgspec.json.decode(every, type=QualityView).summary if every else []
    if not summary:
        return f"no fills yet; place an order: {PROGRAM} order buy 10.5 SOL-USDC --watch"
    venues = ", ".join(dict.fromkeys(told.venue for told in summary))
    pairs = ", ".join(dict.fromkeys(told.pair for told in summary))
    return f"no fills match; without --pair, --venue and --since there are: {pairs} on {venues}"


async def _read(home: Path, query: dict[str, str | int], *, pages: int) -> list[bytes]:
    """Return at most so many pages, the latest first."""
    told: list[bytes] = []
    async with client(home) as desk:
        while len(told) < pages:
            told.append(await desk.get("/api/execution/quality", query))
            cursor = msgspec.json.decode(told[-1], type=_Page).next_cursor
            if cursor is None:
                break
            query = {**query, "cursor": cursor}
    return told
