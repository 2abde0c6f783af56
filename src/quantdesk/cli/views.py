"""What the commands read of a desk's answers; orders are read as `engines/orders/wire.py` has them.

Fields a later desk adds are passed over.
"""

from decimal import Decimal

import msgspec


class Placed(msgspec.Struct, frozen=True, rename="camel"):
    """The answer to a placed order."""

    order_id: str
    status: str
    mode: str


class Market(msgspec.Struct, frozen=True, rename="camel"):
    """A pair that trades."""

    pair: str
    base: str
    quote: str
    reference_price: str | None


class Markets(msgspec.Struct, frozen=True):
    """All pairs that trade."""

    markets: list[Market]


class Price(msgspec.Struct, frozen=True, rename="camel"):
    """A reference price in US dollars; `valid` says whether it may be traded on."""

    symbol: str
    value: Decimal
    source: str
    confidence: Decimal
    age_ms: int
    valid: bool
    validity: str = ""
    agreement_bps: Decimal | None = None
    sources: list[str] = []
    raw_ids: list[str] = []


class Prices(msgspec.Struct, frozen=True):
    """All reference prices."""

    prices: list[Price]


class Balances(msgspec.Struct, frozen=True):
    """What a wallet holds, by symbol, as decimal strings."""

    address: str
    balances: dict[str, str]


class Service(msgspec.Struct, frozen=True):
    """A part of the desk and how it is."""

    name: str
    state: str
    detail: str


class Ready(msgspec.Struct, frozen=True):
    """Whether orders move; each service says why not."""

    ready: bool
    services: list[Service]


class Problem(msgspec.Struct, frozen=True):
    """A problem document (RFC 9457)."""

    code: str
    detail: str
    status: int
    retryable: bool = False
