"""The nouns of access: who somebody is, what a request may do, and where it came from. Pure."""

from enum import StrEnum
from typing import Literal
from uuid import UUID

import msgspec

Registration = Literal["open", "invite"]
"""`open`: whoever signs in first becomes a trader. `invite`: an admin adds users."""


class Role(StrEnum):
    """What an account is on this desk; `policy.ROLES` says what each may do."""

    VIEWER = "viewer"
    TRADER = "trader"
    APPROVER = "approver"
    ADMIN = "admin"
    OWNER = "owner"


class Permission(StrEnum):
    """One kind of thing that can be allowed; each route, channel and command names one."""

    MARKET_READ = "market:read"
    SYSTEM_READ = "system:read"
    ORDERS_READ = "orders:read"
    ORDERS_WRITE = "orders:write"
    ACCOUNT_READ = "account:read"
    """See one's own account: wallets, sessions, keys, limits."""
    ACCOUNT_WRITE = "account:write"
    """Change one's own account: link wallets, second factors, passwords, end sessions."""
    KEYS_WRITE = "keys:write"
    """Make, rotate and revoke one's own API keys."""
    APPROVE = "orders:approve"
    """Approve what others asked for."""
    USERS_READ = "users:read"
    USERS_WRITE = "users:write"
    LIMITS_WRITE = "limits:write"
    """Change trading limits, one's own included."""
    HALT = "trading:halt"
    """Stop trading; lifting the stop takes `limits:write` and a fresh proof."""
    AUDIT_READ = "audit:read"
    SECURITY_READ = "security:read"
    SECURITY_WRITE = "security:write"
    """Lift blocks, rotate the desk's keys."""


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A user of the desk; `disabled` ones can do nothing at all."""

    id: UUID
    name: str
    role: Role
    email: str | None = None
    email_verified: bool = False
    disabled: bool = False
    kyc: str = "none"
    plan: str = "free"
    created_ms: int = 0


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Whoever a request speaks for, and what it may do.

    Either `key_id` or `session_id` says by which credential. `proven_ms` (Unix milliseconds) is
    when the person behind a session last proved to be there; a local owner's key needs no proof.
    """

    account_id: UUID
    role: Role
    may: frozenset[Permission]
    key_id: UUID | None = None
    session_id: UUID | None = None
    proven_ms: int | None = None
    local: bool = False
    """The owner's key of this machine's own tools."""


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where a request came from: the client's address, what it calls itself, the request's id."""

    ip: str
    agent: str = ""
    request_id: str = ""


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    """A session that was just opened; the secrets in it are shown this once."""

    account: Account
    session_id: UUID
    token: str
    refresh: str
    csrf: str
    expires_ms: int


class FactorNeeded(msgspec.Struct, frozen=True, kw_only=True):
    """The first factor was right, the account asks for a second: one of `methods`, by `ticket`."""

    ticket: str
    methods: tuple[str, ...]
    expires_ms: int
