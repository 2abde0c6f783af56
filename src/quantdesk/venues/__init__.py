"""Where orders are filled: one file or folder per venue, all behind `port.py`."""
