"""A letter as the bytes of a message (RFC 5322), in which no header can be slipped. Pure.

The `Message-ID` follows from the letter's id, so that a letter that had to be sent twice can be
known as one: https://www.rfc-editor.org/rfc/rfc5322#section-3.6.4. `Auto-Submitted` keeps holiday
notices away: https://www.rfc-editor.org/rfc/rfc3834#section-5.
"""

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final

from quantdesk.access.mail.addresses import address
from quantdesk.access.mail.model import Letter
from quantdesk.core.clock import utc
from quantdesk.core.errors import Refused

_SENDER_NAME: Final = "QuantDesk"


def composed(letter: Letter, *, sender: str) -> bytes:
    """Return the message.

    Raises `Refused`: `email.malformed` for a recipient who is none, `mail.rejected` for a subject
    of several lines.
    """
    if address(letter.recipient) != letter.recipient:
        raise Refused("the letter's address has another spelling", code="email.malformed")
    try:
        return _message(letter, sender).as_bytes()
    except ValueError:  # the value stays unsaid
        raise Refused("the letter's headers are malformed", code="mail.rejected") from None


def _message(letter: Letter, sender: str) -> EmailMessage:
    home = Address(addr_spec=sender)
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(_SENDER_NAME, addr_spec=sender)
    message["To"] = Address(addr_spec=letter.recipient)
    message["Subject"] = letter.subject
    message["Date"] = utc(letter.at_ms)
    message["Message-ID"] = f"<{letter.id}@{home.domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    return message
