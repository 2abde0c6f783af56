"""Finishing a sign-in: each factor works, works once, and for its own account only."""

import asyncio

import msgspec
import pytest
from tests.flow.access.factors.ground import HERE, TICKET_MS, Ground

from quantdesk.access.factors.challenges import LIFETIME_MS
from quantdesk.access.factors.model import (
    CODE_TRIES_MAX,
    CODE_TRIES_MS,
    TICKET_TRIES_MAX,
    Assertion,
    Code,
    RecoveryCode,
    SecondFactor,
)
from quantdesk.access.model import Account, SignedIn
from quantdesk.core.errors import Refused
from quantdesk.testing.authenticator import Algorithm, Authenticator, BadDay

pytestmark = pytest.mark.anyio

BAD_DAYS = {
    "origin": BadDay(origin="https://evil.example"),
    "rp": BadDay(rp_id="evil.example"),
    "not verified": BadDay(verified=False),
    "not present": BadDay(present=False),
    "inside another page": BadDay(cross_origin=True),
    "other key": BadDay(other_key=True),
    "other ceremony": BadDay(kind="webauthn.create"),
}


async def tried(desk: Ground, account: Account, shown: SecondFactor) -> str:
    """Return how a sign-in ends that shows this: `in`, or the code it is refused with."""
    try:
        await desk.second_step.finish(await desk.ticket(account), shown, HERE)
    except Refused as problem:
        return problem.code
    return "in"


async def test_a_code_opens_a_session_once(desk: Ground) -> None:
    ann = await desk.user("ann")
    seed, _ = await desk.with_app(ann)
    code = Code(desk.code(seed))

    assert await tried(desk, ann, code) == "in"
    assert await tried(desk, ann, code) == "factor.wrong"

    assert desk.door.opened == [(ann.id, "totp")]
    assert desk.failures == [("factor.failed", "totp.replayed")]
    key = f"factor:{ann.id}"
    assert desk.door.tries == [("succeeded", key), ("failed", key)]
    assert code.digits.encode() not in b"".join(map(msgspec.json.encode, desk.door.told))


async def test_a_code_that_confirmed_the_app_opens_nothing(desk: Ground) -> None:
    ann = await desk.user("ann")
    session = desk.session(ann)
    seed = await desk.enrolment.begin_totp(session)
    code = desk.code(seed.secret)
    await desk.enrolment.confirm_totp(session, code, HERE)

    assert await tried(desk, ann, Code(code)) == "factor.wrong"
    assert desk.failures == [("factor.failed", "totp.replayed")]


async def test_a_code_shown_many_times_at_once_opens_one_session(desk: Ground) -> None:
    ann = await desk.user("ann")
    seed, _ = await desk.with_app(ann)
    code = Code(desk.code(seed))

    ends = await asyncio.gather(*(tried(desk, ann, code) for _ in range(8)))

    assert sorted(ends) == ["factor.wrong"] * 7 + ["in"]
    assert len(desk.door.opened) == 1


async def test_a_clock_may_be_one_step_off_and_older_codes_die_with_newer_ones(
    desk: Ground,
) -> None:
    ann = await desk.user("ann")
    seed, _ = await desk.with_app(ann)
    await desk.clock.advance(300)

    assert await tried(desk, ann, Code(desk.code(seed, steps=-2))) == "factor.wrong"
    assert await tried(desk, ann, Code(desk.code(seed, steps=2))) == "factor.wrong"
    assert await tried(desk, ann, Code(desk.code(seed, steps=-1))) == "in"
    assert await tried(desk, ann, Code(desk.code(seed, steps=1))) == "in"
    assert await tried(desk, ann, Code(desk.code(seed))) == "factor.wrong", "a later one was taken"


async def test_a_ticket_is_void_after_five_tries(desk: Ground) -> None:
    ann = await desk.user("ann")
    seed, codes = await desk.with_app(ann)
    ticket = await desk.ticket(ann)

    async def shown(factor: SecondFactor) -> str:
        with pytest.raises(Refused) as caught:
            await desk.second_step.finish(ticket, factor, HERE)
        return caught.value.code

    for _ in range(TICKET_TRIES_MAX):
        assert await shown(desk.wrong_code(seed)) == "factor.wrong"
    assert await shown(Code(desk.code(seed))) == "ticket.invalid"
    assert await shown(RecoveryCode(codes[0])) == "ticket.invalid"
    assert desk.failures[-1] == ("factor.failed", "ticket.exhausted")
    assert (desk.door.opened, (await desk.known.of(ann.id)).recovery_left) == ([], 10)
    assert await tried(desk, ann, Code(desk.code(seed))) == "in", "another ticket is not hurt"


async def test_five_tries_are_five_when_all_come_at_once(desk: Ground) -> None:
    ann = await desk.user("ann")
    seed, _ = await desk.with_app(ann)
    ticket, wrong = await desk.ticket(ann), desk.wrong_code(seed)

    async def shown() -> str:
        with pytest.raises(Refused) as caught:
            await desk.second_step.finish(ticket, wrong, HERE)
        return caught.value.code

    ends = await asyncio.gather(*(shown() for _ in range(12)))

    assert sorted(ends) == ["factor.wrong"] * TICKET_TRIES_MAX + ["ticket.invalid"] * 7


async def test_guessing_codes_is_bounded_whatever_the_tickets(desk: Ground) -> None:
    ann = await desk.user("ann")
    seed, codes = await desk.with_app(ann)
    await desk.with_passkey(ann, authenticator := Authenticator())
    wrong = [tried(desk, ann, desk.wrong_code(seed)) for _ in range(CODE_TRIES_MAX + 5)]

    ends = [*await asyncio.gather(*wrong[:10]), *[await one for one in wrong[10:]]]

    assert sorted(ends) == ["factor.locked"] * 5 + ["factor.wrong"] * CODE_TRIES_MAX
    assert await tried(desk, ann, Code(desk.code(seed))) == "factor.locked"
    assert await tried(desk, ann, RecoveryCode(codes[0])) == "in", "its owner is not locked out"
    ticket = await desk.ticket(ann)
    await desk.second_step.finish(ticket, await desk.answer(ticket, authenticator), HERE)

    await desk.clock.advance(CODE_TRIES_MS / 1000)
    assert await tried(desk, ann, Code(desk.code(seed))) == "in"


async def test_a_right_code_forgets_the_wrong_ones(desk: Ground) -> None:
    ann = await desk.user("ann")
    seed, _ = await desk.with_app(ann)
    for _ in range(2):
        for _ in range(CODE_TRIES_MAX - 1):
            assert await tried(desk, ann, desk.wrong_code(seed)) == "factor.wrong"
        assert await tried(desk, ann, Code(desk.code(seed))) == "in"
        await desk.clock.advance(30)


async def test_a_throttle_refuses_before_anything_is_tried(desk: Ground) -> None:
    ann = await desk.user("ann")
    seed, _ = await desk.with_app(ann)
    desk.door.shut = True
    assert await tried(desk, ann, Code(desk.code(seed))) == "sign_in.throttled"
    desk.door.shut = False

    assert await tried(desk, ann, Code(desk.code(seed))) == "in"


async def test_a_recovery_code_works_once_also_when_shown_many_times_at_once(desk: Ground) -> None:
    ann = await desk.user("ann")
    _, codes = await desk.with_app(ann)

    typed = RecoveryCode(f" {codes[0].upper().replace('-', ' ')} ")
    ends = await asyncio.gather(*(tried(desk, ann, typed) for _ in range(6)))

    assert sorted(ends) == ["factor.wrong"] * 5 + ["in"]
    assert desk.door.opened == [(ann.id, "recovery")]
    assert (await desk.known.of(ann.id)).recovery_left == 9
    assert await tried(desk, ann, RecoveryCode(codes[1])) == "in"


async def test_nobody_signs_in_with_what_is_anothers(desk: Ground) -> None:
    ann, bob = await desk.user("ann"), await desk.user("bob")
    seed, codes = await desk.with_app(ann)
    await desk.with_app(bob)
    authenticator = Authenticator()
    await desk.with_passkey(ann, authenticator)

    assert await tried(desk, bob, Code(desk.code(seed))) == "factor.wrong"
    assert await tried(desk, bob, RecoveryCode(codes[0])) == "factor.wrong"
    ticket = await desk.ticket(bob)
    options = await desk.second_step.options(ticket)
    assert options["allowCredentials"] == []
    with pytest.raises(Refused):
        await desk.second_step.finish(ticket, Assertion(authenticator.get(options)), HERE)
    assert desk.door.opened == []
    assert (await desk.known.of(ann.id)).recovery_left == 10


@pytest.mark.parametrize(("algorithm", "counts"), [("ES256", True), ("Ed25519", False)])
async def test_a_passkey_opens_sessions(
    desk: Ground, algorithm: Algorithm, *, counts: bool
) -> None:
    ann = await desk.user("ann")
    authenticator = Authenticator(algorithm=algorithm, counts=counts)
    await desk.with_passkey(ann, authenticator)

    for _ in range(2):
        ticket = await desk.ticket(ann)
        await desk.second_step.finish(ticket, await desk.answer(ticket, authenticator), HERE)

    assert desk.door.opened == [(ann.id, "passkey")] * 2
    (passkey,) = (await desk.known.of(ann.id)).passkeys
    assert (passkey.sign_count, passkey.used_ms) == (2 if counts else 0, desk.clock.now_ms())


async def test_a_passkey_on_a_bad_day_opens_nothing(desk: Ground) -> None:
    ann = await desk.user("ann")
    authenticator = Authenticator()
    await desk.with_passkey(ann, authenticator)

    for day in BAD_DAYS.values():
        ticket = await desk.ticket(ann)
        answer = await desk.answer(ticket, authenticator, day)
        with pytest.raises(Refused) as caught:
            await desk.second_step.finish(ticket, answer, HERE)
        assert caught.value.code == "factor.wrong"

    assert desk.failures == [("factor.failed", "passkey.invalid")] * len(BAD_DAYS)
    assert desk.door.opened == []


async def test_a_counter_that_goes_back_is_refused_and_told(desk: Ground) -> None:
    ann = await desk.user("ann")
    authenticator = Authenticator()
    await desk.with_passkey(ann, authenticator)
    ticket = await desk.ticket(ann)
    used = await desk.answer(ticket, authenticator, BadDay(count_by=5))
    await desk.second_step.finish(ticket, used, HERE)

    for count_by in (0, -1, -4):
        ticket = await desk.ticket(ann)
        answer = await desk.answer(ticket, authenticator, BadDay(count_by=count_by))
        with pytest.raises(Refused) as caught:
            await desk.second_step.finish(ticket, answer, HERE)
        assert caught.value.code == "factor.wrong"

    assert desk.failures == [("factor.failed", "passkey.cloned")] * 3
    assert len(desk.door.opened) == 1


async def test_an_answer_is_good_for_its_own_ticket_and_once(desk: Ground) -> None:
    ann = await desk.user("ann")
    authenticator = Authenticator(counts=False)
    await desk.with_passkey(ann, authenticator)
    ticket, other = await desk.ticket(ann), await desk.ticket(ann)
    answer = await desk.answer(ticket, authenticator)

    async def shown(to: str) -> str:
        with pytest.raises(Refused) as caught:
            await desk.second_step.finish(to, answer, HERE)
        return caught.value.code

    assert await shown(other) == "factor.wrong"
    await desk.second_step.finish(ticket, answer, HERE)
    assert await shown(ticket) == "ticket.invalid"
    desk.door.tickets[ticket] = (ann, desk.clock.now_ms() + 1)  # as if the ticket were good again
    assert await shown(ticket) == "factor.wrong"
    assert [code for _, code in desk.failures] == ["challenge.invalid", "challenge.replayed"]


async def test_one_answer_shown_many_times_at_once_opens_one_session(desk: Ground) -> None:
    ann = await desk.user("ann")
    authenticator = Authenticator(counts=False)
    await desk.with_passkey(ann, authenticator)
    answer = authenticator.get(desk.alone.options())

    async def shown() -> str:
        try:
            await desk.alone.sign_in(answer, HERE)
        except Refused as problem:
            return problem.code
        return "in"

    ends = await asyncio.gather(*(shown() for _ in range(8)))

    assert sorted(ends) == ["factor.wrong"] * 7 + ["in"]


async def test_tickets_that_are_unknown_or_too_old_open_nothing(desk: Ground) -> None:
    ann = await desk.user("ann")
    seed, _ = await desk.with_app(ann)
    ticket = await desk.ticket(ann)
    await desk.clock.advance(TICKET_MS / 1000)

    for bad in (ticket, "ticket-of-nobody"):
        for call in (
            desk.second_step.finish(bad, Code(desk.code(seed)), HERE),
            desk.second_step.options(bad),
        ):
            with pytest.raises(Refused) as caught:
                await call
            assert caught.value.code == "ticket.invalid"
    assert await tried(desk, ann, Code(desk.code(seed))) == "in", "no code was used up"


async def test_a_passkey_alone_signs_in(desk: Ground) -> None:
    ann = await desk.user("ann")
    authenticator = Authenticator()
    await desk.with_app(ann)
    await desk.with_passkey(ann, authenticator)
    options = desk.alone.options()
    assert options["allowCredentials"] == []

    signed_in = await desk.alone.sign_in(authenticator.get(options), HERE)

    assert isinstance(signed_in, SignedIn)
    assert signed_in.account.id == ann.id
    assert desk.door.opened == [(ann.id, "passkey")]
    assert desk.door.tickets == {}


async def test_a_passkey_alone_is_believed_no_more_than_beside_a_password(desk: Ground) -> None:
    ann, bob = await desk.user("ann"), await desk.user("bob")
    authenticator, unknown = Authenticator(), Authenticator("unknown")
    await desk.with_passkey(ann, authenticator)
    unknown.create(await desk.enrolment.begin_passkey(desk.session(bob)))
    bobs = Authenticator("bobs", counts=False)
    await desk.with_passkey(bob, bobs)
    old = desk.alone.options()
    mfa = await desk.second_step.options(await desk.ticket(ann))
    anns_handle = authenticator.get(old)["response"]["userHandle"]
    stale = authenticator.get(old)
    await desk.clock.advance(LIFETIME_MS / 1000)
    bad = [
        stale,
        authenticator.get(mfa),
        unknown.get(desk.alone.options()),
        bobs.get(desk.alone.options(), BadDay(user_handle=anns_handle)),
        {},
        {"rawId": "AAAA", "response": {}},
        *(authenticator.get(desk.alone.options(), day) for day in BAD_DAYS.values()),
    ]

    details = set()
    for answer in bad:
        with pytest.raises(Refused) as caught:
            await desk.alone.sign_in(answer, HERE)
        details.add((caught.value.code, caught.value.detail))

    assert len(details) == 1, "nobody learns which passkeys there are"
    assert [action for action, _ in desk.failures] == ["sign_in.failed"] * len(bad)
    assert desk.door.opened == []


async def test_a_disabled_account_stays_out(desk: Ground) -> None:
    ann = await desk.user("ann")
    authenticator = Authenticator()
    await desk.with_passkey(ann, authenticator)
    async with desk.means.pools.write.connection() as c:
        await c.execute("update accounts set disabled_at = now() where id = $1", ann.id)

    with pytest.raises(Refused) as caught:
        await desk.alone.sign_in(authenticator.get(desk.alone.options()), HERE)

    assert caught.value.code == "account.disabled"


async def test_what_was_spent_is_forgotten_once_it_has_expired(desk: Ground) -> None:
    ann = await desk.user("ann")
    authenticator = Authenticator()
    await desk.with_passkey(ann, authenticator)

    async def spent() -> int:
        async with desk.means.pools.read.connection() as c:
            count: int = await c.fetchval("select count(*) from spent_challenges")
        return count

    for _ in range(3):
        await desk.alone.sign_in(authenticator.get(desk.alone.options()), HERE)
    assert await spent() == 4
    for _ in range(3):
        desk.alone.options()
    assert await spent() == 4, "asking stores nothing"
    await desk.clock.advance(LIFETIME_MS / 1000)
    await desk.alone.sign_in(authenticator.get(desk.alone.options()), HERE)
    assert await spent() == 1
