"""The nouns of the desk, free of I/O.

assets    tokens and their decimals, with their mint on Solana
clock     where time comes from
errors    one root, three kinds
ids       identifiers that sort by time
markets   pairs that trade
money     base units and decimals, never floats
prices    what a source said, and how old it is
"""
