"""Markets: the pairs that trade. A price is quote per base, as a decimal."""

from dataclasses import dataclass
from enum import StrEnum

from quantdesk.core.assets import ASSETS, Asset
from quantdesk.core.errors import Refused


class Side(StrEnum):
    """What the trader does with the base asset: BUY is exact out, SELL is exact in."""

    BUY = "BUY"
    SELL = "SELL"


@dataclass(frozen=True, slots=True)
class Market:
    """A base asset priced in a quote asset; `pair` reads BASE-QUOTE."""

    base: Asset
    quote: Asset

    @property
    def pair(self) -> str:
        """Return the name users type, such as SOL-USDC."""
        return f"{self.base.symbol}-{self.quote.symbol}"


def _market(pair: str) -> Market:
    base, quote = pair.split("-")
    return Market(ASSETS[base], ASSETS[quote])


MARKETS: dict[str, Market] = {
    pair: _market(pair)
    for pair in ("SOL-USDC", "SOL-USDT", "BTC-USDC", "ETH-USDC", "USDT-USDC", "PYUSD-USDC")
}


def market(pair: str) -> Market:
    """Return the market of a pair; raise `Refused` (`pair.unknown`) when it is not listed."""
    try:
        return MARKETS[pair]
    except KeyError:
        listed = ", ".join(MARKETS)
        raise Refused(f"{pair} is not traded here; pairs: {listed}", code="pair.unknown") from None
