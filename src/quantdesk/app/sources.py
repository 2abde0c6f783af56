"""Which sources a desk listens to: what `--source` says, joined with their adapters."""

import os
import random
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from quantdesk.core.backoff import Chance
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Refused
from quantdesk.ingest.collect import Candidate, answering
from quantdesk.settings import SourcesSettings
from quantdesk.sources.binance import SPOT, USD_M, Binance
from quantdesk.sources.port import Source
from quantdesk.sources.pyth import Pyth
from quantdesk.sources.recorded import Recorded
from quantdesk.sources.simulated import Simulated
from quantdesk.sources.switchboard import Switchboard, feeds_named

RECORDED: Final = "recorded:"
AUTO: Final = "auto"
SHARED: Final = "shared"
"""What an ingest process hears, and not a source of one's own: it is joined elsewhere."""

Open = Callable[[SourcesSettings, Clock], Source]


def chance() -> Chance:
    """Return a source of jitter."""
    return random.Random(os.urandom(8)).random  # noqa: S311 - jitter keeps no secret


def _binance(settings: SourcesSettings, clock: Clock) -> Binance:
    exchange = SPOT.at(stream_url=settings.binance_stream_url, rest_url=settings.binance_rest_url)
    return Binance(exchange, clock=clock, chance=chance())


def _futures(settings: SourcesSettings, clock: Clock) -> Binance:
    exchange = USD_M.at(stream_url=settings.futures_stream_url, rest_url=settings.futures_rest_url)
    return Binance(exchange, clock=clock, chance=chance())


def _pyth(settings: SourcesSettings, clock: Clock) -> Pyth:
    if not settings.pyth_url:
        raise Refused("set sources.pyth_url to use pyth", code="source.settings")
    return Pyth(
        clock=clock,
        chance=chance(),
        base_url=settings.pyth_url,
        api_key=settings.pyth_key or None,
    )


def _switchboard(settings: SourcesSettings, clock: Clock) -> Switchboard:
    if not (settings.switchboard_url and settings.switchboard_feeds):
        raise Refused(
            "set sources.switchboard_url and sources.switchboard_feeds to use switchboard",
            code="source.settings",
        )
    return Switchboard(
        clock=clock,
        chance=chance(),
        base_url=settings.switchboard_url,
        feeds=feeds_named(settings.switchboard_feeds),
        network=settings.switchboard_network,
    )


def _simulated(settings: SourcesSettings, clock: Clock) -> Simulated:
    return Simulated(clock=clock, seed=settings.seed)


NAMED: Final[Mapping[str, Open]] = {
    "binance": _binance,
    "binance.futures": _futures,
    "pyth": _pyth,
    "simulated": _simulated,
    "switchboard": _switchboard,
}
"""How each source of prices is made."""


def opened(name: str, settings: SourcesSettings, clock: Clock) -> Source:
    """Return one source by its name; `recorded:FILE` plays a file or a folder of tapes.

    Raises `Refused` (`source.unknown`, `source.settings`, `recording.missing`).
    """
    if name.startswith(RECORDED):
        path = Path(name.removeprefix(RECORDED)).expanduser()
        return Recorded(path=path, clock=clock, speed=settings.speed)
    open_it = NAMED.get(name)
    if open_it is None:
        near = get_close_matches(name, NAMED, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise Refused(
            f"there is no source {name}: {hint}choose auto, {', '.join(NAMED)} or recorded:FILE",
            code="source.unknown",
        )
    return open_it(settings, clock)


async def chosen(named: str, settings: SourcesSettings, *, clock: Clock) -> Sequence[Source]:
    """Return the sources a user named, several with commas; raises as `opened`.

    `auto` takes every live source that is configured and answers within three seconds, and
    simulated prices where there is none.
    """
    if named == AUTO:
        return await _live(settings, clock) or [_simulated(settings, clock)]
    if named.startswith(RECORDED):
        return [opened(named, settings, clock)]  # a path may hold commas
    names = dict.fromkeys(filter(None, map(str.strip, named.split(","))))
    if not names:
        raise Refused("name a source: auto, or see the settings", code="source.unknown")
    return [opened(name, settings, clock) for name in names]


async def _live(settings: SourcesSettings, clock: Clock) -> list[Source]:
    binance = _binance(settings, clock)
    candidates = [Candidate(binance, binance.probe)]
    if settings.pyth_url:
        pyth = _pyth(settings, clock)
        candidates.append(Candidate(pyth, pyth.probe))
    if settings.switchboard_url:
        switchboard = _switchboard(settings, clock)
        candidates.append(Candidate(switchboard, switchboard.probe))
    return await answering(candidates, clock=clock)
