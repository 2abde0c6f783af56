"""Proving presence: with the second factor where there is one, for the session that gave it."""

import pytest
from tests.flow.access.factors.ground import HERE, Ground

from quantdesk.access.factors.model import (
    CODE_TRIES_MAX,
    Assertion,
    Code,
    FirstFactor,
    OwnerKeyShown,
    Password,
    RecoveryCode,
    SecondFactor,
    WalletSignature,
)
from quantdesk.access.model import Principal, Role
from quantdesk.core.errors import Refused
from quantdesk.testing.authenticator import Authenticator, BadDay
from quantdesk.testing.principals import key_holder

pytestmark = pytest.mark.anyio

WALLET = WalletSignature(address="a", message="m", signature="right")


async def refused(desk: Ground, who: Principal, shown: SecondFactor | FirstFactor) -> Refused:
    """Return what a proof is refused with."""
    with pytest.raises(Refused) as caught:
        await desk.step_up.give(who, shown, HERE)
    return caught.value


async def test_a_first_factor_is_enough_where_there_is_no_second(desk: Ground) -> None:
    ann = await desk.user("ann")

    for shown in (Password("right"), WALLET, OwnerKeyShown("right")):
        session = desk.session(ann, proven=False)
        assert await desk.step_up.give(session, shown, HERE) == desk.clock.now_ms()
        assert session.session_id in desk.door.proofs

    assert await desk.noted() == [
        ("proof.given", "password"), ("proof.given", "wallet"), ("proof.given", "key"),
    ]  # fmt: skip


async def test_who_has_a_second_factor_has_to_use_it(desk: Ground) -> None:
    ann = await desk.user("ann")
    seed, codes = await desk.with_app(ann)
    authenticator = Authenticator()
    await desk.with_passkey(ann, authenticator)
    session = desk.session(ann, proven=False)

    for shown in (Password("right"), Password("wrong"), WALLET, OwnerKeyShown("right")):
        problem = await refused(desk, session, shown)
        assert problem.code == "proof.factor_needed"
        assert problem.extension == {"methods": ("totp", "passkey", "recovery")}
    assert desk.door.proofs == {}

    for factor in (
        Code(desk.code(seed)),
        RecoveryCode(codes[3]),
        Assertion(authenticator.get(await desk.step_up.options(session))),
    ):
        desk.door.proofs.clear()
        await desk.step_up.give(session, factor, HERE)
        assert set(desk.door.proofs) == {session.session_id}
        assert (await refused(desk, session, factor)).code == "proof.wrong", "and works once"


WRONG: list[tuple[SecondFactor | FirstFactor, str]] = [
    (Password("wrong"), "password.wrong"),
    (OwnerKeyShown("wrong"), "key.wrong"),
    (WalletSignature(address="a", message="m", signature="x"), "wallet.wrong"),
    (Code("000000"), "totp.wrong"),
    (RecoveryCode("aaaa-bbbb-cccc-dddd"), "recovery.wrong"),
    (Assertion({}), "passkey.invalid"),
]


async def test_what_is_wrong_proves_nothing_and_is_told(desk: Ground) -> None:
    ann = await desk.user("ann")
    session = desk.session(ann, proven=False)

    for shown, _ in WRONG:
        assert (await refused(desk, session, shown)).code == "proof.wrong"

    assert desk.door.proofs == {}
    assert desk.failures == [("factor.failed", code) for _, code in WRONG]
    assert {act.session_id for act in desk.door.told} == {session.session_id}
    assert desk.door.tries == [("failed", f"factor:{ann.id}")] * len(WRONG)
    assert await desk.noted() == []


async def test_an_answer_proves_the_presence_of_the_session_that_asked(desk: Ground) -> None:
    ann = await desk.user("ann")
    authenticator = Authenticator(counts=False)
    await desk.with_passkey(ann, authenticator)
    session, other = desk.session(ann), desk.session(ann)
    options = await desk.step_up.options(session)
    for_sign_in = authenticator.get(desk.alone.options())
    bad = authenticator.get(options, BadDay(origin="https://evil.example"))
    good = authenticator.get(options)

    assert (await refused(desk, other, Assertion(good))).code == "proof.wrong"
    assert (await refused(desk, session, Assertion(for_sign_in))).code == "proof.wrong"
    assert (await refused(desk, session, Assertion(bad))).code == "proof.wrong"
    with pytest.raises(Refused):
        await desk.alone.sign_in(good, HERE)
    await desk.step_up.give(session, Assertion(good), HERE)

    assert set(desk.door.proofs) == {session.session_id}


async def test_guesses_here_count_with_those_at_sign_in(desk: Ground) -> None:
    ann = await desk.user("ann")
    seed, _ = await desk.with_app(ann)
    session = desk.session(ann)
    for _ in range(CODE_TRIES_MAX):
        assert (await refused(desk, session, desk.wrong_code(seed))).code == "proof.wrong"

    assert (await refused(desk, session, Code(desk.code(seed)))).code == "factor.locked"
    with pytest.raises(Refused) as caught:
        await desk.second_step.finish(await desk.ticket(ann), Code(desk.code(seed)), HERE)
    assert caught.value.code == "factor.locked"


async def test_an_api_key_proves_nothing(desk: Ground) -> None:
    ann = await desk.user("ann")
    seed, _ = await desk.with_app(ann)
    key = key_holder(ann.id, Role.TRADER)

    assert (await refused(desk, key, Code(desk.code(seed)))).code == "session.needed"
    with pytest.raises(Refused) as caught:
        await desk.step_up.options(key)
    assert caught.value.code == "session.needed"
    await desk.step_up.give(desk.session(ann), Code(desk.code(seed)), HERE)


async def test_a_throttle_refuses_before_anything_is_tried(desk: Ground) -> None:
    ann = await desk.user("ann")
    _, codes = await desk.with_app(ann)
    desk.door.shut = True

    problem = await refused(desk, desk.session(ann), RecoveryCode(codes[0]))

    assert problem.code == "sign_in.throttled"
    assert (await desk.known.of(ann.id)).recovery_left == 10
