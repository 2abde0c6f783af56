"""Whether a node keeps up with its cluster, as it says itself.

A node that has fallen behind answers and tells of slots like any other, only old ones: what it says
of pools looks fresh and is not. Agave knows when it is 128 slots behind, some 50 s:
https://solana.com/docs/rpc/http/gethealth
"""

from quantdesk.chains.solana.rpc import BEHIND, Rpc
from quantdesk.core.errors import DeskError


async def check_abreast(rpc: Rpc) -> None:
    """Raise `Unavailable` (`rpc.behind`) when the node says that it is behind its cluster.

    A node that does not say, as some providers', is believed.
    """
    try:
        await rpc.ask("getHealth", answer=str)
    except DeskError as problem:
        if problem.code == BEHIND:
            raise
