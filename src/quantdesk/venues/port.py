"""Port of the venues family: pools as they stand, from which routes are made.

A venue keeps the state of its pools fresh and hands out snapshots. A snapshot is pure and does not
change: it says what a trade costs to the base unit, draws its curve for the router, and names the
instruction that takes the trade. Comparing venues therefore costs microseconds and no I/O.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple, Protocol

import msgspec

from quantdesk.chains.port import AccountState, Instruction


class Piece(NamedTuple):
    """A stretch of a pool's curve, in base units, all pool fees included.

    Paying `u` more, up to `most`, brings `price * u / (1 + u / depth)`. Constant product and every
    tick range of concentrated liquidity have a finite depth; a bin of one price has an infinite
    one. The price at the end of a piece is at or above that at the start of the next.
    """

    most: float
    price: float
    depth: float


class Fill(NamedTuple):
    """A trade with one pool, in base units.

    `paid` is what leaves the trader's account and `received` what arrives in it, so fees that the
    tokens themselves take on transfers are off. `fee` is all that is charged, those among it, in
    the token paid or in that received. `more_units` are compute units beyond those of a typical
    swap with the pool: each tick or bin that is crossed takes some.
    """

    paid: int
    received: int
    fee: int
    fee_on_input: bool
    more_units: int = 0


class Swap(msgspec.Struct, frozen=True):
    """A trade to be taken: exactly `amount` of one token, and a bound on the other.

    With `exact_in` exactly `amount` is paid and at least `limit` received; otherwise exactly
    `amount` is received and at most `limit` paid. `paid` is the mint of the token paid; `paid_from`
    and `received_in` are token accounts of `owner`.
    """

    paid: str
    exact_in: bool
    amount: int
    limit: int
    owner: str
    paid_from: str
    received_in: str


class Pool(Protocol):
    """One pool as of a slot. Tokens are named by their mint; amounts are base units."""

    @property
    def about(self) -> "About":
        """Return what it is."""

    def curve(self, paid: str) -> Sequence[Piece]:
        """Return what paying in `paid` brings, from the best price down; some hundred pieces."""

    def exact_in(self, paid: str, amount: int) -> Fill:
        """Return the trade in which exactly `amount` is paid, as the program would compute it.

        Raises `Refused` (`liquidity.insufficient`, `amount.too_small`, `pool.unsupported`).
        """

    def exact_out(self, paid: str, amount: int) -> Fill:
        """Return the trade in which exactly `amount` is received; raises as `exact_in`."""

    def instruction(self, swap: Swap) -> Instruction:
        """Return the call that takes a trade."""


class About(msgspec.Struct, frozen=True):
    """What a pool is, and which state of it this is.

    `spot` is how much of the second token one base unit of the first is worth, before fees;
    `compute_units` what a typical swap takes; `slot` and `seen_ms` belong to the oldest account the
    snapshot was made from.
    """

    venue: str
    address: str
    kind: str
    mints: tuple[str, str]
    spot: Decimal
    compute_units: int
    slot: int
    seen_ms: int


class Venue(Protocol):
    """A place to trade; the desk compares several."""

    @property
    def name(self) -> str:
        """Return the short name users see."""

    def accounts(self) -> tuple[str, ...]:
        """Return the addresses of the chain accounts whose state its pools depend on.

        The set may grow or move as states come in: a pool's account names its vaults.
        """

    def update(self, state: AccountState, *, seen_ms: int) -> None:
        """Take in one account's new state; older slots are ignored.

        Raises `Corrupt` (`account.missing`, `account.unreadable`, `account.foreign`): the pool is
        out of the market until a good state arrives.
        """

    def pools(self, mints: frozenset[str], *, now_ms: int) -> list[Pool]:
        """Return the pools that trade these two tokens now.

        When there is none, raises why: `Refused` (`pool.unsupported`) or `Unavailable`
        (`pool.gone`, `pool.disabled`, `pool.not_open`, `pool.incomplete`).
        """
