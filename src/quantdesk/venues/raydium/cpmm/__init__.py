"""Raydium's constant-product pools (CPMM).

curve         what a trade costs, in integers
instructions  the calls of the program
layout        its accounts, read from bytes
pool          what is known of one pool, and its snapshots
"""
