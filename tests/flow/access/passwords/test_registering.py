"""Registering tells nobody who has an account, and gives nobody more than a trader's role."""

import pytest
from tests.flow.access.passwords.ground import (
    EMAIL,
    HOME,
    INVITE,
    OTHER,
    PASSWORD,
    REFUSED,
    Ground,
    Web,
    plain,
    together,
    token_of,
)

from quantdesk.access.passwords.hashing import Hasher
from quantdesk.core.errors import Refused
from quantdesk.store.pool import Pools

pytestmark = pytest.mark.anyio


async def test_that_whoever_registers_signs_in_as_a_trader(ground: Ground) -> None:
    await ground.signing_in.register("Anna@Example.COM", PASSWORD, origin=HOME)
    session = await ground.login(PASSWORD, email="ANNA@example.com")
    assert (session.account.email, session.account.role) == (EMAIL, "trader")
    assert (session.account.name, session.account.email_verified) == ("anna", False)
    stored = await ground.value("select hash from passwords")
    assert stored.startswith("$argon2id$")


@pytest.mark.parametrize("path", ["/register", "/login", "/reset"])
async def test_that_known_and_unknown_addresses_are_answered_alike(
    ground: Ground, path: str
) -> None:
    web = Web(ground, await ground.verified())
    told = []
    for email in (EMAIL, "nobody@example.com", "an.na@example.com"):
        before = ground.hasher.computed
        body = {"email": email} if path == "/reset" else {"email": email, "password": OTHER}
        answer = plain(await web.post(path, body))
        told.append((answer, ground.hasher.computed - before))
    assert told[0] == told[1] == told[2]
    (_, body, _), hashes = told[0]
    assert (body.get("code"), hashes) == {
        "/register": (None, 1),
        "/login": ("sign_in.failed", 1),
        "/reset": (None, 0),
    }[path]


async def test_that_an_account_without_a_password_costs_a_hash_too(ground: Ground) -> None:
    await ground.verified()
    await ground.execute("delete from passwords")
    before = ground.hasher.computed
    with pytest.raises(Refused, match="wrong") as refused:
        await ground.login(PASSWORD)
    assert (refused.value.code, ground.hasher.computed - before) == ("sign_in.failed", 1)


async def test_that_the_owner_of_a_taken_address_is_told_and_keeps_the_account(
    ground: Ground,
) -> None:
    await ground.verified()
    await ground.signing_in.register(EMAIL, OTHER, origin=HOME)
    await ground.deliver()
    letter = ground.post.to(EMAIL)[-1]
    assert letter.subject == "Somebody registered with your email address"
    assert "#" not in letter.text
    with pytest.raises(Refused, match="wrong"):
        await ground.login(OTHER)
    assert (await ground.login(PASSWORD)).account.email == EMAIL


async def test_that_eight_at_once_make_one_account_and_are_answered_alike(ground: Ground) -> None:
    told = await together(
        *(ground.signing_in.register(EMAIL, PASSWORD, origin=HOME) for _ in range(8))
    )
    assert told == [None] * 8
    assert await ground.value("select count(*) from accounts where email = $1", EMAIL) == 1
    assert await ground.value("select count(*) from passwords") == 1


MORE: tuple[dict[str, object], ...] = (
    {"role": "owner"},
    {"emailVerified": True},
    {"email_verified": True},
    {"kyc": "approved"},
    {"plan": "pro"},
    {"id": "0" * 32},
    {"disabled": False},
)


async def test_that_nobody_registers_with_more_than_they_are_asked_for(ground: Ground) -> None:
    web = Web(ground, await ground.verified("other@example.com"))
    for more in MORE:
        answer = await web.post("/register", {"email": EMAIL, "password": PASSWORD, **more})
        assert (answer.status_code, answer.json()["code"]) == (400, "request.malformed"), more
    assert await ground.value("select count(*) from accounts where email = $1", EMAIL) == 0


async def test_that_by_invitation_only_everybody_is_refused_alike(
    pools: Pools, hasher: Hasher
) -> None:
    open_desk = Ground(pools, hasher=hasher)
    await open_desk.verified()
    hashes = hasher.computed
    web = Web(Ground(pools, INVITE, hasher), await open_desk.verified("x@example.com"))
    hashes = hasher.computed
    told = [
        plain(await web.post("/register", {"email": email, "password": PASSWORD}))
        for email in (EMAIL, "nobody@example.com")
    ]
    assert told[0] == told[1]
    assert told[0][1]["code"] == "account.uninvited"
    assert hasher.computed == hashes


async def test_that_where_money_is_real_an_address_is_proven_first(
    pools: Pools, hasher: Hasher
) -> None:
    ground = Ground(pools, REFUSED, hasher)
    await ground.signing_in.register(EMAIL, PASSWORD, origin=HOME)
    first = await ground.token()
    await ground.clock.advance(1)
    with pytest.raises(Refused) as refused:
        await ground.login(PASSWORD)
    assert (refused.value.code, ground.sessions.open) == ("email.unverified", [])
    with pytest.raises(Refused, match="wrong"):  # and only whoever knows the password hears of it
        await ground.login(OTHER)
    second = await ground.token()
    with pytest.raises(Refused, match="not valid"):
        await ground.recovering.verify(first, origin=HOME)
    await ground.recovering.verify(second, origin=HOME)
    assert (await ground.login(PASSWORD)).account.email_verified


async def test_that_the_letter_links_to_the_desk_and_not_to_what_a_request_calls_it(
    ground: Ground,
) -> None:
    web = Web(ground, await ground.verified("x@example.com"))
    assert (await web.post("/register", {"email": EMAIL, "password": PASSWORD})).status_code == 202
    await ground.deliver()
    (letter,) = ground.post.to(EMAIL)
    assert "evil" not in letter.text
    assert len(token_of(letter)) == 43


BAD_ADDRESSES = [
    "anna@example.com\r\nBcc: all@example.com",
    "anna@example.com\n",
    "anna\r@example.com",
    "anna@example.com\0",
    "anna@exa\u200bmple.com",
    "an\u212aa@example.com",  # KELVIN SIGN, in lower case a plain k
    "anna@e\u0445ample.com",  # a Cyrillic letter
    "anna\uff20example.com",
    "anna@example.com,bob@example.com",
    "Anna <anna@example.com>",
    '"a b"@example.com',
    "anna@[192.0.2.1]",
    "anna@example..com",
    "anna@-example.com",
    ".anna@example.com",
    "anna@localhost",
    "@example.com",
    "anna",
    "",
    "a" * 65 + "@example.com",
]


async def test_that_what_is_no_address_gets_no_further(ground: Ground) -> None:
    web = Web(ground, await ground.verified("x@example.com"))
    await ground.deliver()
    hashes, letters = ground.hasher.computed, len(ground.post.letters)
    for email in BAD_ADDRESSES:
        for path in ("/register", "/login", "/reset"):
            body = {"email": email} if path == "/reset" else {"email": email, "password": PASSWORD}
            answer = await web.post(path, body)
            assert answer.json()["code"] == "email.malformed", (path, email)
    await ground.deliver()
    assert (ground.hasher.computed, len(ground.post.letters)) == (hashes, letters)


TOO_MUCH: tuple[tuple[object, int], ...] = (
    ({"email": EMAIL, "password": "x" * 257}, 400),
    ({"email": EMAIL, "password": "x" * 60_000}, 400),
    ({"email": EMAIL, "password": "x" * 70_000}, 413),
    ({"email": "a" * 300, "password": PASSWORD}, 400),
    ({"email": EMAIL, "password": ["x"]}, 400),
    ({"email": EMAIL, "password": None}, 400),
    ({"email": EMAIL}, 400),
    (b'{"email": "anna@example.com", "password": "\\ud800 half a pair"}', 400),
    (b"[", 400),
)


async def test_that_what_is_too_much_is_never_hashed(ground: Ground) -> None:
    web = Web(ground, await ground.verified("x@example.com"))
    hashes = ground.hasher.computed
    for body, status in TOO_MUCH:
        for path in ("/register", "/login"):
            assert (await web.post(path, body)).status_code == status, (path, body)
    assert ground.hasher.computed == hashes


async def test_that_a_login_is_one_way_or_the_other(ground: Ground) -> None:
    web = Web(ground, await ground.verified())
    wallet = {"address": "A", "signature": "S", "message": "M"}
    password = {"email": EMAIL, "password": PASSWORD}
    for body in ({}, {**wallet, **password}, {**wallet, "email": EMAIL}, {"address": "A"}):
        answer = await web.post("/login", body)
        assert (answer.status_code, answer.json()["code"]) == (400, "request.malformed")
    assert (await web.post("/login", {**wallet, "cookie": True})).status_code == 200
    assert web.calls == [{**wallet, "cookie": True}]
    answer = await web.post("/login", {**password, "cookie": True})
    assert answer.json() == {"token": "token-1", "cookie": True}
