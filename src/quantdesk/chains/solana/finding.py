"""Finding accounts of a program by their bytes.

Method: https://solana.com/docs/rpc/http/getprogramaccounts
"""

from base64 import b64encode
from collections.abc import Sequence
from typing import Final

import msgspec

from quantdesk.chains.solana.rpc import Rpc

_NOTHING: Final = {"offset": 0, "length": 0}


class _Found(msgspec.Struct, frozen=True):
    pubkey: str


async def find(
    rpc: Rpc, program: str, *, size: int, bytes_at: Sequence[tuple[int, bytes]]
) -> list[str]:
    """Return the addresses of a program's accounts of this size with these bytes, sorted.

    Raises `Unavailable` when the node does not answer, `Refused` when it does not search.
    """
    matches = [
        {"memcmp": {"offset": at, "bytes": b64encode(wanted).decode(), "encoding": "base64"}}
        for at, wanted in bytes_at
    ]
    config = {
        "encoding": "base64",
        "commitment": "confirmed",
        "dataSlice": _NOTHING,
        "filters": [{"dataSize": size}, *matches],
    }
    answer = await rpc.ask("getProgramAccounts", program, config, answer=list[_Found])
    return sorted(found.pubkey for found in answer)
