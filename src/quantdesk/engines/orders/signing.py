"""What the process that signs tells the others of one desk, every few seconds, by the database.

worker: wallet, chain, balances → signing (a row per mode) → api: whose wallet, where, how much
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

EVERY_S: Final = 2.0
"""Between two announcements, and between two looks at them."""
SILENT_S: Final = 30.0
"""A wallet nobody spoke for this long makes room for another one."""


@dataclass(frozen=True, slots=True)
class Signing:
    """Whose wallet signs: its address, its chain, what it holds by symbol in base units.

    `rpc` and `ws` are the localnet's, empty where settings name the node; `tables` are lookup
    tables; `balances` is None where nothing settles or nothing was read yet.
    """

    wallet: str
    rpc: str = ""
    ws: str = ""
    tables: tuple[str, ...] = ()
    balances: Mapping[str, int] | None = None

    @property
    def place(self) -> tuple[object, ...]:
        """Return what a process that reads along is opened on."""
        return self.wallet, self.rpc, self.ws, self.tables


@dataclass(frozen=True, slots=True)
class Announced:
    """An announcement and its age in seconds; None when its worker stopped in good order."""

    told: Signing
    age_s: float | None

    @property
    def lives(self) -> bool:
        """Return whether a worker spoke lately."""
        return self.age_s is not None and self.age_s < 5 * EVERY_S
