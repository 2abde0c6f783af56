"""Meteora DLMM: liquidity in price bins, with a fee that rises when the price moves.

layout        bytes of the program's accounts → nouns, and the addresses derived from a pair
dlmm          a swap through the bins, exactly as the program computes it
instructions  swap2 and swap_exact_out2
following     what is known of a pool, and which accounts that takes
venue         class Meteora, which the desk talks to
"""
