"""Mail: what was committed is sent, whatever crashes; what was not, is not."""

import asyncio
from contextlib import suppress

import pytest
from tests.flow.access.passwords.ground import EMAIL, HOME, PASSWORD, Ground, together, token_of

from quantdesk.access.mail import outbox as outboxes
from quantdesk.access.mail.model import Letter
from quantdesk.access.passwords import letters
from quantdesk.access.passwords.model import RESET_MS
from quantdesk.core.errors import Refused, Unavailable

pytestmark = pytest.mark.anyio


def away() -> Unavailable:
    return Unavailable("away", code="mail.unavailable")


async def queue(ground: Ground, email: str = EMAIL, kind: str = letters.TAKEN) -> None:
    """Queue a letter."""
    async with ground.pools.write.transaction() as c:
        await ground.outbox.queue(c, kind, recipient=email, lasts_ms=RESET_MS)


async def test_that_a_transaction_that_fails_sends_nothing(ground: Ground) -> None:
    async def fail() -> None:
        async with ground.pools.write.transaction() as c:
            await ground.outbox.queue(c, letters.TAKEN, recipient=EMAIL, lasts_ms=RESET_MS)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    await ground.deliver()
    assert ground.post.letters == []


async def test_that_a_crash_after_the_server_took_it_sends_the_same_letter_again(
    ground: Ground,
) -> None:
    await ground.signing_in.register(EMAIL, PASSWORD, origin=HOME)

    class Dying:
        async def send(self, letter: Letter) -> None:
            await ground.post.send(letter)
            raise asyncio.CancelledError  # the process ends here

    dying = ground.another_outbox()
    dying._post = Dying()
    with pytest.raises(asyncio.CancelledError):
        await dying.send_next()
    assert not await ground.outbox.send_next()  # its lease holds
    await ground.clock.advance(outboxes.LEASE_MS / 1000)
    await ground.deliver()
    first, again = ground.post.letters
    assert first == again
    await ground.recovering.verify(token_of(first), origin=HOME)
    await ground.clock.advance(outboxes.LEASE_MS / 1000)
    await ground.deliver()
    assert len(ground.post.letters) == 2


async def test_that_a_crash_before_anything_was_sent_loses_nothing(ground: Ground) -> None:
    await ground.signing_in.register(EMAIL, PASSWORD, origin=HOME)
    ground.post.refuse.append(ConnectionAbortedError())
    with suppress(ConnectionAbortedError):
        await ground.outbox.send_next()
    await ground.clock.advance(outboxes.LEASE_MS / 1000)
    await ground.another_outbox().send_next()
    assert len(ground.post.letters) == 1


async def test_that_it_is_tried_again_later_and_later(ground: Ground) -> None:
    await ground.recovering.ask(EMAIL, origin=HOME)  # nobody's: no letter, no failure
    await queue(ground)
    ground.post.refuse += [away() for _ in range(3)]
    waits = []
    for _ in range(3):
        await ground.deliver()
        waits.append(
            await ground.value(
                "select extract(epoch from due_at)::float8 from letters where done_at is null"
            )
            - ground.clock.now_ms() / 1000
        )
        await ground.clock.advance(waits[-1])
    assert waits == pytest.approx([10.0, 20.0, 40.0], abs=0.01)
    await ground.deliver()
    assert len(ground.post.letters) == 1


async def test_that_a_letter_nobody_wants_any_more_is_dropped(ground: Ground) -> None:
    await queue(ground)
    await ground.clock.advance(RESET_MS / 1000)
    await ground.deliver()
    assert ground.post.letters == []
    assert await ground.value("select outcome from letters") == "expired"


async def test_that_a_refused_letter_is_not_sent_again(ground: Ground) -> None:
    await queue(ground)
    ground.post.refuse.append(Refused("no such mailbox", code="mail.rejected"))
    await ground.deliver()
    await ground.clock.advance(1_000)
    await ground.deliver()
    assert ground.post.letters == []
    assert await ground.value("select outcome from letters") == "rejected"


async def test_that_two_processes_send_each_letter_once(ground: Ground) -> None:
    for number in range(12):
        await queue(ground, f"anna{number}@example.com")
    other = ground.another_outbox()

    async def all_of(outbox: outboxes.Outbox) -> None:
        while await outbox.send_next():
            pass

    assert await together(all_of(ground.outbox), all_of(other)) == [None, None]
    assert len({letter.recipient for letter in ground.post.letters}) == 12
    assert len(ground.post.letters) == 12


async def test_that_nobody_is_flooded_with_mail(ground: Ground) -> None:
    await ground.verified()
    before = len(ground.post.letters)
    for _ in range(20):
        await ground.recovering.ask(EMAIL, origin=HOME)
        await ground.deliver()
        await ground.clock.advance(1)
    assert len(ground.post.letters) == before + outboxes.PER_ADDRESS_MAX
    await ground.clock.advance(3600)
    await ground.recovering.ask(EMAIL, origin=HOME)
    await ground.deliver()
    assert len(ground.post.letters) == before + outboxes.PER_ADDRESS_MAX + 1


async def test_that_too_much_waiting_mail_is_said_to_everybody_alike(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ground.verified()
    monkeypatch.setattr(outboxes, "WAITING_MAX", 2)
    await ground.recovering.ask("a@example.com", origin=HOME)
    await ground.recovering.ask("b@example.com", origin=HOME)
    for email in (EMAIL, "nobody@example.com"):
        with pytest.raises(Unavailable) as full:
            await ground.recovering.ask(email, origin=HOME)
        assert full.value.code == "mail.full"
        with pytest.raises(Unavailable):
            await ground.signing_in.register(email, PASSWORD, origin=HOME)
    assert await ground.value("select count(*) from accounts") == 1


async def test_that_the_loop_sends_what_it_is_told_of_and_what_others_queued(
    ground: Ground,
) -> None:
    running = asyncio.ensure_future(ground.outbox.run())
    await ground.clock.asleep(1)
    await ground.signing_in.register(EMAIL, PASSWORD, origin=HOME)  # which nudges it
    await ground.post.came(1)
    await queue(ground, "other@example.com")  # by another process: nobody nudges
    while len(ground.post.letters) < 2:
        await ground.clock.asleep(1)
        await ground.clock.advance(outboxes.POLL_S)
    await ground.clock.asleep(1)
    await ground.clock.advance(8 * 24 * 3600)
    while await ground.value("select count(*) from letters"):
        await ground.clock.asleep(1)
        await ground.clock.advance(outboxes.POLL_S)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
