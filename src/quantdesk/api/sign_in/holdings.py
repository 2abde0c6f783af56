"""What a wallet holds, told to whoever just signed in with it: balances, and what they are worth.

Both come after the sign-in has succeeded and cannot undo it: a chain that does not answer leaves
`balances` null and says why.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from typing import Final

import msgspec

from quantdesk.access.wallets.model import ChainName
from quantdesk.core.assets import ASSETS
from quantdesk.core.errors import DeskError
from quantdesk.core.money import from_raw

Read = Callable[[str], Awaitable[Mapping[str, int]]]
"""Returns what an address holds, by symbol in base units; raises `DeskError`."""

Price = Callable[[str], Decimal | None]
"""Returns what one of an asset is worth in US dollars now, None when that is not known."""

_CHAIN_S: Final = 2.0
_CENT: Final = Decimal("0.01")


class AssetView(msgspec.Struct, frozen=True, rename="camel"):
    """One asset a wallet holds; all numbers are decimal strings, the value in whole cents."""

    symbol: str
    amount: str
    price_usd: str | None
    value_usd: str | None


class PortfolioView(msgspec.Struct, frozen=True, rename="camel"):
    """What a wallet is worth in US dollars; `unpriced` assets count for nothing in it."""

    value_usd: str
    assets: list[AssetView]
    unpriced: list[str]


class HoldingsView(msgspec.Struct, frozen=True, rename="camel"):
    """What a wallet held at sign-in; `note` says why `balances` are null."""

    balances: dict[str, str] | None
    portfolio: PortfolioView | None
    note: str | None = None


class Holdings:
    """Reads wallets; a chain without a reader is not read."""

    def __init__(self, *, readers: Mapping[ChainName, Read], price: Price) -> None:
        self._readers = readers
        self._price = price

    async def of(self, chain: ChainName, address: str) -> HoldingsView:
        """Return what a wallet holds; raises nothing that a chain may do."""
        read = self._readers.get(chain)
        if read is None:
            return HoldingsView(None, None, f"this desk reads no balances of {chain} wallets")
        try:
            async with asyncio.timeout(_CHAIN_S):
                held = await read(address)
        except DeskError as problem:
            return HoldingsView(None, None, f"the balances could not be read: {problem.detail}")
        except TimeoutError:
            return HoldingsView(None, None, f"the chain did not answer within {_CHAIN_S:g} s")
        amounts = {symbol: from_raw(raw, ASSETS[symbol].decimals) for symbol, raw in held.items()}
        balances = {symbol: f"{amount:f}" for symbol, amount in amounts.items()}
        prices = {symbol: self._price(symbol) for symbol in amounts}
        return HoldingsView(balances, portfolio(amounts, prices))


def portfolio(
    amounts: Mapping[str, Decimal], prices: Mapping[str, Decimal | None]
) -> PortfolioView:
    """Return what amounts are worth at these prices; what is not held is left out."""
    total = Decimal(0)
    assets, unpriced = [], []
    for symbol, amount in amounts.items():
        if not amount:
            continue
        price = prices[symbol]
        if price is None:
            unpriced.append(symbol)
            assets.append(AssetView(symbol, f"{amount:f}", None, None))
            continue
        value = amount * price
        total += value
        assets.append(AssetView(symbol, f"{amount:f}", f"{price:f}", _cents(value)))
    return PortfolioView(_cents(total), assets, unpriced)


def _cents(value: Decimal) -> str:
    return f"{value.quantize(_CENT):f}"
