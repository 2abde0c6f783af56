"""Who may change whom. Pure.

Nobody hands out more than they have, nobody but an owner touches an owner, and one owner stays.
"""

from typing import Final, Literal

import msgspec

from quantdesk.access.model import Account, Principal, Role
from quantdesk.core.errors import Refused

RANKS: Final = {role: rank for rank, role in enumerate(Role)}
Kyc = Literal["none", "pending", "approved", "rejected"]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What of a user is to change; None leaves it as it is."""

    name: str | None = None
    role: Role | None = None
    disabled: bool | None = None
    kyc: Kyc | None = None
    plan: str | None = None


def check_role(caller: Principal, role: Role) -> None:
    """Raise `Refused` (`user.role`) for a role above the caller's own."""
    if RANKS[role] > RANKS[caller.role]:
        raise Refused(f"you are {caller.role} and cannot make anybody {role}", code="user.role")


def check_change(caller: Principal, user: Account, change: Change, *, owners: int) -> None:
    """Raise `Refused` for a change that is not the caller's to make.

    `user.protected`, `user.role`, `user.self`, `user.last_owner`; `owners` counts those that are
    not disabled.
    """
    if RANKS[user.role] > RANKS[caller.role]:
        raise Refused(f"only one who is {user.role} can change them", code="user.protected")
    if change.role is not None:
        check_role(caller, change.role)
    if user.id == caller.account_id and (change.disabled or change.kyc is not None):
        raise Refused("somebody else has to do this to you", code="user.self")
    leaves = change.disabled or (change.role is not None and change.role is not Role.OWNER)
    if user.role is Role.OWNER and not user.disabled and leaves and owners <= 1:
        raise Refused("this is the last owner: make another one first", code="user.last_owner")


def takes_proof(before: Role, after: Role | None) -> bool:
    """Return whether a change of role asks for a fresh proof of presence."""
    return after is not None and RANKS[after] > max(RANKS[before], RANKS[Role.VIEWER])


def changed(user: Account, change: Change) -> Account:
    """Return a user as they are after a change."""
    told = {
        field: value for field, value in msgspec.structs.asdict(change).items() if value is not None
    }
    return msgspec.structs.replace(user, **told)
