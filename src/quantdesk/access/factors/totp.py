"""Codes of an authenticator app: SHA-1, 30 seconds, six digits. Pure.

RFC 6238 (https://www.rfc-editor.org/rfc/rfc6238): §5.2 allows for one step of delay and asks that
no code is taken twice; the step that matched is returned, so that the caller can see to it.
"""

from hmac import compare_digest
from typing import Final

from pyotp import TOTP

STEP_MS: Final = 30_000
_DRIFT_STEPS: Final = 1


def matching_step(seed: str, digits: str, *, now_ms: int) -> int | None:
    """Return the latest step whose code this is, of the present one and its neighbors."""
    codes, now = TOTP(seed), now_ms // STEP_MS
    matching = None
    for step in range(now - _DRIFT_STEPS, now + _DRIFT_STEPS + 1):
        # All are compared, so that the time taken does not tell which one it was.
        if compare_digest(codes.generate_otp(step).encode(), digits.encode()):
            matching = step
    return matching


def link(seed: str, *, name: str, issuer: str) -> str:
    """Return the `otpauth:` link of a seed, which apps read from a QR code.

    https://github.com/google/google-authenticator/wiki/Key-Uri-Format
    """
    return TOTP(seed).provisioning_uri(name=name, issuer_name=issuer)
