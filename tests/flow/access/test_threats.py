"""Security events are stored and told, and networks that did too much wrong are kept out."""

import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from itertools import count
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from aiohttp import web

from quantdesk.access.acts import Act
from quantdesk.access.mail.folder import FolderPost
from quantdesk.access.model import Origin
from quantdesk.access.threats import store
from quantdesk.access.threats.model import SecurityEvent, Severity
from quantdesk.access.threats.notices import Mailed, Slack, Webhook
from quantdesk.access.threats.report import DAY_MS, report
from quantdesk.access.threats.threats import TRIES_MAX, Notifier, Threats
from quantdesk.access.threats.watch import Watch
from quantdesk.core.errors import Refused, Unavailable
from quantdesk.core.ids import ids
from quantdesk.store.pool import Pools
from quantdesk.testing.clock import ManualClock
from quantdesk.testing.principals import key_holder

pytestmark = pytest.mark.anyio
_numbers = count(1)
FAR = Origin(ip="192.0.2.7")


class Ear:
    """Hears of events, or is away for so many of them."""

    name = "ear"
    to = "here"
    kept = ""

    def __init__(self, away: int = 0) -> None:
        self.heard: list[SecurityEvent] = []
        self.away = away

    async def notify(self, event: SecurityEvent) -> None:
        """Hear of an event."""
        self.away -= 1
        if self.away >= 0:
            raise Unavailable("away", code="notice.unsent")
        self.heard.append(event)


def threats(pools: Pools, clock: ManualClock, *notifiers: Notifier) -> Threats:
    new_id = ids(clock.now_ms)
    return Threats(
        Watch(new_id=new_id), pools=pools, notifiers=notifiers, clock=clock, new_id=new_id
    )


def stuffing(clock: ManualClock) -> list[Act]:
    return [
        Act(
            id=UUID(int=next(_numbers)), at_ms=clock.now_ms(), action="sign_in.failed", origin=FAR,
            account_id=UUID(int=number),
        )
        for number in range(1, 9)
    ]  # fmt: skip


async def turn(made: Threats) -> None:
    """Do what a turn of `run` does."""
    await made._store()
    await made._learn()
    await made._notify()


async def test_that_a_network_is_kept_out_everywhere_and_for_a_while(pools: Pools) -> None:
    clock = ManualClock()
    here, there = threats(pools, clock), threats(pools, clock)
    here.check(None, FAR)
    here.hear(stuffing(clock))
    await turn(here)
    await turn(there)
    for one in (here, there):
        with pytest.raises(Refused) as refused:
            one.check(None, FAR)
        assert refused.value.code == "request.blocked"
        one.check(None, Origin(ip="198.51.100.1"))
        one.check(None, Origin(ip="127.0.0.1"))

    await clock.advance(3_601)
    here.check(None, FAR)
    assert here.blocks() == []


async def test_that_whoever_holds_the_owners_local_key_is_never_kept_out(pools: Pools) -> None:
    clock = ManualClock()
    made = threats(pools, clock)
    made.hear(stuffing(clock))
    await turn(made)
    owner = key_holder(UUID(int=1))
    with pytest.raises(Refused):
        made.check(owner, FAR)
    made.check(msgspec.structs.replace(owner, local=True), FAR)


async def test_that_a_block_is_lifted_by_hand(pools: Pools) -> None:
    clock = ManualClock()
    made = threats(pools, clock)
    made.hear(stuffing(clock))
    await turn(made)
    (block,) = made.blocks()
    owner = key_holder(UUID(int=1))
    await made.lift(block.network, owner, FAR)
    made.check(None, FAR)
    with pytest.raises(Refused) as refused:
        await made.lift(block.network, owner, FAR)
    assert refused.value.code == "block.unknown"
    async with pools.read.connection() as c:
        lifted = await c.fetchval("select act from acts where act ->> 'action' = 'block.lifted'")
    assert lifted["about"] == f"network:{block.network}"
    assert lifted["account_id"] == str(UUID(int=1))


async def test_that_people_are_told_once_and_again_where_it_failed(pools: Pools) -> None:
    clock = ManualClock()
    ear = Ear(away=2)
    made = threats(pools, clock, ear)
    made.hear(stuffing(clock))
    for _ in range(5):
        await turn(made)
    (heard,) = ear.heard
    assert (heard.kind, heard.severity) == ("credential_stuffing", Severity.CRITICAL)
    (stored,) = await made.events(store.Filter())
    assert stored == heard


async def test_that_telling_is_given_up_at_last(pools: Pools) -> None:
    clock = ManualClock()
    ear = Ear(away=1_000)
    made = threats(pools, clock, ear)
    made.hear(stuffing(clock))
    for _ in range(TRIES_MAX + 5):
        await turn(made)
    assert ear.away == 1_000 - TRIES_MAX


async def test_that_a_day_is_reported(pools: Pools) -> None:
    clock = ManualClock()
    made = threats(pools, clock)
    made.hear(stuffing(clock))
    await turn(made)
    from_ms = clock.now_ms() - clock.now_ms() % DAY_MS
    told = await report(pools, day="2023-11-14", from_ms=from_ms, acts=[], blocks=1)
    assert [(one.kind, one.events) for one in told.events] == [("credential_stuffing", 1)]
    before = await report(pools, day="x", from_ms=from_ms - DAY_MS, acts=[], blocks=0)
    assert before.events == []


@asynccontextmanager
async def listening(status: int = 200) -> AsyncIterator[tuple[str, list[tuple[str, bytes]]]]:
    """Run a server that takes notices while the block runs."""
    got: list[tuple[str, bytes]] = []

    async def take(request: web.Request) -> web.Response:
        got.append((request.headers.get("X-QuantDesk-Signature", ""), await request.read()))
        return web.Response(status=status, headers={"Location": "http://127.0.0.1:1/"})

    app = web.Application()
    app.router.add_post("/hook", take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    yield f"http://{host}:{port}/hook", got
    await runner.cleanup()


def event() -> SecurityEvent:
    return SecurityEvent(
        id=UUID(int=1), at_ms=1_700_000_000_000, kind="token_replay", severity=Severity.CRITICAL,
        subject="session:<!channel>", count=1, since_ms=1_700_000_000_000, detail="a & b",
    )  # fmt: skip


async def test_that_a_webhook_can_tell_our_words_from_others() -> None:
    clock = ManualClock()
    async with listening() as (url, got):
        await Webhook(url, secret="shared", clock=clock).notify(event())
        await Slack(url).notify(event())
    (signature, body), (_, text) = got
    at, sent = (part.partition("=")[2] for part in signature.split(","))
    assert at == str(clock.now_ms() // 1000)
    assert sent == hmac.new(b"shared", at.encode() + b"." + body, "sha256").hexdigest()
    assert msgspec.json.decode(body)["kind"] == "token_replay"
    assert b"<!channel>" not in text
    assert b"&lt;!channel&gt;" in text


async def test_that_a_mailbox_gets_a_letter(tmp_path: Path) -> None:
    await Mailed("ops@example.com", post=FolderPost(tmp_path)).notify(event())
    (kept,) = tmp_path.glob("*.eml")  # noqa: ASYNC240 - a moment
    letter = message_from_bytes(kept.read_bytes(), policy=policy.default)
    assert letter["To"] == "ops@example.com"
    assert letter["Subject"] == "QuantDesk: critical: token_replay"
    body = letter.get_body()
    assert body is not None
    assert "session:<!channel>" in body.get_content()


@pytest.mark.parametrize("status", [302, 404, 500])
async def test_that_a_webhook_that_says_no_is_told_again_later(status: int) -> None:
    async with listening(status) as (url, _):
        with pytest.raises(Unavailable) as unsent:
            await Slack(url).notify(event())
    assert unsent.value.code == "notice.unsent"
    assert "hook" not in unsent.value.detail, "the address is a secret"
    with pytest.raises(Unavailable):
        await Slack(url).notify(event())
