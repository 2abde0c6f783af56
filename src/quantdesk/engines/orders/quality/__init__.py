"""Execution quality: what each fill was quoted, simulated and filled at, and what came after it.

model    an entry of the ledger, and the moments at which the board is asked
reading  from an order's evidence to its entries, one for each leg
tape     what the board said in the last minutes
bias     costs in basis points, and how far a venue's fills fall short of its quotes
store    the SQL
wire     how clients read it
ledger   the public face: listens, enters, fills in what is due, tells
"""
