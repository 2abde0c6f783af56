"""Port of the edge: who the credentials of a request speak for.

    Authorization: Bearer (API key qd_… or session token), else the cookie, else a socket's ticket

A header that says nobody is not made up for by a cookie: whoever sends one means it.
"""

from collections.abc import Callable
from typing import Protocol

from quantdesk.access.keys import Given
from quantdesk.access.model import Principal


class Callers(Protocol):
    """Knows who credentials speak for."""

    def caller(self, given: Given) -> Principal | None:
        """Return who is asking, if anybody; takes microseconds and no I/O.

        Raises `Unavailable` (`access.stale`) when what is known is too old to rely on.
        """

    async def late_caller(self, given: Given) -> Principal | None:
        """Return who is asking where the database must be asked; raise `Unavailable`.

        That is for a socket's ticket, and for a session another process opened a moment ago.
        """

    def still(self, principal: Principal) -> bool:
        """Return whether a caller of earlier may do now what they could then."""

    def csrf(self, cookie: str) -> str:
        """Return what the header X-CSRF-Token holds of whoever has this cookie."""

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call a listener each time something changed that `still` depends on."""
