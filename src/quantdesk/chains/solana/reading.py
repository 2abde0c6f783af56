"""Reading many accounts: one question after the other, each for as many as a node takes.

Method: https://solana.com/docs/rpc/http/getmultipleaccounts
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from quantdesk.chains.port import AccountState
from quantdesk.chains.solana.answers import AccountsAnswer, account_state
from quantdesk.chains.solana.rpc import Rpc
from quantdesk.core.errors import Unavailable

READ_MAX: Final = 100
"""Accounts a node takes in one question."""


class Part(NamedTuple):
    """Bytes of an account: from where on, and how many."""

    offset: int
    length: int


NOTHING: Final = Part(0, 0)


async def read(
    rpc: Rpc, addresses: Sequence[str], *, commitment: str, part: Part | None = None
) -> list[AccountState]:
    """Return the states of accounts, in order, or of each only a part of its bytes.

    Raises `Unavailable` when the node does not answer for all of them.
    """
    config: dict[str, object] = {"encoding": "base64", "commitment": commitment}
    if part is not None:
        config["dataSlice"] = part._asdict()
    states: list[AccountState] = []
    for start in range(0, len(addresses), READ_MAX):
        chunk = addresses[start : start + READ_MAX]
        answer = await rpc.ask("getMultipleAccounts", chunk, config, answer=AccountsAnswer)
        if len(answer.value) != len(chunk):
            raise Unavailable("accounts are missing in the answer", code="rpc.unreadable")
        states += (
            account_state(address, account, slot=answer.context.slot)
            for address, account in zip(chunk, answer.value, strict=True)
        )
    return states
