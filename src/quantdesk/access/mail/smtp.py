"""Post by SMTP: each letter on its own connection, encrypted unless the server is this machine.

STARTTLS that was asked for and is not offered is a failure and never falls back to plain text
(https://www.rfc-editor.org/rfc/rfc3207#section-6). Replies: RFC 5321 §4.2.1: 4yz may pass, 5yz will
not. A 5yz that is about us (sign-in, sender) and not about the letter is ours to mend: it is tried
again until the letter expires.
"""

import asyncio
import ssl
from typing import Final, Literal

import aiosmtplib
import msgspec

from quantdesk.access.mail.addresses import address
from quantdesk.access.mail.composed import composed
from quantdesk.access.mail.model import Letter
from quantdesk.core.errors import Refused, Unavailable

Security = Literal["starttls", "tls", "off"]

_PERMANENT: Final = range(500, 600)
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class SmtpServer(msgspec.Struct, frozen=True, kw_only=True):
    """Where letters are handed in, as whom, and how long that may take (seconds)."""

    host: str
    port: int = 587
    security: Security = "starttls"
    user: str = ""
    password: str = ""
    ca_file: str = ""
    """PEM file of an own certificate authority; empty trusts the machine's."""
    timeout_s: float = 20.0
    """For a whole letter."""

    def __repr__(self) -> str:
        return f"SmtpServer({self.host}:{self.port})"


class SmtpPost:
    """Hands letters to an SMTP server."""

    def __init__(self, server: SmtpServer, *, sender: str) -> None:
        if server.security == "off" and server.host not in _LOOPBACK:
            raise Refused(
                f"mail to {server.host} would travel in the open, with links that reset passwords:"
                " set security to starttls or tls",
                code="mail.insecure",
            )
        self._server = server
        self._sender = address(sender)
        self._tls = _trust(server)

    async def send(self, letter: Letter) -> None:
        """Hand a letter in.

        Raises `Unavailable` (`mail.unavailable`), `Refused` (`mail.rejected`).
        """
        message = composed(letter, sender=self._sender)
        try:
            async with asyncio.timeout(self._server.timeout_s):
                await self._hand_in(letter.recipient, message)
        except aiosmtplib.SMTPRecipientsRefused as problem:
            raise _told([(refused.code, True) for refused in problem.recipients]) from None
        except aiosmtplib.SMTPResponseException as problem:
            is_about_letter = isinstance(problem, aiosmtplib.SMTPDataError)
            raise _told([(problem.code, is_about_letter)]) from None
        except (aiosmtplib.SMTPException, OSError, ValueError, TimeoutError) as problem:
            detail = f"the mail server did not take it: {type(problem).__name__}"
            raise Unavailable(detail, code="mail.unavailable") from problem

    async def _hand_in(self, recipient: str, message: bytes) -> None:
        server = self._server
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            timeout=server.timeout_s,
            use_tls=server.security == "tls",
            start_tls=server.security == "starttls",
            tls_context=self._tls,
            username=server.user or None,
            password=server.password or None,
        )
        try:
            await client.connect()
            await client.sendmail(self._sender, [recipient], message)
            await _leave(client)
        finally:
            client.close()


async def _leave(client: aiosmtplib.SMTP) -> None:
    try:
        await client.quit()
    except aiosmtplib.SMTPException:
        return  # it has the letter: how it says goodbye changes nothing


def _trust(server: SmtpServer) -> ssl.SSLContext | None:
    if server.security == "off":
        return None
    try:
        return ssl.create_default_context(cafile=server.ca_file or None)
    except OSError as problem:
        detail = f"{server.ca_file} holds no certificates: {problem.strerror or problem}"
        raise Refused(detail, code="mail.insecure") from problem


def _told(replies: list[tuple[int, bool]]) -> Refused | Unavailable:
    """Return what a server's replies mean: the letter's own fault if all are, for good."""
    codes = ", ".join(str(code) for code, _ in replies)
    if all(code in _PERMANENT and is_about_letter for code, is_about_letter in replies):
        return Refused(f"the mail server refused the letter: {codes}", code="mail.rejected")
    return Unavailable(f"the mail server answered {codes}", code="mail.unavailable")
