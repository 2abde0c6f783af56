"""Port of the sources family: all that ingest asks of a price source."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from quantdesk.core.prices import Reading


class Source(Protocol):
    """A stream of readings that reconnects by itself until its task is cancelled."""

    @property
    def name(self) -> str:
        """Return the short name that readings carry and users see."""

    def stream(self, symbols: Sequence[str]) -> AsyncIterator[Reading]:
        """Yield readings of these assets in the order they arrive.

        Ends when the source has nothing more to say (a recording); raises `Unavailable` only after
        giving up for good, `Corrupt` never: an unreadable message is counted and passed over.
        """
