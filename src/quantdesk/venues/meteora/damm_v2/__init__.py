"""Meteora DAMM v2: one price range per pool, or a plain constant product, under a changing fee.

layout        bytes of the pool account ↔ nouns, and the program's own addresses
fees          the fee rate of a swap: schedules, rate limiter, volatility
curve         a swap through the range or the reserves, exactly as the program rounds
instructions  swap2
pool          a pool as it stands, and how it is followed
"""
