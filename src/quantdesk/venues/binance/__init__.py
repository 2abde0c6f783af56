"""Binance spot: order books as pools.

layout   the exchange's own JSON → rules, levels and taker fees      pure
walk     sizes into levels: what an amount takes, in whole lots      pure
pool     one book as a `Pool`, and the order that takes a trade      pure
venue    `Binance`: the venues port over books that are followed     pure

The books come in as account states (`chains.binance.feed`), in the exchange's own shapes.
"""

from quantdesk.venues.binance.venue import Binance as Binance
