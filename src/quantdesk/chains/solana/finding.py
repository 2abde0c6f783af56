"""Finding accounts of a program by their bytes.

Method: https://solana.com/docs/rpc/http/getprogramaccounts
"""

from base64 import b64encode
from collections.abc import Sequence

import msgspec

from quantdesk.chains.solana.answers import AccountAnswer
from quantdesk.chains.solana.reading import NOTHING, Part
from quantdesk.chains.solana.rpc import Rpc


class _Found(msgspec.Struct, frozen=True):
    pubkey: str
    account: AccountAnswer


async def find(
    rpc: Rpc,
    program: str,
    *,
    size: int,
    bytes_at: Sequence[tuple[int, bytes]],
    part: Part = NOTHING,
) -> dict[str, bytes]:
    """Return a program's accounts of this size with these bytes, by address, in order of these.

    Of the bytes of each only a part is told. Raises `Unavailable` when the node does not answer,
    `Refused` when it does not search.
    """
    matches = [
        {"memcmp": {"offset": at, "bytes": b64encode(wanted).decode(), "encoding": "base64"}}
        for at, wanted in bytes_at
    ]
    config = {
        "encoding": "base64",
        "commitment": "confirmed",
        "dataSlice": part._asdict(),
        "filters": [{"dataSize": size}, *matches],
    }
    answer = await rpc.ask("getProgramAccounts", program, config, answer=list[_Found])
    told = {found.pubkey: found.account.bytes() for found in answer}
    return {address: told[address] for address in sorted(told)}
