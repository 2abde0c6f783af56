"""Who is told of security events: a webhook or a Slack channel over HTTPS, a mailbox.

A webhook gets the event as JSON and `X-QuantDesk-Signature: t=<Unix seconds>,v1=<hex>`: the
HMAC-SHA256 of "<t>.<body>" with a secret both sides know: our words, and when they were said.

Slack: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
"""

import hmac
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import msgspec

from quantdesk.access.mail.model import Letter
from quantdesk.access.mail.port import Post
from quantdesk.access.threats.model import SecurityEvent
from quantdesk.core.clock import Clock, iso
from quantdesk.core.errors import Unavailable

TIMEOUT_S: Final = 10.0
_OK: Final = range(200, 300)
_CAUSES: Final[tuple[tuple[type[Exception], str], ...]] = (
    # the first that fits
    (aiohttp.InvalidURL, "what is set is no address such as https://HOST/PATH"),
    (aiohttp.ClientConnectorDNSError, "no machine is found by its name"),
    (aiohttp.ClientSSLError, "TLS with it fails"),
    (aiohttp.ClientConnectorError, "nothing listens there, or the way is blocked"),
)


class Webhook:
    """An address of the user's own that takes events as JSON."""

    name = "webhook"
    kept = ""

    def __init__(
        self, url: str, *, secret: str, clock: Clock, timeout_s: float = TIMEOUT_S
    ) -> None:
        self._url = url
        self._secret = secret.encode()
        self._clock = clock
        self._timeout_s = timeout_s

    @property
    def to(self) -> str:
        """Return the host it posts to."""
        return host_of(self._url)

    async def notify(self, event: SecurityEvent) -> None:
        """Post an event; raise `Unavailable` (`notice.unsent`)."""
        body = msgspec.json.encode(told(event))
        at = b"%d" % (self._clock.now_ms() // 1000)
        signature = hmac.new(self._secret, at + b"." + body, "sha256").hexdigest()
        headers = {"X-QuantDesk-Signature": f"t={at.decode()},v1={signature}"}
        await _post(self._url, body, headers, timeout_s=self._timeout_s)


class Slack:
    """A Slack channel, by its incoming webhook."""

    name = "slack"
    kept = ""

    def __init__(self, url: str, *, timeout_s: float = TIMEOUT_S) -> None:
        self._url = url
        self._timeout_s = timeout_s

    @property
    def to(self) -> str:
        """Return the host it posts to."""
        return host_of(self._url)

    async def notify(self, event: SecurityEvent) -> None:
        """Post an event as text; raise `Unavailable` (`notice.unsent`)."""
        text = (
            f"*{event.severity.upper()}* {event.kind}: {event.detail}"
            f" ({event.count} times, {event.subject})"
        )
        body = msgspec.json.encode({"text": _plain(text)})
        await _post(self._url, body, {}, timeout_s=self._timeout_s)


class Mailed:
    """A mailbox, by whatever carries the desk's letters; `kept` where they never leave."""

    name = "mail"

    def __init__(self, recipient: str, *, post: Post, kept: str = "") -> None:
        self._recipient = recipient
        self._post = post
        self.kept = kept

    @property
    def to(self) -> str:
        """Return the mailbox's address."""
        return self._recipient

    async def notify(self, event: SecurityEvent) -> None:
        """Send an event as a letter; raise `Unavailable` (`mail.unavailable`) or `Refused`."""
        facts = "\n".join(f"{name}: {value}" for name, value in told(event).items())
        letter = Letter(
            id=event.id,
            recipient=self._recipient,
            subject=f"QuantDesk: {event.severity}: {event.kind}",
            text=f"{event.detail}\n\n{facts}\n",
            at_ms=event.at_ms,
        )
        await self._post.send(letter)


def told(event: SecurityEvent) -> dict[str, Any]:
    """Return an event as it is told outside."""
    return {
        "id": str(event.id),
        "at": iso(event.at_ms),
        "kind": event.kind,
        "severity": event.severity,
        "subject": event.subject,
        "count": event.count,
        "since": iso(event.since_ms),
        "network": event.network,
        "accountId": None if event.account_id is None else str(event.account_id),
        "blockSeconds": event.block_s,
        "detail": event.detail,
    }


def _plain(text: str) -> str:
    """Return text in which Slack finds no links, mentions or channels."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def host_of(url: str) -> str:
    """Return the host of an address: path, query, user and password are secrets."""
    try:
        return urlsplit(url).hostname or "?"
    except ValueError:
        return "?"


async def _post(url: str, body: bytes, headers: dict[str, str], *, timeout_s: float) -> None:
    timeout = aiohttp.ClientTimeout(total=timeout_s)
    headers = {"Content-Type": "application/json", **headers}
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(url, data=body, headers=headers, allow_redirects=False) as answer,
        ):
            status = answer.status
    except TimeoutError:
        raise Unavailable(f"no answer within {timeout_s:g} s", code="notice.unsent") from None
    except aiohttp.ClientError as problem:
        raise Unavailable(f"no answer: {_cause(problem)}", code="notice.unsent") from None
    if status not in _OK:
        raise Unavailable(f"it answered {status}", code="notice.unsent")


def _cause(problem: aiohttp.ClientError) -> str:
    # Its own words hold the address, which is a secret: whoever knows it can post there.
    words = (words for kind, words in _CAUSES if isinstance(problem, kind))
    return next(words, type(problem).__name__)
