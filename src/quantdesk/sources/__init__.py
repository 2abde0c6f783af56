"""Where prices come from: one file per source, all behind `port.py`.

pyth       the Pyth network, live       simulated  a market made up from a seed
recorded   real messages from a file    hermes, spot, sse  what they speak, without I/O
patience   delays between tries, deadlines on one
"""
