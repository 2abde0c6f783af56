"""Meteora: pools of price bins and of concentrated liquidity, a folder for each kind."""
