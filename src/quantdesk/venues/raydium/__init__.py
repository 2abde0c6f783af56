"""Raydium: pools by constant product and by concentrated liquidity, a folder for each kind."""
