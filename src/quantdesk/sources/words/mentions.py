"""Which assets a text names: by their name, by their ticker, by a ticker behind a dollar; pure.

Names count in any case, tickers in capitals alone: "sol" is a word of many languages. Tickers that
are English words too count behind a dollar only. A longer name goes first, so that "Bitcoin Cash"
is no Bitcoin.
"""

import re
from typing import Final

SYMBOLS_MAX: Final = 16
_SYMBOL: Final = re.compile(r"[A-Z0-9]{1,16}").fullmatch

_NAMES: Final = {
    "AAVE": (), "ADA": ("cardano",), "APT": ("aptos",), "AVAX": ("avalanche",),
    "BCH": ("bitcoin cash",), "BNB": ("binance coin",), "BTC": ("bitcoin", "bitcoins"),
    "DAI": (), "DOGE": ("dogecoin",), "DOT": ("polkadot",), "ETC": ("ethereum classic",),
    "ETH": ("ethereum", "ether"), "JUP": (), "LINK": ("chainlink",), "LTC": ("litecoin",),
    "NEAR": ("near protocol",), "PYTH": ("pyth network",), "RAY": ("raydium",),
    "SOL": ("solana",), "SUI": (), "TRX": ("tron",), "UNI": ("uniswap",),
    "USDC": ("usd coin",), "USDT": ("tether",), "WBTC": ("wrapped bitcoin",), "XRP": ("ripple",),
}  # fmt: skip
_ALSO: Final = {"XBT": "BTC"}
_WORDS_TOO: Final = frozenset({"DOT", "JUP", "LINK", "NEAR", "RAY", "UNI", "APT", "ADA", "DAI"})

_BY_NAME: Final = {name: symbol for symbol, names in _NAMES.items() for name in names}
_BY_TICKER: Final = {symbol: symbol for symbol in _NAMES} | _ALSO
_BARE: Final = [ticker for ticker in _BY_TICKER if ticker not in _WORDS_TOO]


def _any(words: list[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


_MENTION: Final = re.compile(
    rf"(?:(?<!\$)\$(?P<dollar>(?i:{_any(list(_BY_TICKER))}))"
    rf"|(?<![\w$])(?P<name>(?i:{_any(list(_BY_NAME))}))|(?<![\w$])(?P<ticker>{_any(_BARE)}))(?!\w)"
)


def symbols(text: str) -> tuple[str, ...]:
    """Return the assets a text names, in the order it first names them."""
    found: dict[str, None] = {}
    for said in _MENTION.finditer(text):
        if name := said["name"]:
            found[_BY_NAME[name.lower()]] = None
        else:
            found[_BY_TICKER[(said["dollar"] or said["ticker"]).upper()]] = None
    return tuple(found)[:SYMBOLS_MAX]


def is_symbol(text: str) -> bool:
    """Say whether a text is fit to be an asset's symbol: capitals and digits, 16 at most."""
    return _SYMBOL(text) is not None
