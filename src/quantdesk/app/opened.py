"""A floor as `desk.py` needs it, whatever the mode."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from quantdesk.api.localnet import Operator
from quantdesk.engines.orders.floor import Floor
from quantdesk.ops.health import Probe
from quantdesk.telemetry.metrics import Metrics, Rows


class Seals(Protocol):
    """What keeps wallets at rest: the sealer of `access/sealing.py`."""

    def seal(self, secret: bytes, *, about: str) -> bytes:
        """Return a secret as it may be stored."""

    def open(self, sealed: bytes, *, about: str) -> bytes:
        """Return the secret; raise `Corrupt` (`secret.unreadable`)."""

    def rewrap(self, sealed: bytes, *, about: str) -> bytes:
        """Return the same sealed secret under the newest key; raises as `open`."""


@dataclass(frozen=True, slots=True)
class Hands:
    """What opens the key of a floor's wallet, and who is told of the start.

    `port` is where other processes look for a localnet; 0 where nobody does.
    """

    wrapping: Seals
    say: Callable[[str], None]
    port: int = 0


@dataclass(frozen=True, slots=True)
class Opened:
    """A floor, what is known of its wallet's money, and how its chain is."""

    floor: Floor
    balances: Callable[[], Awaitable[dict[str, int]]]
    known_balances: Callable[[], Mapping[str, int] | None]
    probes: Mapping[str, Probe] = field(default_factory=dict)
    read: Callable[[str], Awaitable[Mapping[str, int]]] | None = None
    """Returns what any wallet of the chain holds; None where there is no chain."""
    urls: Mapping[str, str] = field(default_factory=dict)
    tables: tuple[str, ...] = ()
    """Lookup tables of the localnet, which processes without its keys cannot work out."""
    operator: Operator | None = None
    """Switches the faults of the localnet and makes its tokens; None in other modes."""
    found: Callable[[], Rows] = tuple
    """Returns how many pools were found, by venue, kind, and what became of them."""

    def export(self, metrics: Metrics) -> None:
        """Export what was found."""
        metrics.family(
            "pools", "Pools found, by what became of them.", ["venue", "kind", "state"], self.found
        )
