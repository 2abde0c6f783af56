"""Pyth: prices from a Hermes server, over HTTP and its server-sent stream.

asking.py  one question to Hermes: key, rate, refusals
seen.py    which updates were heard already, by the other connection
source.py  two streams → frames; what was proven
"""

from quantdesk.sources.pyth.source import Pyth

__all__ = ["Pyth"]
