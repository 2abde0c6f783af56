"""Port to whoever checks who a user is (KYC), and the way without one: an admin decides."""

from typing import Protocol

from quantdesk.access.model import Account
from quantdesk.access.users.rules import Kyc


class KycProvider(Protocol):
    """Checks users."""

    async def begin(self, account: Account) -> Kyc:
        """Start the check of a user and return how far it is; raise `Unavailable`."""


class AdminApproval:
    """An admin looks and decides: `PATCH /api/users/{id} {"kyc": "approved"}`."""

    async def begin(self, _: Account) -> Kyc:
        """Return that it waits for an admin."""
        return "pending"
