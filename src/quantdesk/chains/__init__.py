"""Where transactions settle: one folder per chain, all behind `port.py`."""
