"""Raydium's constant-product pools (CPMM): quotes from pool state, and the swaps that take them.

cpmm          what a trade costs, in integers
instructions  the calls of the program
layout        its accounts, read from bytes
venue         `Raydium`, the adapter
"""
