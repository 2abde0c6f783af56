"""Candles by event time: built from trades, revised when some come late, held to the exchange's.

exact    decimal strings as integers, and back
missing  trade ids not seen yet, and when they happened
window   one candle in the making; folding small ones into a larger one
series   the windows of one interval: the last so many, and which is next to close
market   all intervals of one market: a trade is counted once, and rolled up
holding  ours beside the exchange's
candles  the public face: trades and klines in, candles out
"""
