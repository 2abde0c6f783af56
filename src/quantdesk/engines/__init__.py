"""Engines: what the desk decides and does; each folder is one of them."""
