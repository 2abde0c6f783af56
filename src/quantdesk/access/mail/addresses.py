"""Email addresses as the desk knows them: one spelling each, plain ASCII, in lower case. Pure.

Shape: the dot-atom of https://www.rfc-editor.org/rfc/rfc5321#section-4.1.2 with the lengths of
§4.5.3.1; no quoted names, no addresses of machines. Letters beyond ASCII are refused before
anything is made lower case: `K` (U+212A) becomes `k`, and somebody else's address with it
(https://www.unicode.org/reports/tr36/#Case_Folding). Domains of other scripts come as `xn--…`.
"""

import re
from typing import Final

from quantdesk.core.errors import Refused

ADDRESS_MAX: Final = 254
_NAME_MAX: Final = 64
_ATOM: Final = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ADDRESS: Final = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+{_LABEL}")


def address(text: str) -> str:
    """Return the one spelling of an email address; raise `Refused` (`email.malformed`)."""
    if len(text) > ADDRESS_MAX or not text.isascii():
        raise _malformed()
    lower = text.lower()
    if _ADDRESS.fullmatch(lower) is None or lower.index("@") > _NAME_MAX:
        raise _malformed()
    return lower


def words(email: str) -> tuple[str, ...]:
    """Return the words of an address, which its owner's password must not consist of."""
    return tuple(re.findall(r"[a-z0-9]{3,}", email))


def _malformed() -> Refused:
    return Refused(
        "this is not an email address such as name@example.com (letters a-z; other scripts in a"
        " domain as xn--…)",
        code="email.malformed",
    )
