"""`quantdesk cache`: the prices that processes share, seen and forgotten by hand."""

from typing import Annotated

import typer

from quantdesk import settings as knobs
from quantdesk.cli import figures
from quantdesk.cli.running import run
from quantdesk.cli.terminal import Home, answer
from quantdesk.core.assets import ASSETS
from quantdesk.core.clock import SystemClock, iso
from quantdesk.core.errors import Refused

app = typer.Typer(no_args_is_help=True, help="Cached prices that processes share by NATS.")
Symbol = Annotated[str | None, typer.Argument(help="An asset; all of them without one.")]


@app.command("show")
def show(symbol: Symbol = None, home: Home = None) -> None:
    """Show what the cache holds, and since when."""
    from quantdesk.app.cache import cached_prices  # noqa: PLC0415 - NATS is loaded where asked for

    settings = knobs.load(knobs.home(home))
    for one in run(cached_prices(settings, _named(symbol))):
        price, age = one.price, figures.span(max(0, SystemClock().now_ms() - one.stamp_ms))
        answer(
            f"{one.symbol:<6} {price.value:f} USD  {price.reading.source}  {price.validity.name}  "
            f"{age} old, of {iso(one.stamp_ms)}"
        )


@app.command("purge")
def purge(symbol: Symbol = None, home: Home = None) -> None:
    """Forget what the cache holds; an ingest process that runs puts what it knows anew."""
    from quantdesk.app.cache import purge_cached  # noqa: PLC0415 - as above

    symbols = _named(symbol)
    run(purge_cached(knobs.load(knobs.home(home)), symbols))
    answer(f"forgotten: {', '.join(symbols)}")


def _named(symbol: str | None) -> list[str]:
    if symbol is None:
        return list(ASSETS)
    if symbol.upper() not in ASSETS:
        raise Refused(f"{symbol} is not listed; assets: {', '.join(ASSETS)}", code="price.unknown")
    return [symbol.upper()]
