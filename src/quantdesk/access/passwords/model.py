"""The nouns of passwords. Pure."""

from typing import Final, Literal
from uuid import UUID

import msgspec

from quantdesk.access.model import Account, Registration

Unverified = Literal["trade", "refused"]
"""What an account may do whose address was never proven: all that its role may, or not sign in."""

VERIFY_MS: Final = 24 * 3_600_000
RESET_MS: Final = 30 * 60_000
NOTICE_MS: Final = 24 * 3_600_000
"""For how long a notice is still worth sending."""


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """Who may come in.

    `trade` fits where tokens are worth nothing. Elsewhere an address is proven first: who registers
    somebody else's address could otherwise wait in the account for its owner.
    """

    registration: Registration
    unverified: Unverified


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """An account as signing in by password knows it; no hash when it has no password."""

    account: Account
    hash: str | None
    version: int | None

    def __repr__(self) -> str:
        return f"Known({self.account.id})"


class Signer(msgspec.Struct, frozen=True, kw_only=True):
    """A signed-in caller who changes their own password: this session of theirs goes on."""

    account_id: UUID
    session_id: UUID | None
