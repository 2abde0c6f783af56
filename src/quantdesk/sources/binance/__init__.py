"""Binance's market data: spot and USD-M perpetuals as two sources of one kind.

exchange.py  what the two differ in: routes, streams, weights
markets.py   which pairs are listed → rest.py
source.py    sockets and snapshots → frames
"""

from quantdesk.sources.binance.exchange import SPOT, USD_M, Exchange
from quantdesk.sources.binance.source import Binance

__all__ = ["SPOT", "USD_M", "Binance", "Exchange"]
