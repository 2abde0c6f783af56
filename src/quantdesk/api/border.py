"""What the edge asks of the desk's protections: who stands behind a proxy, who may come in now.

Each is a function with a default that changes nothing, so that a desk without one still serves.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from quantdesk.access.model import Origin, Principal
from quantdesk.api.given import Seen, direct
from quantdesk.core.errors import DeskError

Admit = Callable[[Principal | None, Origin, str, str], Sequence[tuple[bytes, bytes]]]
"""Is asked before a request (caller, origin, method, path) is served; may raise `DeskError`.

What it returns goes out as headers of the answer."""

Refusal = Callable[[DeskError, Principal | None, Origin, str], None]
"""Is told of each request that was refused: why, of whom, from where, which path."""


def _admit(*_: object) -> Sequence[tuple[bytes, bytes]]:
    return ()


def _unheard(*_: object) -> None:
    return


@dataclass(frozen=True, slots=True, kw_only=True)
class Border:
    """What the edge asks of the desk's protections; by default of none.

    `origins` are those of other sites whose pages may use a browser's cookie.
    """

    seen: Seen = direct
    origins: frozenset[str] = frozenset()
    admit: Admit = _admit
    refused: Refusal = _unheard
