"""Where market data and news come from: an adapter per source, all behind `port.py`.

prices      binance (spot, USD-M), pyth, switchboard; simulated, a market made up from a seed (with
            its crowd); recorded, the messages of a tape or of text (lines)
news        rss, cryptopanic, reddit, x, discord
words       what they speak, pure: live sources and recordings (readers) share it
connected   socket and event_stream (sse), kept alive by reconnecting; tasks run together
asked       fetching, again and again by polling, within a budget
klines      the port of candle histories
limits      what a refusal means       patience  a deadline on one try
tape        our own recordings
"""
