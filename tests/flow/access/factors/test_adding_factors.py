"""Adding and removing second factors: by a fresh proof, by whoever began, never half."""

from uuid import UUID

import msgspec
import pytest
from tests.flow.access.factors.ground import HERE, SEALER, Ground

from quantdesk.access.factors.model import ENROLMENT_MS, PASSKEYS_MAX, Code, RecoveryCode
from quantdesk.access.model import Principal, Role
from quantdesk.access.policy import FRESH_MS
from quantdesk.core.errors import Corrupt, Refused
from quantdesk.testing.authenticator import Authenticator, BadDay
from quantdesk.testing.principals import key_holder

pytestmark = pytest.mark.anyio


async def refused(call: object) -> str:
    """Return the code an awaitable is refused with."""
    with pytest.raises(Refused) as caught:
        await call  # type: ignore[misc]
    return caught.value.code


async def test_an_app_is_added_and_removed(desk: Ground) -> None:
    ann = await desk.user("ann", email="ann@desk.example")
    session = desk.session(ann)
    seed = await desk.enrolment.begin_totp(session)
    assert "/QuantDesk:ann%40desk.example?secret=" + seed.secret in seed.uri
    assert await desk.known.methods(ann.id) == (), "nothing counts before it is confirmed"

    codes = await desk.enrolment.confirm_totp(session, desk.code(seed.secret), HERE)

    assert len(set(codes)) == 10
    assert await desk.known.methods(ann.id) == ("totp", "recovery")
    assert await desk.ended() == [(ann.id, session.session_id)]
    assert desk.door.mailed == [(ann.id, "factor.added")]

    await desk.enrolment.remove_totp(session, HERE)

    has = await desk.known.of(ann.id)
    assert (has.any, has.recovery_left) == (False, 0), "no codes stay behind"
    assert await desk.ended() == [(ann.id, session.session_id)] * 2
    assert desk.door.felt_times == 2
    assert await desk.noted() == [("factor.added", "totp"), ("factor.removed", "totp")]


async def test_a_seed_is_sealed_and_opens_for_its_account_only(desk: Ground) -> None:
    ann, bob = await desk.user("ann"), await desk.user("bob")
    seed, _ = await desk.with_app(ann)
    await desk.with_app(bob)
    async with desk.means.pools.write.connection() as c:
        sealed = await c.fetchval("select seed from totps where account_id = $1", ann.id)
        assert seed.encode() not in sealed
        assert SEALER.open(sealed, about=f"totp:{ann.id}") == seed.encode()
        await c.execute("update totps set seed = $2 where account_id = $1", bob.id, sealed)

    with pytest.raises(Corrupt, match="moved"):
        await desk.second_step.finish(await desk.ticket(bob), Code(desk.code(seed)), HERE)


async def test_nobody_confirms_what_another_session_began(desk: Ground) -> None:
    ann = await desk.user("ann")
    mine, stolen = desk.session(ann), desk.session(ann)
    seed = await desk.enrolment.begin_totp(stolen)
    code = desk.code(seed.secret)

    assert await refused(desk.enrolment.confirm_totp(mine, code, HERE)) == "totp.not_begun"
    other = desk.session(await desk.user("bob"))
    assert await refused(desk.enrolment.confirm_totp(other, code, HERE)) == "totp.not_begun"

    own = await desk.enrolment.begin_totp(mine)
    assert await refused(desk.enrolment.confirm_totp(stolen, code, HERE)) == "totp.not_begun"
    assert await refused(desk.enrolment.confirm_totp(mine, code, HERE)) == "totp.wrong"
    assert await desk.enrolment.confirm_totp(mine, desk.code(own.secret), HERE)


async def test_an_app_has_to_be_confirmed_in_time_and_in_five_tries(desk: Ground) -> None:
    ann = await desk.user("ann")
    session = desk.session(ann)
    seed = await desk.enrolment.begin_totp(session)
    wrong = desk.wrong_code(seed.secret).digits
    for _ in range(5):
        assert await refused(desk.enrolment.confirm_totp(session, wrong, HERE)) == "totp.wrong"
    right = desk.code(seed.secret)
    assert await refused(desk.enrolment.confirm_totp(session, right, HERE)) == "totp.not_begun"

    seed = await desk.enrolment.begin_totp(session)
    await desk.clock.advance(ENROLMENT_MS / 1000)
    session = msgspec.structs.replace(session, proven_ms=desk.clock.now_ms())
    late = desk.enrolment.confirm_totp(session, desk.code(seed.secret), HERE)
    assert await refused(late) == "totp.not_begun"
    assert await desk.ended() == []


async def test_there_is_one_app_and_confirming_twice_adds_it_once(desk: Ground) -> None:
    ann = await desk.user("ann")
    session = desk.session(ann)
    seed = await desk.enrolment.begin_totp(session)
    await desk.enrolment.confirm_totp(session, desk.code(seed.secret), HERE)

    again = desk.enrolment.confirm_totp(session, desk.code(seed.secret), HERE)
    assert await refused(again) == "totp.not_begun"
    assert await refused(desk.enrolment.begin_totp(session)) == "factor.exists"


async def test_recovery_codes_are_made_with_the_first_factor_and_renewed(desk: Ground) -> None:
    ann = await desk.user("ann")
    assert await refused(desk.enrolment.renew_codes(desk.session(ann), HERE)) == "factor.none"
    _, codes = await desk.with_app(ann)
    await desk.with_passkey(ann, Authenticator())
    ticket = await desk.ticket(ann)
    await desk.second_step.finish(ticket, RecoveryCode(codes[0]), HERE)
    assert (await desk.known.of(ann.id)).recovery_left == 9, "a further factor makes no new ones"

    renewed = await desk.enrolment.renew_codes(desk.session(ann), HERE)

    assert not set(codes) & set(renewed)
    assert (await desk.known.of(ann.id)).recovery_left == 10
    async with desk.means.pools.read.connection() as c:
        stored = await c.fetch("select hash from recovery_codes")
    assert not {code.encode() for code in renewed} & {row["hash"] for row in stored}
    await desk.enrolment.remove_totp(desk.session(ann), HERE)
    assert (await desk.known.of(ann.id)).recovery_left == 10, "the passkey is still there"


async def test_passkeys_are_named_listed_and_removed(desk: Ground) -> None:
    ann, bob = await desk.user("ann"), await desk.user("bob")
    first = await desk.with_passkey(ann, Authenticator("a", algorithm="Ed25519"))
    await desk.clock.advance(1)
    second = await desk.with_passkey(ann, Authenticator("b"))
    session = desk.session(ann)

    has = await desk.known.of(ann.id)
    assert [(one.id, one.name, one.used_ms) for one in has.passkeys] == [
        (first, "laptop", None),
        (second, "laptop", None),
    ]
    theirs = desk.enrolment.remove_passkey(desk.session(bob), first, HERE)
    assert await refused(theirs) == "factor.unknown"
    before = await desk.ended()
    unknown = desk.enrolment.remove_passkey(session, UUID(int=5), HERE)
    assert (await refused(unknown), await desk.ended()) == ("factor.unknown", before)

    await desk.enrolment.remove_passkey(session, first, HERE)

    assert [one.id for one in (await desk.known.of(ann.id)).passkeys] == [second]
    assert (await desk.noted())[-1] == ("factor.removed", f"passkey:{first}")


async def test_a_passkey_is_made_for_the_session_that_asked_and_once(desk: Ground) -> None:
    ann = await desk.user("ann")
    session = desk.session(ann)
    answer = Authenticator().create(await desk.enrolment.begin_passkey(session))

    async def add(principal: Principal, credential: dict[str, object]) -> str:
        call = desk.enrolment.add_passkey(principal, name="x", credential=credential, origin=HERE)
        return await refused(call)

    assert await add(desk.session(ann), answer) == "challenge.invalid"
    assert await add(desk.session(await desk.user("bob")), answer) == "challenge.invalid"
    for_sign_in = Authenticator().create(
        {
            **await desk.enrolment.begin_passkey(session),
            "challenge": desk.alone.options()["challenge"],
        }
    )
    assert await add(session, for_sign_in) == "challenge.invalid"
    assert await desk.ended() == []

    await desk.enrolment.add_passkey(session, name="x", credential=answer, origin=HERE)
    assert await add(session, answer) == "challenge.replayed"
    with_same_key = Authenticator().create(
        {**await desk.enrolment.begin_passkey(session), "excludeCredentials": []}
    )
    assert await add(session, with_same_key) == "factor.exists"


async def test_no_passkey_is_added_on_a_bad_day(desk: Ground) -> None:
    ann = await desk.user("ann")

    for day in (
        BadDay(origin="https://evil.example"),
        BadDay(rp_id="evil.example"),
        BadDay(verified=False),
        BadDay(cross_origin=True),
    ):
        call = desk.with_passkey(ann, Authenticator(), day)
        assert await refused(call) == "passkey.invalid"
    assert not (await desk.known.of(ann.id)).any
    assert await desk.ended() == []


async def test_an_account_has_so_many_passkeys(desk: Ground) -> None:
    ann = await desk.user("ann")
    for number in range(PASSKEYS_MAX):
        await desk.with_passkey(ann, Authenticator(str(number)))

    call = desk.with_passkey(ann, Authenticator("more"))
    assert await refused(call) == "factor.too_many"


async def test_nothing_changes_without_a_fresh_proof(desk: Ground) -> None:
    ann = await desk.user("ann")
    await desk.with_app(ann)
    passkey_id = await desk.with_passkey(ann, Authenticator())
    before = await desk.known.of(ann.id)
    stale = desk.session(ann)
    await desk.clock.advance(FRESH_MS / 1000 + 0.001)
    ended = await desk.ended()

    for caller in (stale, desk.session(ann, proven=False), key_holder(ann.id, Role.TRADER)):
        for change in (
            desk.enrolment.begin_totp(caller),
            desk.enrolment.confirm_totp(caller, "000000", HERE),
            desk.enrolment.remove_totp(caller, HERE),
            desk.enrolment.renew_codes(caller, HERE),
            desk.enrolment.begin_passkey(caller),
            desk.enrolment.add_passkey(caller, name="x", credential={}, origin=HERE),
            desk.enrolment.remove_passkey(caller, passkey_id, HERE),
        ):
            assert await refused(change) == "proof.needed"
    assert await desk.known.of(ann.id) == before
    assert await desk.ended() == ended


async def test_the_owners_local_key_may_add_an_app(desk: Ground) -> None:
    owner = await desk.user("owner")
    local = msgspec.structs.replace(key_holder(owner.id), local=True)
    seed = await desk.enrolment.begin_totp(local)

    assert await desk.enrolment.confirm_totp(local, desk.code(seed.secret), HERE)
