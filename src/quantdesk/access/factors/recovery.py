"""Recovery codes as they are compared. Pure."""

import hashlib


def digest(code: str) -> bytes:
    """Return what is stored of a recovery code, however its letters and gaps were typed."""
    letters = "".join(code.split()).replace("-", "").lower()
    return hashlib.sha256(letters.encode()).digest()
