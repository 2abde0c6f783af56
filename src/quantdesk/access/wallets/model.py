"""The nouns of signing in with a wallet. Pure."""

from enum import StrEnum

import msgspec


class ChainName(StrEnum):
    """Whose keys a wallet uses."""

    SOLANA = "solana"
    EVM = "evm"


class Purpose(StrEnum):
    """What a signature is for; the text that is signed says it, and one is no good for another."""

    SIGN_IN = "sign-in"
    LINK = "link"
    PROVE = "prove"


class Site(msgspec.Struct, frozen=True):
    """A name this desk is reached by: `domain` is the RFC 3986 authority, `uri` the origin."""

    domain: str
    uri: str


class Wallet(msgspec.Struct, frozen=True, kw_only=True):
    """A wallet of an account; `address` as its chain writes it (base58, EIP-55)."""

    chain: ChainName
    address: str
    added_ms: int


class Challenge(msgspec.Struct, frozen=True, kw_only=True):
    """What a wallet was asked to sign, all but the nonce; the text follows from it.

    `chain_id` is the text's Chain ID, `browser` the SHA-256 of the cookie the asking browser was
    given, None when no browser asked. Times are Unix milliseconds.
    """

    chain: ChainName
    address: str
    chain_id: str
    purpose: Purpose
    site: Site
    issued_ms: int
    expires_ms: int
    browser: bytes | None = None
    used_ms: int | None = None


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody shows: the text, a signature of it, and where and by whom it is shown.

    `signature` is base58 or 0x hex, still unread; `browser` is the cookie that came along.
    """

    address: str
    signature: str
    message: str
    site: Site
    browser: str | None = None
