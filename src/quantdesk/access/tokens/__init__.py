"""Tokens: what a session is spoken for with, signed by keys of the desk's own."""
