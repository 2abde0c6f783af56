"""Where prices come from: one file per source, all behind `port.py`."""
