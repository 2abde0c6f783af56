"""Nonces: what makes a signed text good once, for one wallet, at one site, in one browser. Pure.

ask ─▶ 256 random bits, kept as SHA-256 ─▶ in the text that is signed ─▶ spent by the first try
"""

import hashlib
import hmac
import re
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from typing import Final

from quantdesk.access.wallets import texts
from quantdesk.access.wallets.addresses import canonical
from quantdesk.access.wallets.model import Challenge, Proof, Purpose
from quantdesk.core.errors import Refused

SECRET_BYTES: Final = 32
LIFE_MS: Final = 5 * 60_000

_LINE: Final = re.compile(r"^Nonce: ([0-9a-f]{64})$", re.MULTILINE)
_NETWORK_BITS: Final = 64

Fault = tuple[str, str]
"""A stable code, and words that a person can act on."""

UNKNOWN: Final = (
    "nonce.unknown",
    "this desk did not write this text, or long ago: ask for a fresh one",
)
USED: Final = ("nonce.used", "this text has been used: ask for a fresh one")
UNSIGNED: Final = ("signature.wrong", "this is not the wallet's signature of the text")


def found_in(message: str) -> str | None:
    """Return the nonce of a text, if it is of the kind this desk makes."""
    found = _LINE.search(message)
    return found and found[1]


def digest(secret: str) -> bytes:
    """Return what is kept of a secret of 256 random bits."""
    return hashlib.sha256(secret.encode()).digest()


def network(ip: str) -> str:
    """Return whom open nonces are counted by: an address, of IPv6 the subnet of one customer."""
    try:
        parsed = ip_address(ip)
    except ValueError:
        return "unknown"
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return f"{IPv6Address(int(parsed) >> _NETWORK_BITS << _NETWORK_BITS)}/{_NETWORK_BITS}"


def fault(
    challenge: Challenge, proof: Proof, *, nonce: str, purpose: Purpose, now_ms: int
) -> Fault | None:
    """Return why a proof does not answer a challenge, whatever its signature; None when it does."""
    checks: tuple[tuple[Callable[[], bool], Fault], ...] = (
        (lambda: now_ms < challenge.expires_ms, _EXPIRED),
        (lambda: challenge.purpose is purpose, _PURPOSE),
        (lambda: challenge.site == proof.site, _SITE),
        (lambda: _same_browser(challenge, proof), _BROWSER),
        (lambda: _same_wallet(challenge, proof), _WALLET),
        (lambda: _same_text(challenge, proof, nonce), _TEXT),
    )
    return next((why for holds, why in checks if not holds()), None)


_EXPIRED: Final = ("nonce.expired", "this text was good for five minutes: ask for a fresh one")
_PURPOSE: Final = ("nonce.purpose", "this text was written to be signed for something else")
_SITE: Final = ("nonce.site", "this text was written for another address of this desk")
_BROWSER: Final = ("nonce.browser", "this text was written for another browser")
_WALLET: Final = ("nonce.wallet", "this text was written for another wallet")
_TEXT: Final = ("message.changed", "this is not the text that this desk wrote: sign it unchanged")


def _same_browser(challenge: Challenge, proof: Proof) -> bool:
    if challenge.browser is None:
        return True
    return hmac.compare_digest(challenge.browser, digest(proof.browser or ""))


def _same_wallet(challenge: Challenge, proof: Proof) -> bool:
    try:
        return canonical(challenge.chain, proof.address) == challenge.address
    except Refused:
        return False


def _same_text(challenge: Challenge, proof: Proof, nonce: str) -> bool:
    return hmac.compare_digest(texts.written(challenge, nonce).encode(), proof.message.encode())
