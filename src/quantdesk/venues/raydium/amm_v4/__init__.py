"""Raydium's oldest pools (AMM v4): constant product, trading without their order book.

curve         what a trade costs, in integers
instructions  the calls of the program
layout        the pool's account, read from bytes
pool          what is known of one pool, and the snapshots the router works with
"""
