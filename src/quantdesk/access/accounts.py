"""Accounts: found by what they sign in with, made where registration allows it.

A way to sign in looks its account up by its own table (wallets, passwords, identities) and makes
one here when there is none.
"""

from quantdesk.access import store
from quantdesk.access.model import Account, Registration, Role
from quantdesk.core.errors import Refused
from quantdesk.core.ids import NewId
from quantdesk.store.pool import Connection


async def register(
    c: Connection, *, name: str, registration: Registration, new_id: NewId, now_ms: int
) -> Account:
    """Add a trader's account in this transaction; raise `Refused` (`account.uninvited`)."""
    if registration == "invite":
        raise Refused(
            "this desk takes no new users by itself; its admin can add you",
            code="account.uninvited",
        )
    account = Account(id=new_id(), name=name, role=Role.TRADER, created_ms=now_ms)
    await store.add_account(c, account)
    return account
