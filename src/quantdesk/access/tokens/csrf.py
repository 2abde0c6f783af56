"""The token against forged requests that goes with a session's cookie; pure.

A hash of the cookie, which scripts cannot read and other sites cannot make: no state is kept for
it, and none that an attacker plants in a cookie of their own fits the victim's session.
"""

import base64
import hmac


def csrf(token: str) -> str:
    """Return the CSRF token of a session's cookie: a hash of it, of which it tells nothing."""
    made = hmac.digest(token.encode(), b"qd_csrf", "sha256")
    return base64.urlsafe_b64encode(made[:24]).decode()
