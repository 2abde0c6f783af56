"""A floor as `desk.py` needs it, whatever the mode."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from quantdesk.engines.orders.floor import Floor
from quantdesk.ops.health import Probe


@dataclass(frozen=True, slots=True)
class Opened:
    """A floor, what is known of its wallet's money, and how its chain is."""

    floor: Floor
    balances: Callable[[], Awaitable[dict[str, int]]]
    known_balances: Callable[[], Mapping[str, int] | None]
    probes: Mapping[str, Probe] = field(default_factory=dict)
    urls: Mapping[str, str] = field(default_factory=dict)
