"""Links: for one purpose, one address and one use; whoever resets a password ends all sessions."""

from uuid import UUID

import pytest
import structlog
from tests.flow.access.passwords.ground import (
    EMAIL,
    FAR,
    HOME,
    OTHER,
    PASSWORD,
    Ground,
    Web,
    together,
    token_of,
)

from quantdesk.access.links.links import Links
from quantdesk.access.links.model import Link, Purpose
from quantdesk.access.passwords.model import RESET_MS, VERIFY_MS, Signer
from quantdesk.core.errors import DeskError, Refused, Unavailable

pytestmark = pytest.mark.anyio


async def asked(ground: Ground, email: str = EMAIL) -> str:
    """Ask for a reset and return the token that was mailed."""
    await ground.recovering.ask(email, origin=FAR)
    return await ground.token(email)


async def refusal(ground: Ground, token: str, password: str = OTHER) -> str:
    """Return the code with which a reset is refused."""
    with pytest.raises(DeskError) as refused:
        await ground.recovering.confirm(token, password, origin=HOME)
    return refused.value.code


async def test_that_a_reset_changes_the_password_ends_sessions_and_tells_the_owner(
    ground: Ground,
) -> None:
    account_id = await ground.verified()
    for _ in range(3):
        await ground.login(PASSWORD)
    await ground.recovering.confirm(await asked(ground), OTHER, origin=FAR)
    assert ground.sessions.open == []  # nor is one opened for whoever came by the link
    assert ground.sessions.evicted == []
    assert ground.sessions.felt_at == [0]
    with pytest.raises(Refused, match="wrong"):
        await ground.login(PASSWORD)
    assert (await ground.login(OTHER)).account.id == account_id
    await ground.deliver()
    assert ground.post.to(EMAIL)[-1].subject == "Your password was changed"
    acts = await ground.value("select array_agg(act ->> 'action' order by number) from acts")
    assert acts == ["user.added", "user.changed", "reset.asked", "password.changed"]


async def test_that_a_link_is_used_once(ground: Ground) -> None:
    await ground.verified()
    token = await asked(ground)
    await ground.recovering.confirm(token, OTHER, origin=HOME)
    assert await refusal(ground, token, PASSWORD) == "link.invalid"
    await ground.login(OTHER)


async def test_that_of_eight_at_once_one_wins(ground: Ground) -> None:
    await ground.verified()
    token = await asked(ground)
    words = [f"{OTHER} {number}" for number in range(8)]
    told = await together(*(ground.recovering.confirm(token, word, origin=HOME) for word in words))
    assert told.count(None) == 1
    assert {one.code for one in told if isinstance(one, DeskError)} == {"link.invalid"}
    await ground.login(words[told.index(None)])
    assert await ground.value("select version from passwords") == 2


@pytest.mark.parametrize(("purpose", "lasts_ms"), [("reset", RESET_MS), ("verify", VERIFY_MS)])
async def test_that_a_link_ends_when_it_says(ground: Ground, purpose: str, lasts_ms: int) -> None:
    await ground.signing_in.register(EMAIL, PASSWORD, origin=HOME)
    token = await ground.token()
    if purpose == "reset":
        token = await asked(ground)

    async def use() -> None:
        if purpose == "reset":
            await ground.recovering.confirm(token, OTHER, origin=HOME)
        else:
            await ground.recovering.verify(token, origin=HOME)

    await ground.clock.advance(lasts_ms / 1000)
    with pytest.raises(Refused, match="not valid"):
        await use()
    assert not await ground.value("select email_verified_at is not null from accounts")


async def test_that_a_link_holds_until_its_last_moment(ground: Ground) -> None:
    await ground.verified()
    token = await asked(ground)
    await ground.clock.advance(RESET_MS / 1000 - 0.001)
    await ground.recovering.confirm(token, OTHER, origin=HOME)


async def test_that_a_link_is_good_for_nothing_else(ground: Ground) -> None:
    await ground.signing_in.register(EMAIL, PASSWORD, origin=HOME)
    verify = await ground.token()
    reset = await asked(ground)
    hashes = ground.hasher.computed
    assert await refusal(ground, verify) == "link.invalid"
    assert ground.hasher.computed == hashes
    with pytest.raises(Refused, match="not valid"):
        await ground.recovering.verify(reset, origin=HOME)
    await ground.recovering.verify(verify, origin=HOME)
    await ground.recovering.confirm(reset, OTHER, origin=HOME)


async def test_that_guessed_tokens_cost_no_hash_and_are_told(ground: Ground) -> None:
    web = Web(ground, await ground.verified())
    token = await asked(ground)
    hashes = ground.hasher.computed
    others = ["", "A" * 43, token[:-1], token.swapcase(), token + "A", "\u00e9" * 43, "\0" * 43]
    for guess in others:
        answer = await web.post("/reset/confirm", {"token": guess, "password": OTHER})
        assert answer.json()["code"] == "link.invalid", guess
        answer = await web.post("/verify", {"token": guess})
        assert answer.json()["code"] == "link.invalid", guess
    assert ground.hasher.computed == hashes
    assert [act.action for act in ground.acts] == ["link.refused"] * 2 * len(others)
    assert token[:-1] not in repr(ground.acts)
    await ground.recovering.confirm(token, OTHER, origin=HOME)


async def test_that_whoever_writes_to_the_table_makes_no_link(ground: Ground) -> None:
    account_id = await ground.verified()
    foreign = Links(b"x" * 32)
    now_ms = ground.clock.now_ms()
    async with ground.pools.write.transaction() as c:
        token = await foreign.make(
            c,
            Link(
                id=UUID(int=1 << 100),
                purpose=Purpose.RESET,
                account_id=account_id,
                email=EMAIL,
                made_ms=now_ms,
                expires_ms=now_ms + RESET_MS,
            ),
        )
    assert token is not None
    assert await refusal(ground, token) == "link.invalid"
    # Nor does whoever turns a link of their own into another's.
    mine = await ground.verified("mallory@example.com")
    token = await asked(ground, "mallory@example.com")
    await ground.execute(
        "update links set account_id = $1 where account_id = $2 and purpose = 'reset'"
        " and used_at is null",
        account_id,
        mine,
    )
    assert await refusal(ground, token) == "link.invalid"
    await ground.login(PASSWORD)


async def test_that_a_newer_link_voids_an_older_one(ground: Ground) -> None:
    await ground.verified()
    older = await asked(ground)
    await ground.clock.advance(1)
    newer = await asked(ground)
    assert await refusal(ground, older) == "link.invalid"
    await ground.recovering.confirm(newer, OTHER, origin=HOME)


async def test_that_a_letter_held_up_is_not_sent_after_a_newer_one(ground: Ground) -> None:
    await ground.verified()
    ground.post.refuse.append(Unavailable("away", code="mail.unavailable"))
    await ground.recovering.ask(EMAIL, origin=HOME)
    await ground.deliver()
    await ground.clock.advance(1)
    newer = await asked(ground)
    sent = len(ground.post.letters)
    await ground.clock.advance(60)
    await ground.deliver()
    assert len(ground.post.letters) == sent
    await ground.recovering.confirm(newer, OTHER, origin=HOME)


async def test_that_a_weak_password_leaves_the_link_as_it_is(ground: Ground) -> None:
    await ground.verified()
    token = await asked(ground)
    hashes = ground.hasher.computed
    assert await refusal(ground, token, "short") == "password.short"
    assert await refusal(ground, token, "anna-anna-example") == "password.common"
    assert ground.hasher.computed == hashes
    await ground.recovering.confirm(token, OTHER, origin=HOME)


async def test_that_a_link_is_void_once_the_account_has_another_address(ground: Ground) -> None:
    await ground.signing_in.register(EMAIL, PASSWORD, origin=HOME)
    verify = await ground.token()
    reset = await asked(ground)
    await ground.execute("update accounts set email = 'new@example.com'")
    with pytest.raises(Refused, match="not valid"):
        await ground.recovering.verify(verify, origin=HOME)
    assert await refusal(ground, reset) == "link.invalid"
    assert await ground.value("select count(*) from links where used_at is null") == 2


async def test_that_the_mailbox_owner_takes_an_unproven_account_bare(ground: Ground) -> None:
    await ground.signing_in.register(EMAIL, PASSWORD, origin=FAR)  # by somebody else
    session = await ground.login(PASSWORD, origin=FAR)
    await ground.recovering.confirm(await asked(ground), OTHER, origin=HOME)
    assert ground.sessions.evicted == [session.account.id]
    assert ground.sessions.open == []
    assert (await ground.login(OTHER)).account.email_verified


async def test_that_a_disabled_account_gets_no_link_and_cannot_use_one(ground: Ground) -> None:
    await ground.verified()
    token = await asked(ground)
    sent = len(ground.post.letters)
    await ground.execute("update accounts set disabled_at = now()")
    assert await refusal(ground, token) == "link.invalid"
    await ground.recovering.ask(EMAIL, origin=HOME)
    await ground.deliver()
    assert len(ground.post.letters) == sent


async def test_that_an_account_without_a_password_gets_one_by_mail(ground: Ground) -> None:
    account_id = await ground.verified()
    await ground.execute("delete from passwords")
    await ground.recovering.confirm(await asked(ground), OTHER, origin=HOME)
    assert (await ground.login(OTHER)).account.id == account_id


async def test_that_tokens_are_in_no_table_and_no_log(ground: Ground) -> None:
    with structlog.testing.capture_logs() as logs:
        await ground.signing_in.register(EMAIL, PASSWORD, origin=HOME)
        verify = await ground.token()
        reset = await asked(ground)
    for table in ("links", "letters", "acts", "passwords", "accounts"):
        rows = await ground.value(f"select string_agg(t::text, ' ') from {table} t")
        assert rows
        for secret in (verify, reset, PASSWORD):
            assert secret not in rows
            assert secret not in repr(logs)
    assert logs


async def test_that_changing_ends_all_other_sessions_and_voids_links(ground: Ground) -> None:
    await ground.verified()
    token = await asked(ground)
    kept = await ground.login(PASSWORD)
    await ground.login(PASSWORD)
    signer = Signer(account_id=kept.account.id, session_id=kept.session_id)
    await ground.recovering.change(signer, current=PASSWORD, new=OTHER, origin=HOME)
    assert ground.sessions.open == [(kept.account.id, kept.session_id)]
    assert await refusal(ground, token, PASSWORD) == "link.invalid"
    await ground.deliver()
    assert ground.post.to(EMAIL)[-1].subject == "Your password was changed"
    await ground.login(OTHER)


async def test_that_a_stolen_session_cannot_guess_the_password(ground: Ground) -> None:
    web = Web(ground, await ground.verified())
    codes = []
    for _ in range(12):
        answer = await web.post("/password", {"current": OTHER, "new": OTHER}, signed_in=True)
        codes.append(answer.json()["code"])
    assert codes == ["password.wrong"] * 10 + ["sign_in.throttled"] * 2


async def test_that_two_changes_at_once_do_not_both_win(ground: Ground) -> None:
    account_id = await ground.verified()
    signer = Signer(account_id=account_id, session_id=None)
    words = [f"{OTHER} {number}" for number in range(4)]
    told = await together(
        *(
            ground.recovering.change(signer, current=PASSWORD, new=word, origin=HOME)
            for word in words
        )
    )
    assert told.count(None) == 1
    assert {one.code for one in told if isinstance(one, DeskError)} == {"password.wrong"}
    await ground.login(words[told.index(None)])


async def test_that_changing_needs_a_caller_who_proved_to_be_there(ground: Ground) -> None:
    account_id = await ground.verified()
    change = {"current": PASSWORD, "new": OTHER}
    nobody = await Web(ground, account_id).post("/password", change)
    stale = await Web(ground, account_id, is_fresh=False).post("/password", change, signed_in=True)
    assert nobody.json()["code"] == "request.unauthenticated"
    assert stale.json()["code"] == "proof.needed"
    await ground.login(PASSWORD)
    done = await Web(ground, account_id).post("/password", change, signed_in=True)
    assert done.status_code == 200
    await ground.login(OTHER)


async def test_that_another_letter_proves_an_address(ground: Ground) -> None:
    await ground.signing_in.register(EMAIL, PASSWORD, origin=HOME)
    account_id = (await ground.login(PASSWORD)).account.id
    web = Web(ground, account_id)
    assert (await web.post("/verify/send", {})).json()["code"] == "request.unauthenticated"
    first = await ground.token()
    await ground.clock.advance(1)
    assert (await web.post("/verify/send", {}, signed_in=True)).status_code == 202
    await ground.deliver()
    second = token_of(ground.post.to(EMAIL)[-1])
    assert second != first
    assert (await web.post("/verify", {"token": second})).status_code == 200
    answer = await web.post("/verify/send", {}, signed_in=True)
    assert answer.json()["code"] == "email.verified"
