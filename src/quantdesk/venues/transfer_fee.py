"""What a transfer costs: mints of both token programs read from bytes, and their fee; pure.

A pool that trades a Token-2022 mint receives less than its trader sends, and its trader less than
it sends. Venues ask here for both, so that a quote counts what arrives.

Which mints are traded: all whose transfers are sure to move an amount known beforehand.
- Refused: a transfer hook that runs a program, non-transferable mints, mints whose new accounts
  are frozen, mints of confidential supply, and extensions this file does not know.
- Paused mints come back: they are unavailable.
- Allowed: permanent delegates (an issuer who may seize tokens can do so before and after a trade,
  never change what one moves), confidential transfers and their fee (plain transfers pay the plain
  one), a hook without a program, a mint that may be paused and is not, and all that only describes
  or displays the token.
An issuer may change any of this between quote and trade: the limit the swap carries covers that.

Layouts and rounding: https://github.com/solana-program/token-2022 (interface/src/extension/mod.rs,
transfer_fee/mod.rs, program/src/processor.rs: process_transfer) · plain mints:
https://docs.rs/spl-token-interface (state::Mint).
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from quantdesk.chains.port import AccountState
from quantdesk.core.errors import Corrupt, Refused, Unavailable
from quantdesk.core.money import BPS, ceil_div
from quantdesk.venues.reading import TOKEN_2022, TOKEN_ACCOUNT_BYTES, TOKEN_PROGRAM

MINT_BYTES: Final = 82

_U64: Final = 1 << 64
_DECIMALS_AT, _INITIALIZED_AT = 44, 45
_A_MINT: Final = b"\x01"
_MULTISIG_BYTES: Final = 355
_HEAD: Final = struct.Struct("<2H")  # type, length
_FEE: Final = struct.Struct("<2QH")  # first epoch, most, basis points
_OLDER_AT, _NEWER_AT = 72, 90
_FROZEN: Final = 2
_HARMLESS: Final = {
    3: "mint close authority: only a mint without supply can be closed",
    4: "confidential transfers: plain ones stay as they are",
    10: "interest: displayed, not paid",
    12: "permanent delegate: see above",
    16: "fee of confidential transfers: plain ones pay the plain fee",
    18: "metadata pointer",
    19: "metadata",
    20: "group pointer",
    21: "group",
    22: "group member pointer",
    23: "group member",
    25: "scaled amounts: displayed, not moved",
    28: "permissioned burn: trades burn nothing",
}
_FATAL: Final[Mapping[int, str]] = {
    9: "cannot be transferred",
    24: "has a confidential supply",
}


@dataclass(frozen=True, slots=True)
class TransferFee:
    """What a transfer pays, out of the amount sent: basis points of it, rounded up, to a most."""

    bps: int
    most: int

    def on(self, sent: int) -> int:
        """Return the fee of a transfer of `sent` base units."""
        return min(ceil_div(sent * self.bps, BPS), self.most)

    def after(self, sent: int) -> int:
        """Return how many of `sent` base units arrive."""
        return sent - self.on(sent)

    def before(self, received: int) -> int:
        """Return the least to send so that `received` base units arrive.

        Raises `Refused` (`liquidity.insufficient`) when that is more than a transfer can hold.
        """
        if not received:
            return 0
        sent = received + self.most
        if self.bps < BPS:
            sent = min(sent, ceil_div(received * BPS, BPS - self.bps))
        if sent >= _U64:
            raise Refused(
                f"no transfer is large enough for {received} base units to arrive",
                code="liquidity.insufficient",
            )
        return sent


FREE: Final = TransferFee(bps=0, most=0)
"""What most tokens charge."""


@dataclass(frozen=True, slots=True)
class Mint:
    """A token as transfers see it: `newer` is its fee from epoch `newer_from` on, else `older`.

    `obstacle` says why its transfers cannot be relied on, and is empty when they can.
    """

    address: str
    program: str
    decimals: int
    older: TransferFee = FREE
    newer: TransferFee = FREE
    newer_from: int = 0
    obstacle: str = ""
    paused: bool = False

    def fee(self, epoch: int) -> TransferFee:
        """Return what its transfers pay in an epoch of the chain.

        Raises `Refused` (`pool.unsupported`) when they cannot be relied on, `Unavailable`
        (`pool.disabled`) while they are paused.
        """
        if self.obstacle:
            raise Refused(f"token {self.address} {self.obstacle}", code="pool.unsupported")
        if self.paused:
            raise Unavailable(f"token {self.address} is paused", code="pool.disabled")
        return self.newer if epoch >= self.newer_from else self.older


def mint(state: AccountState) -> Mint:
    """Return the mint in an account of either token program.

    Raises `Corrupt` (`account.missing`, `account.foreign`, `account.unreadable`).
    """
    data = state.data
    if not data:
        raise Corrupt(f"mint {state.address} does not exist", code="account.missing")
    if state.owner not in {TOKEN_PROGRAM, TOKEN_2022}:
        raise Corrupt(f"mint {state.address} is no token's", code="account.foreign")
    if len(data) < MINT_BYTES or data[_INITIALIZED_AT] != 1:
        raise _unreadable(state)
    found = Mint(address=state.address, program=state.owner, decimals=data[_DECIMALS_AT])
    for kind, value in _extensions(state).items():
        found = _extended(found, kind, value, state)
    return found


def _extensions(state: AccountState) -> dict[int, bytes]:
    """Return what stands behind the mint, by type; of two of a type the first, as the program."""
    data, found = state.data, dict[int, bytes]()
    if len(data) == MINT_BYTES:
        return found
    padding, kind = data[MINT_BYTES:TOKEN_ACCOUNT_BYTES], data[TOKEN_ACCOUNT_BYTES:][:1]
    if state.owner != TOKEN_2022 or len(data) == _MULTISIG_BYTES or any(padding) or kind != _A_MINT:
        raise _unreadable(state)
    at = TOKEN_ACCOUNT_BYTES + 1
    while at + 2 <= len(data) and any(data[at : at + 2]):  # an empty type ends the list
        if at + _HEAD.size > len(data):
            raise _unreadable(state)
        kind_of, length = _HEAD.unpack_from(data, at)
        at += _HEAD.size + length
        if at > len(data):
            raise _unreadable(state)
        found.setdefault(kind_of, data[at - length : at])
    return found


def _extended(found: Mint, kind: int, value: bytes, state: AccountState) -> Mint:
    if kind in _HARMLESS:
        return found
    if kind not in _READERS:
        return _hindered(found, _FATAL.get(kind, f"has an extension that is not known: {kind}"))
    length, read = _READERS[kind]
    if len(value) != length:
        raise _unreadable(state)
    extended = read(found, value)
    if max(extended.older.bps, extended.newer.bps) > BPS:
        raise _unreadable(state)
    return extended


def _fees(found: Mint, value: bytes) -> Mint:
    _, older_most, older_bps = _FEE.unpack_from(value, _OLDER_AT)
    newer_from, newer_most, newer_bps = _FEE.unpack_from(value, _NEWER_AT)
    older, newer = TransferFee(older_bps, older_most), TransferFee(newer_bps, newer_most)
    return replace(found, older=older, newer=newer, newer_from=newer_from)


def _default_state(found: Mint, value: bytes) -> Mint:
    return _hindered(found, "freezes new accounts") if value[0] == _FROZEN else found


def _hook(found: Mint, value: bytes) -> Mint:
    return _hindered(found, "runs a program on every transfer") if any(value[32:]) else found


def _pause(found: Mint, value: bytes) -> Mint:
    return replace(found, paused=bool(value[32]))


def _hindered(found: Mint, why: str) -> Mint:
    return replace(found, obstacle=found.obstacle or why)


def _unreadable(state: AccountState) -> Corrupt:
    return Corrupt(
        f"the {len(state.data)} bytes of {state.address} are no mint", code="account.unreadable"
    )


_READERS: Final[Mapping[int, tuple[int, Callable[[Mint, bytes], Mint]]]] = {
    1: (108, _fees),
    6: (1, _default_state),
    14: (64, _hook),
    26: (33, _pause),
}
"""Extensions whose content decides, by type, with their length."""
