"""How the frames of each source are read, by its name: for recordings, which hold those of any.

The same words that the live sources speak (`words`), so a recording gives the same events.
"""

from collections.abc import Callable, Mapping, Sequence

from quantdesk.core.ticks import Event, Frame
from quantdesk.sources.words import (
    binance,
    cryptopanic,
    discord,
    feeds,
    hermes,
    reddit,
    simulated,
    switchboard,
    x,
)

Read = Callable[[Frame], Sequence[Event]]
"""Returns what a frame says; raises `Corrupt` (`message.unreadable`)."""

READERS: Mapping[str, Read] = {
    "binance": lambda frame: binance.read(frame.data, frame.feed),
    "binance.futures": lambda frame: binance.read(frame.data, frame.feed),
    "cryptopanic": lambda frame: cryptopanic.read(frame.data, frame.feed),
    "discord": lambda frame: discord.read(frame.data, frame.feed),
    "pyth": lambda frame: hermes.read(frame.data, frame.feed),
    "reddit": lambda frame: reddit.read(frame.data, frame.feed),
    "rss": lambda frame: feeds.read(frame.data, frame.feed),
    "simulated": lambda frame: simulated.read(frame.data, frame.feed),
    "switchboard": lambda frame: switchboard.read(frame.data, frame.feed, frame.received_ms),
    "x": lambda frame: x.read(frame.data, frame.feed),
}
