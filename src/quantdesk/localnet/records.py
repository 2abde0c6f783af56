"""What the journal holds: every change from outside, with the slot and clock it met."""

import msgspec
from solders.account import Account
from solders.pubkey import Pubkey

from quantdesk.localnet.timeline import Anchor


class Founded(msgspec.Struct, frozen=True, array_like=True, tag="founded"):
    """The first record of all: the chain's seed and when it began."""

    seed: bytes
    anchor: Anchor


class Sent(msgspec.Struct, frozen=True, array_like=True, tag="sent"):
    """A transaction that arrived in this slot."""

    slot: int
    anchor: Anchor
    raw: bytes


class Wrote(msgspec.Struct, frozen=True, array_like=True, tag="wrote"):
    """An account set by an operator; lamports None removes it."""

    slot: int
    anchor: Anchor
    address: bytes
    lamports: int | None
    data: bytes
    owner: bytes
    executable: bool

    def account(self) -> Account | None:
        """Return the account to set."""
        if self.lamports is None:
            return None
        return Account(self.lamports, self.data, Pubkey(self.owner), self.executable, 0)


class Deployed(msgspec.Struct, frozen=True, array_like=True, tag="deployed"):
    """A program."""

    slot: int
    anchor: Anchor
    address: bytes
    elf: bytes


class RolledBack(msgspec.Struct, frozen=True, array_like=True, tag="rolled"):
    """The last `count` blocks of this slot's fork were dropped, and the next slot began."""

    slot: int
    anchor: Anchor
    count: int
    forget_hashes: bool


Record = Founded | Sent | Wrote | Deployed | RolledBack
encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Record).decode
