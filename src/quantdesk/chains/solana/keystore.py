"""Wallet keys of localnet and devnet at rest: sealed under the desk's master key.

    {"version":1,"address":"…","sealed":"<base 64>"}

The address is readable without the master key, so that whoever only looks at the wallet needs none.
A plain `solana-keygen` file in the same place is taken over: sealed and put in its own place in one
step, so that a kill leaves either the one or the other, whole. The master key comes in as a
`Wrapping`: this file knows neither where it is nor that there are several.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

import msgspec
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from quantdesk.chains.solana import keys
from quantdesk.core import secret_file
from quantdesk.core.errors import Corrupt, Refused

_VERSION: Final = 1
_NUMBER_BYTES: Final = 4


class Wrapping(Protocol):
    """What seals a secret and opens it again: `access/sealing.py`."""

    def seal(self, secret: bytes, *, about: str) -> bytes:
        """Return a secret as it may be stored."""

    def open(self, sealed: bytes, *, about: str) -> bytes:
        """Return the secret; raise `Corrupt` (`secret.unreadable`)."""

    def rewrap(self, sealed: bytes, *, about: str) -> bytes:
        """Return the same sealed secret under the newest key; raises as `open`."""


class Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file's content; bytes are base 64."""

    version: int
    address: str
    sealed: bytes

    def __post_init__(self) -> None:
        """Refuse what this file's code cannot open."""
        if self.version != _VERSION:
            raise ValueError("not a sealed wallet of this version")
        Pubkey.from_string(self.address)

    @property
    def about(self) -> str:
        """Return what the secret is bound to."""
        return f"wallet:{self.address}"


def open_wallet(
    path: Path, wrapping: Wrapping, *, entropy: Callable[[int], bytes] | None = None
) -> Keypair:
    """Return a wallet's key; a plain file is sealed first, and made where `entropy` makes one.

    Raises `Refused` (`key.missing`, `key.mode`, `key.unreadable`), `Corrupt` (`secret.unreadable`).
    """
    if entropy is not None and not path.exists():
        keypair = Keypair.from_seed(entropy(keys.SEED_BYTES))
        secret_file.create(path, _text(_kept(keypair, wrapping)))
        return keypair
    kept = _read(path)
    if kept is None:
        keypair = keys.load(path)
        secret_file.replace(path, _text(_kept(keypair, wrapping)))
        return keypair
    return _opened(kept, wrapping)


def address(path: Path) -> str:
    """Return the address of a wallet's file, plain or sealed, unopened; raises `Refused`."""
    kept = _read(path)
    return str(keys.load(path).pubkey()) if kept is None else kept.address


class WalletFile:
    """A wallet's file as a rotation of the master key sees it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def path(self) -> Path:
        """Return where it is."""
        return self._path

    def number(self) -> int | None:
        """Return which master key opens it, None when it is not there or still plain."""
        kept = self._kept()
        return None if kept is None else int.from_bytes(kept.sealed[:_NUMBER_BYTES], "big")

    def check(self, sealer: Wrapping) -> None:
        """Return if the sealer opens it; raise `Corrupt` (`secret.unreadable`)."""
        kept = self._kept()
        if kept is not None:
            sealer.rewrap(kept.sealed, about=kept.about)  # no key in the clear, in mode paper too

    def rewrap(self, sealer: Wrapping) -> None:
        """Put the same key under the newest master key, in one step."""
        kept = self._kept()
        assert kept is not None, "only a sealed file is wrapped anew"
        fresh = sealer.rewrap(kept.sealed, about=kept.about)
        secret_file.replace(self._path, _text(msgspec.structs.replace(kept, sealed=fresh)))

    def _kept(self) -> Kept | None:
        return _read(self._path) if self._path.exists() else None


def _read(path: Path) -> Kept | None:
    """Return a sealed file, None for a plain one."""
    text = secret_file.read(path)
    if not text.lstrip().startswith(b"{"):
        return None
    try:
        return msgspec.json.decode(text, type=Kept)
    except (msgspec.DecodeError, ValueError):
        raise Refused(f"{path} is no wallet of this desk", code="key.unreadable") from None


def _kept(keypair: Keypair, wrapping: Wrapping) -> Kept:
    empty = Kept(_VERSION, str(keypair.pubkey()), b"")
    sealed = wrapping.seal(bytes(keypair)[: keys.SEED_BYTES], about=empty.about)
    return msgspec.structs.replace(empty, sealed=sealed)


def _opened(kept: Kept, wrapping: Wrapping) -> Keypair:
    keypair = Keypair.from_seed(wrapping.open(kept.sealed, about=kept.about))
    if str(keypair.pubkey()) != kept.address:
        raise Corrupt(f"the key of {kept.address} is another's", code="secret.unreadable")
    return keypair


def _text(kept: Kept) -> bytes:
    return msgspec.json.encode(kept) + b"\n"
