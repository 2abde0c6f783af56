"""The words sources speak, each a pure reader: bytes of one message in, events out.

Live sources and recordings read by the same words, so neither imports the other.
"""
