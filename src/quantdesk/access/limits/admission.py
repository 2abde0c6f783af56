"""The hook of the edge: whether a request comes in now, and what its sender is told of the rates.

    Border(admit=Admission(rates, clock=clock))

Asked once for every request, before its body is read. Whoever refuses elsewhere, such as the watch
over threats, is asked before or after: it is one more function of the same shape.
"""

from collections.abc import Sequence

from quantdesk.access.limits.rates import Rates
from quantdesk.access.limits.routes import class_of
from quantdesk.access.model import Origin, Principal
from quantdesk.core.clock import Clock


class Admission:
    """Lets requests in at the rates of their class."""

    def __init__(self, rates: Rates, *, clock: Clock) -> None:
        self._rates = rates
        self._clock = clock

    def __call__(
        self, principal: Principal | None, origin: Origin, method: str, path: str
    ) -> Sequence[tuple[bytes, bytes]]:
        """Return the header fields of the answer; raise `TooMany` (`request.too_many`)."""
        verdict = self._rates.take(
            principal, origin.ip, class_of(method, path), self._clock.monotonic()
        )
        verdict.check()
        return verdict.headers()
