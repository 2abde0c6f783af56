"""Port between the ways to sign in and the sessions they open.

A way to sign in (wallet, password, OAuth) ends with an account whose first factor was right; from
there all are the same: a second factor where the account has one, then a session.
"""

from typing import Protocol
from uuid import UUID

from quantdesk.access.model import Account, FactorNeeded, Origin, SignedIn


class Welcome(Protocol):
    """Opens sessions."""

    async def begin(
        self, account: Account, *, method: str, origin: Origin
    ) -> SignedIn | FactorNeeded:
        """Open a session, or ask for the second factor; `method` is what proved the first.

        Raises `Refused` (`account.disabled`).
        """

    async def finish(self, ticket: str, *, method: str, origin: Origin) -> SignedIn:
        """Open the session of a ticket whose second factor was just shown to be right.

        Raises `Refused` (`ticket.invalid`): unknown, used, or too old.
        """

    async def holder(self, ticket: str) -> UUID:
        """Return the account a ticket waits for; raise `Refused` (`ticket.invalid`)."""


class SecondFactors(Protocol):
    """Knows which second factors an account has."""

    async def methods(self, account_id: UUID) -> tuple[str, ...]:
        """Return their names (`totp`, `passkey`, `recovery`), none when it has none."""
