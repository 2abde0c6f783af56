"""Portfolio: what an account's confirmed orders came to, and what they left it with.

model   fills, and the running totals of an account and pair; average cost, pure
ledger  confirmed orders counted once each, in the order they filled
store   the SQL
"""
