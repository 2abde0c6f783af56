"""Markets, prices and balances over HTTP."""

from collections.abc import Awaitable, Callable

import msgspec
from fastapi import APIRouter
from fastapi.responses import Response

from quantdesk.access.model import Permission
from quantdesk.api.answers import json, returns
from quantdesk.api.malformed import cut
from quantdesk.api.needs import needs
from quantdesk.core.assets import ASSETS
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Refused
from quantdesk.core.markets import MARKETS
from quantdesk.core.money import from_raw
from quantdesk.core.validity import Action, Validity, allows
from quantdesk.guard.check import Limits
from quantdesk.ingest.board import Board

Balances = Callable[[], Awaitable[dict[str, int]]]


class MarketView(msgspec.Struct, frozen=True, rename="camel"):
    """A pair that trades; decimals say how fine amounts may be."""

    pair: str
    base: str
    quote: str
    base_decimals: int
    quote_decimals: int
    base_mint: str
    quote_mint: str
    reference_price: str | None


class MarketsView(msgspec.Struct, frozen=True):
    """All pairs that trade."""

    markets: list[MarketView]


class PriceView(msgspec.Struct, frozen=True, rename="camel"):
    """The reference price of an asset in US dollars, where it came from and how old it is.

    `valid` says whether it may be traded on, `validity` how good it is. `agreementBps` is how far
    apart the outermost of its `sources` are, null of a single one. `rawIds` name the messages
    behind it.
    """

    symbol: str
    value: str
    source: str
    confidence: str
    published_at: str
    received_at: str
    age_ms: int
    valid: bool
    validity: str
    agreement_bps: str | None
    sources: list[str]
    raw_ids: list[str]


class PricesView(msgspec.Struct, frozen=True):
    """All reference prices."""

    prices: list[PriceView]


class BalancesView(msgspec.Struct, frozen=True):
    """What a wallet holds, read from the chain now; amounts are decimal strings."""

    address: str
    balances: dict[str, str]


class MarketRoutes:
    """The routes of markets, prices and balances."""

    def __init__(
        self, *, board: Board, limits: Limits, wallet: str, balances: Balances, clock: Clock
    ) -> None:
        self._board = board
        self._limits = limits
        self._wallet = wallet
        self._balances = balances
        self._clock = clock

    def routes(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(prefix="/api", tags=["markets"])

        @router.get(
            "/markets",
            **needs(Permission.MARKET_READ),
            responses=returns(MarketsView),
            summary="Pairs that trade",
        )
        async def markets() -> Response:
            return json(MarketsView([self._market(pair) for pair in MARKETS]))

        @router.get(
            "/prices",
            **needs(Permission.MARKET_READ),
            responses=returns(PricesView),
            summary="All reference prices",
        )
        async def prices() -> Response:
            known = [symbol for symbol in ASSETS if self._board.latest(symbol) is not None]
            return json(PricesView([self._price(symbol) for symbol in known]))

        @router.get(
            "/prices/{symbol}",
            **needs(Permission.MARKET_READ),
            responses=returns(PriceView),
            summary="A reference price",
        )
        async def price(symbol: str) -> Response:
            if symbol.upper() not in ASSETS:
                listed = ", ".join(ASSETS)
                raise Refused(
                    f"{cut(symbol)} is not listed; assets: {listed}", code="price.unknown"
                )
            return json(self._price(symbol.upper()))

        @router.get(
            "/wallets/{address}/balances",
            **needs(Permission.ACCOUNT_READ),
            responses=returns(BalancesView),
            summary="What a wallet holds",
        )
        async def balances(address: str) -> Response:
            if address != self._wallet:
                raise Refused(f"{cut(address)} is not this desk's wallet", code="wallet.unknown")
            held = await self._balances()
            amounts = {
                symbol: f"{from_raw(raw, ASSETS[symbol].decimals):f}"
                for symbol, raw in held.items()
            }
            return json(BalancesView(address, amounts))

        return router

    def _market(self, pair: str) -> MarketView:
        market = MARKETS[pair]
        base = self._board.latest(market.base.symbol)
        quote = self._board.latest(market.quote.symbol)
        return MarketView(
            pair=pair,
            base=market.base.symbol,
            quote=market.quote.symbol,
            base_decimals=market.base.decimals,
            quote_decimals=market.quote.decimals,
            base_mint=market.base.mint,
            quote_mint=market.quote.mint,
            reference_price=f"{base.value / quote.value:.8f}" if base and quote else None,
        )

    def _price(self, symbol: str) -> PriceView:
        return price_view(self._board, symbol, limits=self._limits, now_ms=self._clock.now_ms())


def price_view(board: Board, symbol: str, *, limits: Limits, now_ms: int) -> PriceView:
    """Return a price as it is shown; raise `Unavailable` (`price.missing`)."""
    told = board.provenance(symbol, now_ms=now_ms, age_ms_max=limits.price_age_ms_max)
    return PriceView(
        symbol=symbol,
        value=told["value"],
        source=told["source"],
        confidence=told["confidence"],
        published_at=told["publishedAt"],
        received_at=told["receivedAt"],
        age_ms=told["ageMs"],
        valid=allows(Action.OPEN, Validity[told["validity"]]),
        validity=told["validity"],
        agreement_bps=told["agreementBps"],
        sources=told["sources"],
        raw_ids=told["rawIds"],
    )
