"""Wallets as a way to sign in: a text of the desk's own, signed by the wallet's key, once."""
