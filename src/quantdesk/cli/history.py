"""`quantdesk backfill`, `quantdesk gaps` and `quantdesk forget`: what is stored of markets."""

import importlib.util
import os
import random
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Annotated, Final

import typer
from rich.live import Live
from rich.table import Table
from rich.text import Text

from quantdesk import settings as knobs
from quantdesk.cli.running import run
from quantdesk.cli.stored import stored
from quantdesk.cli.terminal import Home, answer, err
from quantdesk.cli.typed import nearest
from quantdesk.core.candles import INTERVALS
from quantdesk.core.clock import Clock, SystemClock, iso, unix_ms
from quantdesk.core.errors import Refused
from quantdesk.core.ids import ids
from quantdesk.ingest.backfill import Backfill, Filled, Wanted
from quantdesk.ingest.store import forget as forgetting
from quantdesk.ingest.store import read
from quantdesk.ingest.store.model import Gap
from quantdesk.sources.binance.exchange import SPOT, USD_M, Exchange
from quantdesk.sources.binance.klines import BinanceKlines
from quantdesk.sources.ccxt_klines import CcxtKlines
from quantdesk.store.pool import Pools

HISTORIES: Final[Mapping[str, Exchange]] = MappingProxyType(
    {exchange.name: exchange for exchange in (SPOT, USD_M)}
)
_AGO: Final = re.compile(r"([0-9]{1,6})(m|h|d)", re.ASCII)
_AGO_MS: Final = {"m": 60_000, "h": 3_600_000, "d": 86_400_000}
_CURRENCY: Final = "USDT"
_NAME: Final = re.compile(r"[A-Z0-9]{1,20}", re.ASCII)

Symbol = Annotated[str, typer.Argument(metavar="SYMBOL", help="The asset, such as BTC.")]
Begin = Annotated[
    str, typer.Option("--from", help="Since when: 2026-01-31, with a time, or 7d, 12h, 30m ago.")
]
End = Annotated[str, typer.Option("--to", help="Until when; now unless given.")]


def backfill(
    symbol: Symbol,
    begin: Begin,
    end: End = "",
    interval: Annotated[str, typer.Option(help=", ".join(INTERVALS))] = "1m",
    market: Annotated[
        str,
        typer.Option(
            "--exchange",
            "--market",
            help="Exchange and currency, USDT where none is told: binance, binance.futures, or any "
            "that ccxt knows, such as kraken/USD, coinbase/USD, okx or bybit. Others than Binance "
            "need ccxt: pip install 'quantdesk\\[backfill]'.",
        ),
    ] = "binance/USDT",
    home: Home = None,
) -> None:
    """Fetch the candles that are missing from an exchange, and add them up.

    What is stored already is not asked for; a run that was cut goes on where it ended.
    """
    place, clock = knobs.home(home), SystemClock()
    settings = knobs.load(place)
    source, _, currency = market.partition("/")
    if interval not in INTERVALS:
        raise Refused(
            f"--interval {interval}: choose {', '.join(INTERVALS)}", code="interval.unknown"
        )
    wanted = Wanted(
        (source, named(symbol), named(currency or _CURRENCY)),
        interval,
        moment(begin, clock.now_ms()),
        moment(end, clock.now_ms()) if end else clock.now_ms(),
    )
    asked = history(source, clock)

    async def fill(told: Callable[[Filled], None]) -> Filled:
        async with stored(place, settings) as pools, asked as klines:
            work = Backfill(pools, klines, clock=clock, chance=_chance())
            return await work.run(wanted, told)

    with _counting() as told:
        done = run(fill(told))
    answer(
        f"{done.missing} candles were missing: {done.stored} stored, {done.absent} the exchange"
        f" does not have; {done.rolled_up} larger ones added up"
    )


def gaps(
    fate: Annotated[
        str, typer.Option(help="missing, filled, lost or absent; all unless given.")
    ] = "",
    limit: Annotated[int, typer.Option(min=1, max=read.GAPS_MAX)] = 50,
    home: Home = None,
) -> None:
    """List what is known to be missing of the market data stored, the latest first."""
    place = knobs.home(home)

    async def listed(pools: Pools) -> list[Gap]:
        async with pools.read.connection() as c:
            return await read.gaps(c, fate=fate or None, limit=limit)

    async def ask() -> list[Gap]:
        async with stored(place, knobs.load(place)) as pools:
            return await listed(pools)

    found = run(ask())
    answer(_table(found) if found else "no gaps are known")


def forget(
    source: Annotated[str, typer.Option(help="Whose word is bad, such as binance.")],
    begin: Begin,
    end: End,
    reason: Annotated[str, typer.Option(help="Why; kept with what was taken out.")],
    symbol: Annotated[str, typer.Option(help="Of this asset alone.")] = "",
    home: Home = None,
) -> None:
    """Take out what a source told in a range, prices and candles; a backfill fetches it again."""
    place, clock = knobs.home(home), SystemClock()
    now_ms = clock.now_ms()
    what = forgetting.Forgetting(
        id=ids(clock.now_ms)(),
        at_ms=now_ms,
        actor="owner",
        reason=reason.strip(),
        source=source,
        symbol=named(symbol) if symbol else None,
        currency=None,
        from_ms=moment(begin, now_ms),
        to_ms=moment(end, now_ms),
    )
    if not what.reason or what.from_ms >= what.to_ms:
        raise Refused("say why, and a --from that is before --to", code="forget.malformed")

    async def take_out() -> tuple[int, int]:
        async with (
            stored(place, knobs.load(place)) as pools,
            pools.write.transaction() as c,
        ):
            return await forgetting.forget(c, what)

    ticks, candles = run(take_out())
    answer(f"forgot {ticks} prices and {candles} candles of {source}")


def history(source: str, clock: Clock) -> BinanceKlines | CcxtKlines:
    """Return an exchange that can be asked for its past; any but Binance through ccxt.

    Raises `Refused` (`source.unknown`, `backfill.missing`).
    """
    found = HISTORIES.get(source)
    if found is not None:
        return BinanceKlines(found, clock=clock)
    near = nearest(source, list(HISTORIES))
    if near and importlib.util.find_spec("ccxt") is None:
        raise Refused(
            f"{source} tells no candles of the past: did you mean {near}? Exchanges other than"
            " Binance take ccxt: pip install 'quantdesk[backfill]'",
            code="source.unknown",
        )
    return CcxtKlines(source)


def named(text: str) -> str:
    """Return an asset's name in capitals; raise `Refused` (`symbol.unknown`)."""
    name = text.strip().upper()
    if not _NAME.fullmatch(name):
        raise Refused(f"{text[:40]!r} is no asset", code="symbol.unknown")
    return name


def moment(text: str, now_ms: int) -> int:
    """Return a date, a time (UTC unless it says otherwise) or `7d` ago in Unix milliseconds.

    Raises `Refused` (`time.unreadable`).
    """
    ago = _AGO.fullmatch(text.strip())
    if ago is not None:
        return now_ms - int(ago[1]) * _AGO_MS[ago[2]]
    try:
        told = datetime.fromisoformat(text.strip())
    except ValueError:
        raise Refused(
            f"{text[:40]!r} is no time: write 2026-01-31, 2026-01-31T12:00, or 7d for a week ago",
            code="time.unreadable",
        ) from None
    return max(0, unix_ms(told if told.tzinfo else told.replace(tzinfo=UTC)))


@contextmanager
def _counting() -> Iterator[Callable[[Filled], None]]:
    """Give a way to draw the count: in place on a terminal, nowhere else."""
    if not err.is_terminal:
        yield lambda _: None
        return
    with Live(console=err, auto_refresh=False, transient=True) as live:
        yield lambda done: live.update(
            Text(f"{done.stored + done.absent} of {done.missing}"), refresh=True
        )


def _table(found: list[Gap]) -> Table:
    table = Table("what", "source", "market", "from", "to", "count", "why", "fate", box=None)
    for gap in found:
        what = f"{gap.kind} {gap.interval}".strip()
        market = f"{gap.symbol}/{gap.currency}"
        table.add_row(
            what, gap.source, market, iso(gap.from_ms), iso(gap.to_ms), str(gap.count),
            gap.reason, gap.fate,
        )  # fmt: skip
    return table


def _chance() -> Callable[[], float]:
    return random.Random(os.urandom(8)).random  # noqa: S311 - jitter keeps no secret
