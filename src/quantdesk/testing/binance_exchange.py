"""An exchange's matching and books of account, for `testing.binance` to serve: no I/O.

It keeps the real one's rules where they are dangerous. An order id may be used again as soon as the
order that had it has ended, so the same request taken twice fills twice; what was taken may be told
of late; time is the exchange's own. `doubled` says which of the desk's orders filled twice.

Rules: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/trading-endpoints
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from quantdesk.core.clock import Clock

Json = Any
TAKER: Final = Decimal("0.001")
_ENDED: Final = frozenset({"FILLED", "EXPIRED", "CANCELED", "REJECTED"})


class Told(Exception):
    """An error as the exchange answers it."""

    def __init__(self, code: int, msg: str, status: int = 400) -> None:
        super().__init__(msg)
        self.status = status
        self.body = {"code": code, "msg": msg}


@dataclass(slots=True)
class Order:
    """An order and what became of it."""

    id: int
    client_id: str
    symbol: str
    side: str
    force: str
    price: Decimal
    quantity: Decimal
    at_ms: int
    executed: Decimal = Decimal()
    notional: Decimal = Decimal()
    status: str = "NEW"
    reason: str = ""


@dataclass(slots=True)
class Symbol:
    """A pair: its filters, and what is offered, by price."""

    base: str
    quote: str
    tick: str = "0.01000000"
    lot: str = "0.00100000"
    notional_min: str = "5.00000000"
    status: str = "TRADING"
    bids: dict[Decimal, Decimal] = field(default_factory=dict)
    asks: dict[Decimal, Decimal] = field(default_factory=dict)
    update_id: int = 1_000

    @property
    def name(self) -> str:
        """Return its name."""
        return self.base + self.quote


class Exchange:
    """One account of it. `skew_ms` is how far its clock runs ahead of the desk's.

    `told_after_ms` is how long orders and trades stay unknown to questions; `bnb_price` is quote
    per BNB where fees are paid in BNB, None where they are taken from what is received.
    """

    def __init__(self, *, clock: Clock, uid: int = 354_937_868, skew_ms: int = 0) -> None:
        self.uid = uid
        self.skew_ms = skew_ms
        self.told_after_ms = 0
        self.bnb_price: Decimal | None = None
        self.part = Decimal(1)
        """Of what a book shows, how much is really there when an order meets it."""
        self.held: defaultdict[str, Decimal] = defaultdict(Decimal)
        self.symbols: dict[str, Symbol] = {}
        self.orders: list[Order] = []
        self.trades: list[tuple[int, Json]] = []
        self.reports: list[Json] = []
        """What the user data stream has to tell, oldest first."""
        self._clock = clock

    @property
    def now_ms(self) -> int:
        """Return its own time in Unix milliseconds."""
        return self._clock.now_ms() + self.skew_ms

    @property
    def doubled(self) -> list[str]:
        """Return the desk's orders that more than one of its orders filled."""
        filled: defaultdict[str, int] = defaultdict(int)
        for order in self.orders:
            if order.executed:
                filled[order.client_id.rpartition("-")[0]] += 1
        return [name for name, times in filled.items() if times > 1]

    def fund(self, **amounts: str) -> None:
        """Put assets into the account."""
        for asset, amount in amounts.items():
            self.held[asset] += Decimal(amount)

    def check(self, params: Mapping[str, str]) -> Symbol:
        """Return the symbol of an order that breaks no filter; raise `Told`."""
        symbol = self.symbols.get(params.get("symbol", ""))
        if symbol is None:
            raise Told(-1121, "Invalid symbol.")
        for name in ("side", "type", "timeInForce", "quantity", "price"):
            if not params.get(name):
                raise Told(
                    -1102,
                    f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.",
                )
        price, quantity = Decimal(params["price"]), Decimal(params["quantity"])
        if price <= 0 or price % Decimal(symbol.tick):
            raise Told(-1013, "Filter failure: PRICE_FILTER")
        if quantity < Decimal(symbol.lot) or quantity % Decimal(symbol.lot):
            raise Told(-1013, "Filter failure: LOT_SIZE")
        if price * quantity < Decimal(symbol.notional_min):
            raise Told(-1013, "Filter failure: NOTIONAL")
        return symbol

    def place(self, params: Mapping[str, str]) -> Order:
        """Match an order at once; raise `Told`."""
        symbol = self.check(params)
        client_id = params["newClientOrderId"]
        if symbol.status != "TRADING":
            raise Told(-2010, "Market is closed.")
        if any(o.client_id == client_id and o.status not in _ENDED for o in self.orders):
            raise Told(-2010, "Duplicate order sent.")
        order = Order(
            len(self.orders) + 28, client_id, symbol.name, params["side"], params["timeInForce"],
            Decimal(params["price"]), Decimal(params["quantity"]), self.now_ms,
        )  # fmt: skip
        asset = symbol.quote if order.side == "BUY" else symbol.base
        needed = order.quantity * (order.price if order.side == "BUY" else 1)
        if self.held[asset] < needed:
            raise Told(-2010, "Account has insufficient balance for requested action.")
        self.orders.append(order)
        self._match(order, symbol)
        self.reports.append(_report(order))
        return order

    def find(self, symbol: str, client_id: str) -> Order:
        """Return the latest order of an id as far as it is told of; raise `Told`.

        The id is the client's or the exchange's own.
        """
        for order in reversed(self.orders):
            if (
                order.symbol == symbol
                and client_id in (order.client_id, str(order.id))
                and self._is_told(order.at_ms)
            ):
                return order
        raise Told(-2013, "Order does not exist.")

    def listed(self, symbol: str, start_ms: int, end_ms: int) -> list[Order]:
        """Return the orders of a time as far as they are told of."""
        return [
            order
            for order in self.orders
            if order.symbol == symbol
            and start_ms <= order.at_ms <= end_ms
            and self._is_told(order.at_ms)
        ]

    def traded(self, symbol: str, order_id: int | None, start_ms: int, end_ms: int) -> list[Json]:
        """Return the trades of an order or a time as far as they are told of."""
        return [
            row
            for at_ms, row in self.trades
            if row["symbol"] == symbol
            and order_id in (None, row["orderId"])
            and start_ms <= at_ms <= end_ms
            and self._is_told(at_ms)
        ]

    def _is_told(self, at_ms: int) -> bool:
        return at_ms + self.told_after_ms <= self.now_ms

    def _match(self, order: Order, symbol: Symbol) -> None:
        buys = order.side == "BUY"
        side = symbol.asks if buys else symbol.bids
        prices = sorted(
            price for price in side if (price <= order.price) == buys or price == order.price
        )
        meets = [(price, side[price] * self.part) for price in (prices if buys else prices[::-1])]
        if order.force == "FOK" and sum(quantity for _, quantity in meets) < order.quantity:
            order.status, order.reason = "EXPIRED", "UNFILLED_FOK_ORDER_EXPIRED"
            return
        for price, offered in meets:
            quantity = min(offered, order.quantity - order.executed)
            quantity -= quantity % Decimal(symbol.lot)
            if quantity:
                side[price] -= quantity
                self._trade(order, symbol, price, quantity)
        if order.executed == order.quantity:
            order.status = "FILLED"
        else:
            order.status, order.reason = "EXPIRED", "UNFILLED_IOC_QUANTITY_EXPIRED"
        symbol.update_id += 1

    def _trade(self, order: Order, symbol: Symbol, price: Decimal, quantity: Decimal) -> None:
        buys = order.side == "BUY"
        notional = price * quantity
        order.executed += quantity
        order.notional += notional
        fee, asset = (quantity if buys else notional) * TAKER, symbol.base if buys else symbol.quote
        if self.bnb_price is not None:
            fee, asset = notional * TAKER / self.bnb_price, "BNB"
        fee = fee.quantize(Decimal("1e-8"))
        sign = 1 if buys else -1
        self.held[symbol.base] += sign * quantity
        self.held[symbol.quote] -= sign * notional
        self.held[asset] -= fee
        row = {
            "symbol": symbol.name, "id": 28_457 + len(self.trades), "orderId": order.id,
            "orderListId": -1, "price": f"{price:.8f}", "qty": f"{quantity:.8f}",
            "quoteQty": f"{notional:.8f}", "commission": f"{fee:.8f}", "commissionAsset": asset,
            "time": self.now_ms, "isBuyer": buys, "isMaker": False, "isBestMatch": True,
        }  # fmt: skip
        self.trades.append((self.now_ms, row))


def result(order: Order) -> Json:
    """Return an order as `POST /api/v3/order` answers it."""
    said = {
        "symbol": order.symbol, "orderId": order.id, "orderListId": -1,
        "clientOrderId": order.client_id, "transactTime": order.at_ms,
        "price": f"{order.price:.8f}", "origQty": f"{order.quantity:.8f}",
        "executedQty": f"{order.executed:.8f}", "origQuoteOrderQty": "0.000000",
        "cummulativeQuoteQty": f"{order.notional:.8f}", "status": order.status,
        "timeInForce": order.force, "type": "LIMIT", "side": order.side,
        "workingTime": order.at_ms, "selfTradePreventionMode": "NONE",
    }  # fmt: skip
    return {**said, "expiryReason": order.reason} if order.reason else said


def query(order: Order) -> Json:
    """Return an order as `GET /api/v3/order` answers it."""
    said = {key: value for key, value in result(order).items() if key != "transactTime"}
    return {
        **said, "stopPrice": "0.0", "icebergQty": "0.0", "time": order.at_ms,
        "updateTime": order.at_ms, "isWorking": True,
    }  # fmt: skip


def _report(order: Order) -> Json:
    return {
        "e": "executionReport", "E": order.at_ms, "s": order.symbol, "c": order.client_id,
        "S": order.side, "o": "LIMIT", "f": order.force, "q": f"{order.quantity:.8f}",
        "p": f"{order.price:.8f}", "x": "TRADE" if order.executed else "EXPIRED",
        "X": order.status, "r": "NONE", "i": order.id, "z": f"{order.executed:.8f}",
        "T": order.at_ms,
    }  # fmt: skip


def info(symbol: Symbol) -> Json:
    """Return a symbol as `GET /api/v3/exchangeInfo` answers it."""
    return {
        "symbol": symbol.name, "status": symbol.status, "baseAsset": symbol.base,
        "baseAssetPrecision": 8, "quoteAsset": symbol.quote, "quotePrecision": 8,
        "quoteAssetPrecision": 8, "baseCommissionPrecision": 8, "quoteCommissionPrecision": 8,
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET"], "icebergAllowed": True,
        "ocoAllowed": True, "quoteOrderQtyMarketAllowed": True, "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": True,
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": symbol.tick,
             "maxPrice": "1000000.00000000", "tickSize": symbol.tick},
            {"filterType": "LOT_SIZE", "minQty": symbol.lot, "maxQty": "90000.00000000",
             "stepSize": symbol.lot},
            {"filterType": "ICEBERG_PARTS", "limit": 100},
            {"filterType": "MARKET_LOT_SIZE", "minQty": "0.00000000",
             "maxQty": "3000.00000000", "stepSize": "0.00000000"},
            {"filterType": "PERCENT_PRICE_BY_SIDE", "bidMultiplierUp": "5",
             "bidMultiplierDown": "0.2", "askMultiplierUp": "5", "askMultiplierDown": "0.2",
             "avgPriceMins": 5},
            {"filterType": "NOTIONAL", "minNotional": symbol.notional_min,
             "applyMinToMarket": True, "maxNotional": "9000000.00000000",
             "applyMaxToMarket": False, "avgPriceMins": 5},
        ],
        "permissions": [], "permissionSets": [["SPOT", "MARGIN"]],
        "defaultSelfTradePreventionMode": "NONE", "allowedSelfTradePreventionModes": ["NONE"],
    }  # fmt: skip
