"""The floor of a mode, for a process that signs. Modes are walls: paper's cannot reach a key."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path

from quantdesk.app.bounds import ELSEWHERE
from quantdesk.app.localnet import open_localnet
from quantdesk.app.opened import Hands, Opened
from quantdesk.app.paper import open_paper
from quantdesk.engines.orders.quality.bias import Bias
from quantdesk.engines.orders.reference import Reference
from quantdesk.ops.tasks import Tasks
from quantdesk.settings import Settings


def open_floor(
    settings: Settings, home: Path, reference: Reference, bias: Bias, tasks: Tasks, hands: Hands
) -> AbstractAsyncContextManager[Opened]:
    """Return the floor of the mode; raises as each when it is entered."""
    if settings.mode == "paper":
        return open_paper(settings, reference=reference, clock=reference.clock)
    if settings.mode in ELSEWHERE:
        # Keys of money, ciphers and exchanges: nothing of it is even loaded in other modes.
        from quantdesk.app.cluster import open_cluster  # noqa: PLC0415

        return open_cluster(
            settings, home, reference=reference, bias=bias, tasks=tasks, hands=hands
        )
    return open_localnet(settings, home, reference=reference, bias=bias, tasks=tasks, hands=hands)
