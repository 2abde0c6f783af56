"""A wallet's key in a file that only its passphrase opens.

    passphrase ─ scrypt ─▶ key ─ AES-256-GCM ─▶ the 32 secret bytes, bound to their address

The address is readable without the passphrase. Sources: scrypt RFC 7914, with the parameters of
https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html; AES-GCM NIST
SP 800-38D: a nonce of 12 random bytes, used once, because every file has a salt of its own.
"""

from collections.abc import Callable
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from quantdesk.core.errors import Refused

PASSPHRASE_LEAST: Final = 12
"""Characters of a new passphrase."""

_VERSION: Final = 1
_SALT_BYTES: Final = 16
_NONCE_BYTES: Final = 12
_SEED_BYTES: Final = 32
_COST: Final = 1 << 17
_COST_MAX: Final = 1 << 20  # what a file may ask of this machine: 1 GiB
_BLOCK: Final = 8


class Sealed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file's content; bytes are base 64. `cost` is scrypt's N, with r = 8 and p = 1."""

    version: int
    address: str
    cost: int
    salt: bytes
    nonce: bytes
    sealed: bytes

    def __post_init__(self) -> None:
        """Refuse what this file's code cannot open, or what would take the machine down."""
        is_power = self.cost > 1 and self.cost & (self.cost - 1) == 0
        if self.version != _VERSION or not is_power or self.cost > _COST_MAX:
            raise ValueError("not a sealed wallet of this version")

    @property
    def pubkey(self) -> Pubkey:
        """Return the wallet's address."""
        return Pubkey.from_string(self.address)

    def text(self) -> str:
        """Return the file's content."""
        return msgspec.json.encode(self).decode() + "\n"


def seal(
    keypair: Keypair, passphrase: str, *, entropy: Callable[[int], bytes], cost: int = _COST
) -> Sealed:
    """Return a key sealed by a passphrase.

    Raises `Refused` (`passphrase.short`).
    """
    if len(passphrase) < PASSPHRASE_LEAST:
        raise Refused(
            f"a passphrase has {PASSPHRASE_LEAST} characters at least", code="passphrase.short"
        )
    salt, nonce = entropy(_SALT_BYTES), entropy(_NONCE_BYTES)
    empty = Sealed(_VERSION, str(keypair.pubkey()), cost, salt, nonce, b"")
    cipher = AESGCM(_stretched(passphrase, empty))
    sealed = cipher.encrypt(nonce, bytes(keypair)[:_SEED_BYTES], _bound(empty))
    return msgspec.structs.replace(empty, sealed=sealed)


def read(text: bytes) -> Sealed:
    """Return a file's content; raise `Refused` (`key.unreadable`)."""
    try:
        found = msgspec.json.decode(text, type=Sealed)
        Pubkey.from_string(found.address)
    except (msgspec.DecodeError, ValueError):
        raise Refused("this is no sealed wallet", code="key.unreadable") from None
    return found


def opened(sealed: Sealed, passphrase: str) -> Keypair:
    """Return the key; takes a good part of a second and 128 MiB.

    Raises `Refused` (`passphrase.wrong`), also for a file that was changed.
    """
    try:
        cipher = AESGCM(_stretched(passphrase, sealed))
        seed = cipher.decrypt(sealed.nonce, sealed.sealed, _bound(sealed))
        keypair = Keypair.from_seed(seed)
    except (InvalidTag, ValueError):
        raise _wrong() from None
    if str(keypair.pubkey()) != sealed.address:
        raise _wrong()
    return keypair


def _stretched(passphrase: str, sealed: Sealed) -> bytes:
    kdf = Scrypt(salt=sealed.salt, length=32, n=sealed.cost, r=_BLOCK, p=1)
    return kdf.derive(passphrase.encode())


def _bound(sealed: Sealed) -> bytes:
    return f"quantdesk wallet {sealed.version} {sealed.address} {sealed.cost}".encode()


def _wrong() -> Refused:
    return Refused("the passphrase does not open this wallet", code="passphrase.wrong")
