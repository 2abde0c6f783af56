"""Raydium's pools of concentrated liquidity (CLMM).

bitmap        which tick arrays hold liquidity, and the nearest of them
curve         a pool as the router sees it
fees          the fee rate of a swap, fixed or rising as the price moves
instructions  the call of the program
layout        its accounts, read from bytes
pool          what is known of one pool, and its snapshots
steps         what a move of the price trades, in integers
swap          what a trade costs, tick by tick
ticks         prices of ticks
"""
