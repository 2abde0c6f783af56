"""Roots: what the audit's key signs. A root says which rows there were, and nothing can unsay it.

    statement = {"at", "day", "first", "head", "last", "tree"}    canonical JSON, kept as signed
    signature = Ed25519("quantdesk audit root 1" ‖ newline ‖ statement)   RFC 8032

Rows `first` to `last` are under the Merkle root `tree`; `head` is the hash of row `last`. `day` is
the UTC day that the root ended, null for one made for somebody who asked.
"""

import hashlib
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from quantdesk.access.audit.tree import Tree
from quantdesk.core.errors import Corrupt

PREFIX: Final = b"quantdesk audit root 1\n"
DAY_MS: Final = 86_400_000

_encode = msgspec.json.Encoder(order="sorted").encode


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """What a root says; hashes are hexadecimal."""

    at: int
    day: str | None
    first: int
    last: int
    head: str
    tree: str


class Root(msgspec.Struct, frozen=True):
    """A signed statement; `key` is the number of the public key that proves it."""

    statement: str
    key: str
    signature: bytes


class PublicKey(msgspec.Struct, frozen=True):
    """A key that roots are checked with."""

    id: str
    public: bytes


class Signer:
    """Signs with one key; `seed` is the 32 bytes of RFC 8032 §5.1.5."""

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        public = self._key.public_key().public_bytes_raw()
        self.public = PublicKey(key_id(public), public)

    def sign(self, statement: Statement) -> Root:
        """Return a signed root."""
        text = _encode(statement)
        return Root(text.decode(), self.public.id, self._key.sign(PREFIX + text))


def new_seed() -> bytes:
    """Return the seed of a fresh key."""
    return Ed25519PrivateKey.generate().private_bytes_raw()


def key_id(public: bytes) -> str:
    """Return the number of a public key."""
    return hashlib.sha256(public).hexdigest()[:32]


def stated(root: Root) -> Statement:
    """Return what a root says, unproven; raise `Corrupt` (`audit.broken`) if it is unreadable."""
    try:
        return msgspec.json.decode(root.statement, type=Statement)
    except msgspec.DecodeError as problem:
        raise Corrupt(f"a root of the audit is unreadable ({problem})", code="audit.broken") from (
            problem
        )


def proven(root: Root, public: bytes) -> Statement:
    """Return what a root says; raise `Corrupt` (`audit.broken`) unless this key signed it."""
    statement = stated(root)
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(
            root.signature, PREFIX + root.statement.encode()
        )
    except InvalidSignature:
        raise Corrupt(
            f"the root over rows {statement.first} to {statement.last} of the audit was not"
            f" signed by the key {root.key}",
            code="audit.broken",
        ) from None
    return statement


def over(tree: Tree, *, first: int, head: bytes, at_ms: int, day: str | None) -> Statement:
    """Return the statement over the rows whose hashes a tree holds."""
    return Statement(
        at=at_ms,
        day=day,
        first=first,
        last=first + tree.count - 1,
        head=head.hex(),
        tree=tree.root().hex(),
    )
