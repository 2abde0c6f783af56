"""The promise: `security test-notice` says of a running desk whether those who are told hear it."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from tests.flow.cli.desk import Home

SECRET = "hush-do-not-tell"


class Channel(ThreadingHTTPServer):
    """Somebody's server that takes notices, and answers `status`."""

    status = 200

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Taking)
        self.got: list[bytes] = []

    @property
    def url(self) -> str:
        """Return its address, the path of which is a secret."""
        return f"http://127.0.0.1:{self.server_address[1]}/{SECRET}"


class _Taking(BaseHTTPRequestHandler):
    server: Channel

    def do_POST(self) -> None:
        """Take a notice."""
        self.server.got.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Mailbox:
    """A mail server's letters."""

    def __init__(self) -> None:
        self.got: list[Envelope] = []

    async def handle_DATA(  # noqa: N802 - the library's name
        self, _: SMTP, __: Session, envelope: Envelope
    ) -> str:
        """Take a letter."""
        self.got.append(envelope)
        return "250 OK"


@contextmanager
def listening() -> Iterator[Channel]:
    """Run a channel while the block runs."""
    with Channel() as channel:
        thread = Thread(target=channel.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield channel
        finally:
            channel.shutdown()
            thread.join()


@contextmanager
def delivering(mailbox: Mailbox) -> Iterator[int]:
    """Run a mail server while the block runs; yield its port."""
    loop = asyncio.new_event_loop()
    made = loop.run_until_complete(
        loop.create_server(lambda: SMTP(mailbox, loop=loop), "127.0.0.1", 0)
    )
    thread = Thread(target=loop.run_forever)
    thread.start()
    try:
        yield made.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        made.close()
        loop.close()


@pytest.mark.filterwarnings("ignore::DeprecationWarning:aiosmtpd")
def test_whoever_is_to_be_told_is_tried_and_the_exit_code_says_whether_all_heard(
    home: Home,
) -> None:
    mailbox = Mailbox()
    with listening() as hook:
        with listening() as chat, delivering(mailbox) as port:
            told = {
                "notices.webhook_url": hook.url,
                "notices.webhook_secret": SECRET,
                "notices.slack_url": chat.url,
                "notices.email": "ops@example.com",
                "mail.smtp_host": "127.0.0.1",
                "mail.smtp_port": port,
                "mail.smtp_security": "off",
                "mail.sender": "desk@example.org",
            }
            flags = [word for item in told.items() for word in ("--set", "=".join(map(str, item)))]
            desk = home.up(*flags)
            heard = home.run("security", "test-notice")
        hook.status = 500
        failed = home.run("security", "test-notice")
        raw = home.run("security", "test-notice", "--json")

    assert heard.code == 0, heard.err
    assert [line.split()[0] for line in heard.out.splitlines()] == [
        "way", "log", "mail", "webhook", "slack"
    ]  # fmt: skip
    assert heard.out.count("delivered") == 4
    assert (len(hook.got), len(chat.got), len(mailbox.got)) == (3, 1, 1)
    assert all(json.loads(body)["kind"] == "test" for body in hook.got)

    assert (failed.code, raw.code) == (1, 1)
    lines = dict(line.split(maxsplit=1) for line in failed.out.splitlines())
    assert "delivered" in lines["log"]
    assert "notice.unsent: it answered 500" in lines["webhook"]
    assert "notice.unsent: no answer: nothing listens there" in lines["slack"]
    assert "mail.unavailable" in lines["mail"]
    assert [way["delivered"] for way in json.loads(raw.out)["ways"]] == [True, False, False, False]
    assert SECRET not in str((heard, failed, raw, desk.said()))


def test_a_desk_that_tells_its_log_alone_says_what_to_set(desk: Home) -> None:
    said = desk.run("security", "test-notice")

    assert said.code == 0, said.err
    assert "delivered" in said.out
    assert "only the log is told; set notices.webhook_url" in said.err
