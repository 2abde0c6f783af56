"""Callers for tests: an account of a role, as the edge hands it to those who serve."""

from collections.abc import Collection
from uuid import UUID

from quantdesk.access.model import Principal, Role
from quantdesk.access.policy import granted


def key_holder(
    account_id: UUID, role: Role = Role.OWNER, *, scopes: Collection[str] | None = None
) -> Principal:
    """Return whoever holds an API key of an account."""
    return Principal(
        account_id=account_id, role=role, may=granted(role, scopes), key_id=UUID(int=1 << 64)
    )
