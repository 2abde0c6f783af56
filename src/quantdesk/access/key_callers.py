"""Callers of a process that knows API keys alone: it signs nobody in and reads no token."""

from collections.abc import Callable

from quantdesk.access.keys import PREFIX, Given, bearer, digest
from quantdesk.access.known.known import Known
from quantdesk.access.model import Principal
from quantdesk.core.clock import Clock


class KeyCallers:
    """The callers of an ingest process; see the port `callers.py`."""

    def __init__(self, known: Known, *, clock: Clock) -> None:
        self._known = known
        self._clock = clock

    def caller(self, given: Given) -> Principal | None:
        """Return who an API key speaks for, if anybody."""
        key = bearer(given.authorization or "")
        if not key.startswith(PREFIX):
            return None
        return self._known.directory.by_key(digest(key), ip=given.ip, now_ms=self._clock.now_ms())

    async def late_caller(self, _: Given) -> Principal | None:
        """Return nobody: keys are known at once."""
        return None

    def still(self, principal: Principal) -> bool:
        """Return whether a caller of earlier may do now what they could then."""
        now = self._known.directory.now(principal, now_ms=self._clock.now_ms())
        return now is not None and (now.role, now.may) == (principal.role, principal.may)

    def csrf(self, _: str) -> str:
        """Return that no cookie holds."""
        return ""

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call a listener after every change of what is known."""
        self._known.on_change(listener)
