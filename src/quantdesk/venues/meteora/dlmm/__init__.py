"""Meteora DLMM: liquidity in price bins, with a fee that rises when the price moves.

layout        bytes of the program's accounts → nouns, and the addresses derived from a pair
swap          a swap through the bins, exactly as the program computes it
instructions  swap2 and swap_exact_out2
pool          what is known of one pool, which accounts that takes, and its snapshots
"""
