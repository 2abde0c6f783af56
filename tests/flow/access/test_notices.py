"""A trader tries the ways of being told before the night: what arrives, what does not, and why."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from email import message_from_bytes, policy
from pathlib import Path

import msgspec
import pytest
from aiohttp import web
from aiosmtpd.smtp import SMTP, Envelope, Session
from tests.flow.access.served import Answer, Served, served
from tests.flow.access.world import World

from quantdesk.access.mail.folder import FolderPost
from quantdesk.access.mail.smtp import SmtpPost, SmtpServer
from quantdesk.access.model import Role
from quantdesk.access.threats.notices import Mailed, Slack, Webhook
from quantdesk.access.threats.threats import Notifier
from quantdesk.access.threats.trial import Trial
from quantdesk.api.notices import NoticeRoutes
from quantdesk.app.mail import kept
from quantdesk.settings import MailSettings

pytestmark = [
    pytest.mark.anyio,
    # The mail server's library warns of its own old ways.
    pytest.mark.filterwarnings("ignore::DeprecationWarning:aiosmtpd"),
]
TEST = "/api/security/notices/test"
SECRET = "hush-do-not-tell"
MAILBOX = "ops@example.com"
PATH = f"/services/T0/B0/{SECRET}"
SOON_S = 0.2
LONG_S = 10.0


class Channel:
    """Somebody's server that takes notices; it answers once `answers` is set."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.got: list[bytes] = []
        self.was_asked = asyncio.Event()
        self.answers = asyncio.Event()
        self.answers.set()
        self.port = 0

    async def take(self, request: web.Request) -> web.Response:
        """Take a notice."""
        self.got.append(await request.read())
        self.was_asked.set()
        await self.answers.wait()
        return web.Response(status=self.status, text=SECRET)

    @property
    def url(self) -> str:
        """Return its address, every part of which but the host is a secret."""
        return f"http://desk:{SECRET}@127.0.0.1:{self.port}{PATH}?key={SECRET}"


class Mailbox:
    """A mail server that keeps what it takes, or answers `says`."""

    def __init__(self, says: str = "250 OK") -> None:
        self.says = says
        self.got: list[Envelope] = []

    async def handle_DATA(  # noqa: N802 - the library's name
        self, _: SMTP, __: Session, envelope: Envelope
    ) -> str:
        """Take a letter, or do not."""
        self.got.append(envelope)
        return self.says


@asynccontextmanager
async def listening(*channels: Channel) -> AsyncIterator[None]:
    """Run channels while the block runs."""
    async with AsyncExitStack() as stack:
        for channel in channels:
            app = web.Application()
            app.router.add_post("/{path:.*}", channel.take)
            runner = web.AppRunner(app, shutdown_timeout=0)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            stack.callback(channel.answers.set)
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            channel.port = runner.addresses[0][1]
        yield


@asynccontextmanager
async def delivering(mailbox: Mailbox) -> AsyncIterator[SmtpPost]:
    """Run a mail server while the block runs; yield the way to it."""
    made = await asyncio.get_running_loop().create_server(lambda: SMTP(mailbox), "127.0.0.1", 0)
    port = made.sockets[0].getsockname()[1]
    server = SmtpServer(host="127.0.0.1", port=port, security="off", timeout_s=LONG_S)
    yield SmtpPost(server, sender="desk@example.org")
    made.close()


def nobody() -> str:
    """Return an address at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    return f"http://127.0.0.1:{port}{PATH}"


def webhook(desk: World, url: str, *, timeout_s: float = LONG_S) -> Webhook:
    """Return a webhook as a desk makes it."""
    return Webhook(url, secret=SECRET, clock=desk.clock, timeout_s=timeout_s)


@asynccontextmanager
async def telling(desk: World, *notifiers: Notifier) -> AsyncIterator[Served]:
    """Serve a desk that tells these."""
    trial = Trial(notifiers, pools=desk.pools, clock=desk.clock, new_id=desk.new_id)
    async with served(desk, NoticeRoutes(trial).routes()) as running:
        yield running


async def asked(running: Served, path: str = TEST, role: Role = Role.ADMIN) -> Answer:
    """Return what somebody of a role is answered."""
    opened = await running.desk.sign_in(await running.desk.account(role))
    method = "POST" if path == TEST else "GET"
    async with running.browser() as browser:
        return await browser.ask(method, path, Authorization=f"Bearer {opened.token}")


async def outcome_of(desk: World, notifier: Notifier) -> dict[str, object]:
    """Return what became of a test notice on the only way beside the log."""
    async with telling(desk, notifier) as running:
        answer = await asked(running)
    assert answer.status == 200, answer
    assert SECRET not in str(answer.body)
    log, way = answer.body["ways"]
    assert log["delivered"]
    found: dict[str, object] = way
    return found


async def test_that_every_way_gets_one_notice_that_says_it_is_a_test(desk: World) -> None:
    hook, chat, mailbox = Channel(), Channel(204), Mailbox()
    async with listening(hook, chat), delivering(mailbox) as post:
        ways = (webhook(desk, hook.url), Slack(chat.url), Mailed(MAILBOX, post=post))
        async with telling(desk, *ways) as running:
            answer = await asked(running)
    assert (answer.status, answer.body["logOnly"]) == (200, False)
    assert answer.body["ways"] == [
        {"name": name, "to": to, "delivered": True, "code": None, "detail": None}
        for name, to in (
            ("log", "the desk's own log"),
            ("webhook", "127.0.0.1"),
            ("slack", "127.0.0.1"),
            ("mail", MAILBOX),
        )
    ]
    (posted,), (said,), (letter,) = hook.got, chat.got, mailbox.got
    told = msgspec.json.decode(posted)
    assert (told["kind"], told["severity"]) == ("test", "notice")
    assert "THIS IS A TEST" in told["detail"]
    assert "THIS IS A TEST" in msgspec.json.decode(said)["text"]
    assert letter.rcpt_tos == [MAILBOX]
    assert isinstance(letter.content, bytes)
    read = message_from_bytes(letter.content, policy=policy.default)
    assert read["Subject"] == "QuantDesk: notice: test"
    body = read.get_body()
    assert body is not None
    assert "THIS IS A TEST" in body.get_content()


async def test_that_the_act_is_in_the_audit_and_no_event_is_made_up(desk: World) -> None:
    hook = Channel(500)
    async with listening(hook), telling(desk, webhook(desk, hook.url)) as running:
        await asked(running)
    async with desk.pools.read.connection() as c:
        (act,) = await c.fetch("select act from acts where act ->> 'action' = 'notice.tested'")
        events = await c.fetchval("select count(*) from security_events")
    told = act["act"]
    assert told["after"] == {"ways": ["log", "webhook"]}
    assert told["account_id"]
    assert SECRET not in str(told)
    assert events == 0


@pytest.mark.parametrize(("status", "detail"), [(500, "it answered 500"), (404, "it answered 404")])
async def test_that_a_webhook_that_says_no_is_told_with_its_status_and_asked_once(
    desk: World, status: int, detail: str
) -> None:
    hook = Channel(status)
    async with listening(hook):
        way = await outcome_of(desk, webhook(desk, hook.url))
    assert (way["delivered"], way["code"], way["detail"]) == (False, "notice.unsent", detail)
    assert way["to"] == "127.0.0.1"
    assert len(hook.got) == 1, "a test is not tried again"


async def test_that_a_silent_webhook_ends_the_test_by_its_own_bound(desk: World) -> None:
    hook = Channel()
    hook.answers.clear()
    async with listening(hook):
        way = await outcome_of(desk, webhook(desk, hook.url, timeout_s=SOON_S))
    assert (way["delivered"], way["code"]) == (False, "notice.unsent")
    assert way["detail"] == "no answer within 0.2 s"
    assert len(hook.got) == 1


@pytest.mark.parametrize(
    ("url", "to", "cause"),
    [
        ("", "127.0.0.1", "nothing listens there, or the way is blocked"),
        (f"hooks.example.com{PATH}", "?", "what is set is no address such as https://HOST/PATH"),
        (f"http://[{SECRET}/", "?", "what is set is no address such as https://HOST/PATH"),
    ],
    ids=["nobody", "no address", "no host"],
)
async def test_that_an_address_where_nobody_is_is_told(
    desk: World, url: str, to: str, cause: str
) -> None:
    for notifier in (Slack(url or nobody()), webhook(desk, url or nobody())):
        way = await outcome_of(desk, notifier)
        assert (way["delivered"], way["code"]) == (False, "notice.unsent")
        assert (way["to"], way["detail"]) == (to, f"no answer: {cause}")


async def test_that_a_mail_server_that_refuses_is_told(desk: World) -> None:
    async with delivering(Mailbox("554 no")) as post:
        refused = await outcome_of(desk, Mailed(MAILBOX, post=post))
    assert (refused["delivered"], refused["code"]) == (False, "mail.rejected")
    gone = await outcome_of(desk, Mailed(MAILBOX, post=post))
    assert (gone["delivered"], gone["code"]) == (False, "mail.unavailable")


async def test_that_a_letter_that_stays_on_this_machine_is_not_called_delivered(
    desk: World, tmp_path: Path
) -> None:
    mailed = Mailed(MAILBOX, post=FolderPost(tmp_path), kept=kept(MailSettings()))
    way = await outcome_of(desk, mailed)
    assert (way["to"], way["delivered"], way["code"]) == (MAILBOX, False, "notice.kept")
    assert "mail.smtp_host" in str(way["detail"])
    assert len(list(tmp_path.glob("*.eml"))) == 1  # noqa: ASYNC240 - a moment
    assert kept(MailSettings(smtp_host="mail.example.com")) == ""


async def test_that_no_way_waits_for_another(desk: World) -> None:
    hook, chat = Channel(), Channel()
    hook.answers = chat.was_asked  # one after another, the webhook would never answer
    async with listening(hook, chat):
        ways = webhook(desk, hook.url, timeout_s=LONG_S), Slack(chat.url)
        async with telling(desk, *ways) as running:
            answer = await asked(running)
    assert [way["delivered"] for way in answer.body["ways"]] == [True, True, True]


async def test_that_a_second_test_is_refused_while_one_is_under_way(desk: World) -> None:
    hook = Channel()
    hook.answers.clear()
    async with listening(hook), telling(desk, webhook(desk, hook.url)) as running:
        first = asyncio.ensure_future(asked(running))
        await hook.was_asked.wait()
        second = await asked(running)
        assert (second.status, second.code) == (409, "notice.testing")
        hook.answers.set()
        assert (await first).body["ways"][1]["delivered"]
        assert (await asked(running)).status == 200
    assert len(hook.got) == 2


async def test_that_a_desk_that_tells_its_log_alone_says_so(desk: World) -> None:
    async with telling(desk) as running:
        tried = (await asked(running)).body
        shown = (await asked(running, "/api/security/notices")).body
    log = {"name": "log", "to": "the desk's own log"}
    assert tried == {
        "logOnly": True, "ways": [{**log, "delivered": True, "code": None, "detail": None}]
    }  # fmt: skip
    assert shown == {"logOnly": True, "ways": [{**log, "kept": None}]}


async def test_that_what_is_set_is_shown_without_its_secrets(desk: World, tmp_path: Path) -> None:
    hook = Channel()
    mailed = Mailed(MAILBOX, post=FolderPost(tmp_path), kept=kept(MailSettings()))
    async with telling(desk, mailed, webhook(desk, hook.url), Slack(hook.url)) as running:
        shown = await asked(running, "/api/security/notices")
    assert shown.body["logOnly"] is False
    assert [(way["name"], way["to"]) for way in shown.body["ways"]] == [
        ("log", "the desk's own log"),
        ("mail", MAILBOX),
        ("webhook", "127.0.0.1"),
        ("slack", "127.0.0.1"),
    ]
    assert "mail.smtp_host" in shown.body["ways"][1]["kept"]
    assert SECRET not in str(shown.body)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.TRADER, Role.APPROVER])
async def test_that_who_may_not_tries_nothing(desk: World, role: Role) -> None:
    hook = Channel()
    async with listening(hook), telling(desk, webhook(desk, hook.url)) as running:
        for path in (TEST, "/api/security/notices"):
            answer = await asked(running, path, role)
            assert (answer.status, answer.code) == (403, "request.forbidden")
        async with running.browser() as browser:
            assert (await browser.ask("POST", TEST)).status == 401
    assert hook.got == []
    assert "notice.tested" not in await desk.acts()
