"""Port of the venues family: quotes for a size, and the instructions that take one.

A venue keeps the state of its pools fresh by itself (`refresh`, driven by the desk) and quotes
from that state without I/O, so that comparing venues costs microseconds.
"""

from decimal import Decimal
from typing import Protocol

import msgspec

from quantdesk.chains.port import Instruction
from quantdesk.core.markets import Market, Side


class Quote(msgspec.Struct, frozen=True):
    """What one pool offers for exactly `base_raw` of the base asset, all pool fees included.

    BUY: pay `quote_raw` of the quote asset. SELL: receive `quote_raw`. `price` is quote per base
    after fees, `mid` the pool's price before the trade, `fee_bps` the pool's fee, and
    `impact_bps` how far the trade itself moves the price from `mid` (fees left out). `slot` and
    `seen_ms` say which state it was computed from.
    """

    venue: str
    pool: str
    market: Market
    side: Side
    base_raw: int
    quote_raw: int
    price: Decimal
    mid: Decimal
    fee_bps: Decimal
    impact_bps: Decimal
    slot: int
    seen_ms: int


class Swap(msgspec.Struct, frozen=True):
    """A quote to be taken by a wallet: `limit_raw` bounds it on chain.

    BUY (exact out): at most `limit_raw` of the quote asset is paid. SELL (exact in): at least
    `limit_raw` is received. `base_account` and `quote_account` are the wallet's token accounts.
    """

    quote: Quote
    limit_raw: int
    owner: str
    base_account: str
    quote_account: str


class Venue(Protocol):
    """A place to trade; the desk compares several."""

    @property
    def name(self) -> str:
        """Return the short name users see."""

    def accounts(self) -> tuple[str, ...]:
        """Return the addresses of the chain accounts whose state quotes depend on.

        The set may grow or move as states come in: a pool's account names its vaults.
        """

    def update(self, address: str, data: bytes, *, slot: int, seen_ms: int) -> None:
        """Take in one account's new state; older slots are ignored; raise `Corrupt` if unreadable.

        A pool whose state is unreadable stops quoting until it is readable again.
        """

    def quotes(self, market: Market, side: Side, base_raw: int, *, now_ms: int) -> list[Quote]:
        """Return a quote from each pool of the market that can fill the whole size.

        Raises `Refused` (`liquidity.insufficient`) when pools exist but none can fill it, and
        `Unavailable` (`pool.gone`) when the venue knows no readable pool of this market.
        """

    def instructions(self, swap: Swap) -> list[Instruction]:
        """Return the instructions that take the quote, token accounts already made."""
