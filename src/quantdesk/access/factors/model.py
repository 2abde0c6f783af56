"""The nouns of second factors, and the bounds they keep. Pure."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import msgspec

CODE_TRIES_MAX: Final = 20
"""Codes of an app that may be wrong in an hour, whoever tries: with three of a million codes right
at any time, guessing all day long succeeds on one day in 700 for somebody who has the first factor.
"""
CODE_TRIES_MS: Final = 60 * 60_000
TICKET_TRIES_MAX: Final = 5
TICKET_KEPT_MS: Final = 24 * 60 * 60_000
"""How long tries are remembered: longer than any ticket lives."""
ENROLMENT_MS: Final = 10 * 60_000
ENROLMENT_TRIES_MAX: Final = 5
PASSKEYS_MAX: Final = 20

Credential = Mapping[str, Any]
"""What a browser's `PublicKeyCredential.toJSON()` returns."""


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """Who the desk is to an authenticator: the domain, and the origins its pages come from."""

    rp_id: str
    origins: tuple[str, ...]
    name: str = "QuantDesk"


class Passkey(msgspec.Struct, frozen=True, kw_only=True):
    """A passkey of an account; `public_key` is a COSE_Key, `sign_count` the last one seen."""

    id: UUID
    account_id: UUID
    credential_id: bytes
    public_key: bytes
    sign_count: int
    name: str
    backed_up: bool
    added_ms: int
    used_ms: int | None = None


class Factors(msgspec.Struct, frozen=True, kw_only=True):
    """The second factors of an account; `totp_ms` is when its app was added."""

    totp_ms: int | None
    recovery_left: int
    passkeys: tuple[Passkey, ...]

    @property
    def any(self) -> bool:
        """Say whether the account has a second factor; recovery codes only stand in for one."""
        return self.totp_ms is not None or bool(self.passkeys)

    @property
    def methods(self) -> tuple[str, ...]:
        """Return the names of what can be shown."""
        if not self.any:
            return ()
        there = (
            ("totp", self.totp_ms is not None),
            ("passkey", bool(self.passkeys)),
            ("recovery", self.recovery_left > 0),
        )
        return tuple(name for name, has in there if has)


class Seed(msgspec.Struct, frozen=True, kw_only=True):
    """The seed of an app that is being added: shown this once, as base32 and as a link."""

    secret: str
    uri: str
    expires_ms: int


class Code(msgspec.Struct, frozen=True):
    """Six digits of an app."""

    digits: str


class RecoveryCode(msgspec.Struct, frozen=True):
    """A recovery code as its owner typed it."""

    text: str


class Assertion(msgspec.Struct, frozen=True):
    """A passkey's answer to a challenge."""

    credential: Credential


class Password(msgspec.Struct, frozen=True):
    """The account's password; good as a proof where there is no second factor."""

    text: str


class WalletSignature(msgspec.Struct, frozen=True, kw_only=True):
    """A wallet's signature of a message; good as a proof where there is no second factor.

    `host` and `cookies` are the request's: the message was written for one site and browser.
    """

    address: str
    message: str
    signature: str
    host: str = ""
    cookies: Mapping[str, str] = msgspec.field(default_factory=dict)


class OwnerKeyShown(msgspec.Struct, frozen=True):
    """The owner's key, on this machine; good as a proof where there is no second factor."""

    text: str


SecondFactor = Code | RecoveryCode | Assertion
FirstFactor = Password | WalletSignature | OwnerKeyShown
