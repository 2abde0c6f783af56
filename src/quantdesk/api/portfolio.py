"""The portfolio over HTTP: what the desk's wallet holds, and what one's own orders came to."""

import re
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal, localcontext
from typing import Annotated, Final
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from quantdesk.access.model import Permission, Principal
from quantdesk.api.answers import json, returns
from quantdesk.api.markets import price_view
from quantdesk.api.needs import needs
from quantdesk.core.assets import ASSETS
from quantdesk.core.clock import Clock, iso
from quantdesk.core.errors import DeskError, Refused, Unavailable
from quantdesk.core.markets import MARKETS, market
from quantdesk.core.money import from_raw, written
from quantdesk.engines.orders.quality.model import price as price_of
from quantdesk.engines.portfolio.ledger import Portfolio
from quantdesk.engines.portfolio.model import Book, average_cost, unrealized
from quantdesk.engines.portfolio.store import Entry, Place
from quantdesk.guard.check import Limits
from quantdesk.ingest.board import Board

_CURSOR: Final = re.compile(r"([0-9]{1,13})\.([0-9a-f-]{36})")
_CENT: Final = Decimal("0.01")
_DIGITS: Final = 60


class AmountsView(msgspec.Struct, frozen=True):
    """Both sides of trades, as exact decimal strings."""

    base: str
    quote: str


class FeesView(msgspec.Struct, frozen=True, rename="camel"):
    """Fees beside the amounts, of all fills: those of pools and venues are in the amounts already.

    `network` is `networkFeeLamports` in SOL. `other` are those paid in a third asset, by symbol.
    """

    network_fee_lamports: int
    network: str
    platform_fee: str
    other: dict[str, str]


class HoldingView(msgspec.Struct, frozen=True, rename="camel"):
    """What the desk's wallet holds of an asset now, and its worth by the board's price.

    The price, its age and validity are null while the board has none; `valid` says whether it may
    be traded on.
    """

    symbol: str
    amount: str
    price: str | None
    value_usd: str | None
    price_age_ms: int | None
    validity: str | None
    valid: bool
    source: str | None


class PairPnlView(msgspec.Struct, frozen=True, rename="camel"):
    """What the caller's confirmed orders in a pair came to, by average cost.

    Amounts are what really moved, as decimal strings; gains are in the quote asset, network fees
    not taken off. `position` is what was bought and not sold since, `averageCost` quote per base of
    it. `unknownCost` is what was sold but never bought by these orders, and what it brought: it is
    in `sold`, and realizes nothing. `unrealized` goes by `marketPrice`, null while there is none
    that may be traded on.
    """

    pair: str
    base: str
    quote: str
    bought: AmountsView
    sold: AmountsView
    position: str
    average_cost: str | None
    realized: str
    unrealized: str | None
    market_price: str | None
    unknown_cost: AmountsView
    fees: FeesView
    fills: int
    first_at: str
    last_at: str


class WhyView(msgspec.Struct, frozen=True):
    """Why something is not told."""

    code: str
    detail: str


class DeskPortfolioView(msgspec.Struct, frozen=True, rename="camel"):
    """What the desk's wallet holds, and what the caller's own orders in this mode came to.

    `holdings` come from the chain now; null where they could not be read, and `holdingsProblem`
    says why. `totalUsd` leaves out the `unpriced` ones. `since` is the first fill that is counted,
    `pending` how many confirmed orders of the desk are still to be counted (at most 10,000 are
    told).
    """

    wallet: str
    mode: str
    as_of: str
    holdings: list[HoldingView] | None
    holdings_problem: WhyView | None
    total_usd: str | None
    unpriced: list[str]
    pairs: list[PairPnlView]
    since: str | None
    pending: int


class PortfolioFillView(msgspec.Struct, frozen=True, rename="camel"):
    """What a confirmed order of yours really moved, and what that realized.

    `price` is quote per base, null where no base moved. `realized` is in the quote asset;
    `unknownCost` of the base was never bought by these orders, and realizes nothing.
    """

    order_id: str
    pair: str
    direction: str
    mode: str
    base: str
    quote: str
    price: str | None
    network_fee_lamports: int
    platform_fee: str
    other_fees: dict[str, str]
    tx_hash: str | None
    at: str
    venues: list[str]
    realized: str
    unknown_cost: str


class PortfolioFillsView(msgspec.Struct, frozen=True, rename="camel"):
    """Fills, the newest first; `nextCursor` asks for the older ones."""

    fills: list[PortfolioFillView]
    next_cursor: str | None


class FillsQuery(BaseModel):
    """Which fills a page holds; `cursor` is the `nextCursor` of the page before."""

    model_config = ConfigDict(extra="forbid")

    pair: str | None = Field(None, max_length=32)
    cursor: str | None = Field(None, max_length=64)
    limit: int = Field(50, ge=1, le=500)


Balances = Callable[[], Awaitable[Mapping[str, int]]]


class PortfolioRoutes:
    """The routes of the portfolio."""

    def __init__(
        self,
        *,
        portfolio: Portfolio,
        board: Board,
        limits: Limits,
        wallet: str,
        balances: Balances,
        clock: Clock,
    ) -> None:
        self._portfolio = portfolio
        self._board = board
        self._limits = limits
        self._wallet = wallet
        self._balances = balances
        self._clock = clock

    def routes(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(prefix="/api/portfolio", tags=["portfolio"])

        @router.get(
            "",
            **needs(Permission.ORDERS_READ),
            responses=returns(DeskPortfolioView),
            summary="What the wallet holds, and what your orders came to",
        )
        async def portfolio(request: Request) -> Response:
            return json(await self._view(request.scope["principal"]))

        @router.get(
            "/fills",
            **needs(Permission.ORDERS_READ),
            responses=returns(PortfolioFillsView),
            summary="What your orders really moved, newest first",
        )
        async def fills(request: Request, asked: Annotated[FillsQuery, Query()]) -> Response:
            found = await self._portfolio.page(
                request.scope["principal"].account_id,
                pair=None if asked.pair is None else market(asked.pair).pair,
                before=None if asked.cursor is None else _place(asked.cursor),
                limit=asked.limit + 1,
            )
            shown = found[: asked.limit]
            more = _cursor(shown[-1]) if len(found) > asked.limit else None
            return json(PortfolioFillsView([fill_view(entry) for entry in shown], more))

        return router

    async def _view(self, caller: Principal) -> DeskPortfolioView:
        books, pending = await self._portfolio.books(caller.account_id)
        holdings, problem = await self._holdings(caller)
        now_ms = self._clock.now_ms()
        values = [holding.value_usd for holding in holdings or ()]
        return DeskPortfolioView(
            wallet=self._wallet,
            mode=self._portfolio.mode,
            as_of=iso(now_ms),
            holdings=holdings,
            holdings_problem=problem,
            total_usd=None if holdings is None else _total(values),
            unpriced=[h.symbol for h in holdings or () if h.value_usd is None],
            pairs=[self._pair(pair, books[pair], now_ms) for pair in MARKETS if pair in books],
            since=iso(min(book.first_ms for book in books.values())) if books else None,
            pending=pending,
        )

    async def _holdings(self, caller: Principal) -> tuple[list[HoldingView] | None, WhyView | None]:
        if Permission.ACCOUNT_READ not in caller.may:
            said = "balances need the permission account:read; your API key does not have it"
            return None, WhyView("request.forbidden", said)
        try:
            held = await self._balances()
        except DeskError as problem:
            return None, WhyView(problem.code, problem.detail)
        return [self._holding(symbol, raw) for symbol, raw in held.items()], None

    def _holding(self, symbol: str, raw: int) -> HoldingView:
        amount = from_raw(raw, ASSETS[symbol].decimals)
        now_ms = self._clock.now_ms()
        try:
            told = price_view(self._board, symbol, limits=self._limits, now_ms=now_ms)
        except Unavailable:
            return HoldingView(symbol, f"{amount:f}", None, None, None, None, False, None)  # noqa: FBT003
        with localcontext(prec=_DIGITS):
            value = (amount * Decimal(told.value)).quantize(_CENT)
        return HoldingView(
            symbol=symbol,
            amount=f"{amount:f}",
            price=told.value,
            value_usd=f"{value:f}",
            price_age_ms=told.age_ms,
            validity=told.validity,
            valid=told.valid,
            source=told.source,
        )

    def _pair(self, pair: str, book: Book, now_ms: int) -> PairPnlView:
        traded = market(pair)
        base, quote = traded.base.decimals, traded.quote.decimals
        price = self._price(pair, now_ms)
        gain = None if price is None else unrealized(book, pair, price)
        return PairPnlView(
            pair=pair,
            base=traded.base.symbol,
            quote=traded.quote.symbol,
            bought=AmountsView(
                written(book.bought_base_raw, base), written(book.bought_quote_raw, quote)
            ),
            sold=AmountsView(
                written(book.sold_base_raw, base), written(book.sold_quote_raw, quote)
            ),
            position=written(book.position_raw, base),
            average_cost=_text(average_cost(book, pair)),
            realized=signed(book.realized_raw, quote),
            unrealized=None if gain is None else _rounded(gain, quote),
            market_price=_text(price),
            unknown_cost=AmountsView(
                written(book.unknown_base_raw, base), written(book.unknown_quote_raw, quote)
            ),
            fees=FeesView(
                network_fee_lamports=book.network_fee_lamports,
                network=written(book.network_fee_lamports, ASSETS["SOL"].decimals),
                platform_fee="0",
                other={symbol: f"{fee:f}" for symbol, fee in book.other_fees.items()},
            ),
            fills=book.fills,
            first_at=iso(book.first_ms),
            last_at=iso(book.last_ms),
        )

    def _price(self, pair: str, now_ms: int) -> Decimal | None:
        """Return the board's price of a pair where both of its sides may be traded on."""
        traded = market(pair)
        symbols = (traded.base.symbol, traded.quote.symbol)
        age_ms_max = self._limits.price_age_ms_max
        try:
            base, quote = (
                self._board.fresh(symbol, now_ms=now_ms, age_ms_max=age_ms_max)
                for symbol in symbols
            )
        except Unavailable:
            return None
        with localcontext(prec=16):
            return (base.value / quote.value).normalize()


def fill_view(entry: Entry) -> PortfolioFillView:
    """Return a fill as clients read it."""
    fill, gain, traded = entry.fill, entry.gain, market(entry.fill.pair)
    return PortfolioFillView(
        order_id=str(fill.order_id),
        pair=fill.pair,
        direction=fill.side.value,
        mode=fill.mode,
        base=written(fill.base_raw, traded.base.decimals),
        quote=written(fill.quote_raw, traded.quote.decimals),
        price=_text(price_of(fill.pair, fill.base_raw, fill.quote_raw)),
        network_fee_lamports=fill.network_fee_lamports,
        platform_fee="0",
        other_fees={symbol: f"{fee:f}" for symbol, fee in fill.other_fees.items()},
        tx_hash=entry.tx_hash,
        at=iso(fill.at_ms),
        venues=list(entry.venues),
        realized=signed(gain.realized_raw, traded.quote.decimals),
        unknown_cost=written(gain.unknown_base_raw, traded.base.decimals),
    )


def signed(raw: int, decimals: int) -> str:
    """Return base units, below zero too, as an exact decimal string."""
    return f"-{written(-raw, decimals)}" if raw < 0 else written(raw, decimals)


def _total(values: list[str | None]) -> str:
    return f"{sum((Decimal(value) for value in values if value is not None), Decimal(0)):f}"


def _rounded(amount: Decimal, decimals: int) -> str:
    with localcontext(prec=_DIGITS):
        return signed(int(amount.scaleb(decimals).to_integral_value()), decimals)


def _text(number: Decimal | None) -> str | None:
    return None if number is None else f"{number:f}"


def _cursor(entry: Entry) -> str:
    return f"{entry.fill.at_ms}.{entry.fill.order_id}"


def _place(cursor: str) -> Place:
    found = _CURSOR.fullmatch(cursor)
    if found is not None:
        try:
            return int(found[1]), UUID(found[2])
        except ValueError:
            pass
    raise Refused("cursor must be the nextCursor of a page before", code="request.malformed")


VIEWS: Final = (DeskPortfolioView, PortfolioFillsView)
"""What these routes answer, for OpenAPI."""
