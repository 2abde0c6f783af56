"""What a server's refusal means for any source that connects: wait, try again, or give up; pure.

Statuses: https://www.rfc-editor.org/rfc/rfc9110#name-status-codes, and 418 as Binance uses it, for
those who go on asking after 429.
"""

from typing import Final

from quantdesk.core.errors import Unavailable

BUSY: Final = frozenset({418, 429, 503})
BARRED: Final = frozenset({403, 451})
"""Not from this place: no other try can help."""
WAIT_S: Final = 60.0
"""Where a busy server does not say how long."""
WAIT_S_MAX: Final = 3 * 24 * 3600.0
"""The longest ban there is at Binance."""


class Declined(Unavailable):
    """A server answered, and not with what was asked; do not ask again for `wait_s`."""

    def __init__(self, detail: str, *, status: int, wait_s: float = 0.0) -> None:
        super().__init__(detail, code=_CODES.get(status, "source.declined"))
        self.status = status
        self.wait_s = wait_s

    @property
    def lasting(self) -> bool:
        """Say whether no other try can cure it."""
        return self.status in BARRED


_CODES: Final = {
    403: "source.barred", 451: "source.barred", 418: "source.busy", 429: "source.busy",
}  # fmt: skip


def retry_after_s(status: int, said: str | None) -> float:
    """Return how long a server that answered with `status` wants to be left alone, in seconds."""
    if status not in BUSY:
        return 0.0
    if said is None or not (said.isascii() and said.isdecimal()):
        return WAIT_S
    return min(float(said), WAIT_S_MAX)
