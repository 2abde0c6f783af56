"""Market data in Postgres: connection in, nouns out. All SQL of ingest is here.

model       what is stored beside candles: ticks, gaps, what was forgotten
periods     which partition a moment falls into; pure
partitions  partitions made ahead, and dropped when they are old
copying     ticks as bytes of binary COPY; pure
write       batches of a writer, each stored once
read        candles, ticks, gaps, and which candles are there
rollups     larger candles from one-minute ones
forget      what was declared bad, taken out
"""
