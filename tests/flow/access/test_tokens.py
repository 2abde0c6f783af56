"""A token is believed only when this desk signed it, for this mode, with Ed25519, not long ago."""

import base64
import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import OKPKey
from tests.flow.access.world import DAY_MS, World, world

from quantdesk.access.tokens.signing import HEARD_MS
from quantdesk.store.pool import Pools
from quantdesk.testing.clock import ManualClock

pytestmark = pytest.mark.anyio


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return header and claims."""
    header, claims, _ = token.split(".")
    return json.loads(_unb64(header)), json.loads(_unb64(claims))


def forged(header: dict[str, Any], claims: dict[str, Any], signature: bytes = b"") -> str:
    """Return a token put together by hand."""
    return ".".join(_b64(part) for part in (_json(header), _json(claims), signature))


def _json(part: dict[str, Any]) -> bytes:
    return json.dumps(part).encode()


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "==")


def own_key(desk: World) -> tuple[str, OKPKey]:
    signing = desk.signing.signer()
    return signing.kid, signing.key


async def test_says_whose_session_it_is_of_and_how_long(desk: World) -> None:
    account = await desk.account()
    opened = await desk.sign_in(account)
    header, claims = parts(opened.token)

    assert header == {"typ": "JWT", "alg": "Ed25519", "kid": own_key(desk)[0]}
    assert set(claims) == {"iss", "aud", "sub", "sid", "iat", "exp", "jti"}
    assert (claims["sub"], claims["sid"]) == (str(account.id), str(opened.session_id))
    assert claims["exp"] - claims["iat"] == 7 * 86_400
    caller = desk.caller(opened.token)
    assert caller is not None
    assert (caller.account_id, caller.session_id) == (account.id, opened.session_id)


async def test_is_worth_nothing_after_its_time(desk: World, clock: ManualClock) -> None:
    opened = await desk.sign_in(await desk.account())
    await clock.advance(7 * DAY_MS / 1000 - 1)
    await desk.known.catch_up()
    assert desk.caller(opened.token) is not None

    await clock.advance(2)
    await desk.known.catch_up()

    assert desk.caller(opened.token) is None


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "HS256", "EdDSA", "RS256", "ES256", ""])
async def test_takes_no_other_algorithm(desk: World, alg: str) -> None:
    opened = await desk.sign_in(await desk.account())
    header, claims = parts(opened.token)
    signature = _unb64(opened.token.split(".")[2])

    assert desk.caller(forged({**header, "alg": alg}, claims)) is None
    assert desk.caller(forged({**header, "alg": alg}, claims, signature)) is None


async def test_is_not_fooled_by_the_public_key_as_a_shared_secret(desk: World) -> None:
    opened = await desk.sign_in(await desk.account())
    header, claims = parts(opened.token)
    kid, key = own_key(desk)
    public = _unb64(str(key.as_dict(private=False)["x"]))
    for secret in (public, key.as_pem(private=False)):
        unsigned = forged({**header, "alg": "HS256", "kid": kid}, claims).rpartition(".")[0]
        mac = hmac.digest(secret, unsigned.encode(), "sha256")
        swapped = f"{unsigned}.{_b64(mac)}"
        assert desk.caller(swapped) is None


@pytest.mark.parametrize("named", ["own", "none", "embedded"])
async def test_takes_no_key_but_its_own(desk: World, named: str) -> None:
    opened = await desk.sign_in(await desk.account())
    header, claims = parts(opened.token)
    foreign = OKPKey.generate_key("Ed25519")
    if named == "none":
        del header["kid"]
    if named == "embedded":
        header |= {"jwk": foreign.as_dict(private=False), "kid": "mine"}

    token = jwt.encode(header, claims, foreign, algorithms=["Ed25519"])

    assert desk.caller(token) is None


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "quantdesk:mainnet"},
        {"aud": ["quantdesk:paper"]},
        {"iss": "somebody"},
        {"iat": 10**10},
        {"exp": 0},
        {"exp": "never"},
        {"exp": None},
        {"exp": 1e99},
        {"sid": "nobody"},
        {"sid": 7},
        {"sub": None},
    ],
    ids=str,
)
async def test_takes_no_claims_but_those_it_makes(desk: World, changed: dict[str, Any]) -> None:
    opened = await desk.sign_in(await desk.account())
    header, claims = parts(opened.token)

    token = jwt.encode(header, {**claims, **changed}, own_key(desk)[1], algorithms=["Ed25519"])

    assert desk.caller(token) is None


async def test_a_tampered_token_is_nobodys(desk: World) -> None:
    opened = await desk.sign_in(await desk.account())
    token = opened.token
    # The last character of a part carries bits that are no data: changing those changes nothing.
    ends = {index - 1 for index, character in enumerate(token + ".") if character == "."}
    positions = st.sampled_from([at for at in range(len(token)) if at not in ends])

    @given(positions, st.characters(codec="utf-8"))
    def check(at: int, character: str) -> None:
        changed = token[:at] + character + token[at + 1 :]
        assert changed == token or desk.caller(changed) is None

    check()
    assert desk.caller(token) is not None


@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_whatever_is_sent_is_read_without_harm(text: str) -> None:
    from quantdesk.access.tokens.jwt import Tokens  # noqa: PLC0415

    class NoKeys:
        generation = 0

        def verifier(self, _: object) -> None:
            return None

    tokens = Tokens(NoKeys(), audience="", token_ms=1)  # type: ignore[arg-type]
    for shape in (text, f"{text}.{text}.{text}", f"{_b64(text.encode('utf-8', 'replace'))}.e30.AA"):
        assert tokens.read(shape, now_ms=0) is None


async def test_rotation_signs_nobody_out(desk: World, clock: ManualClock) -> None:
    account = await desk.account()
    before = await desk.sign_in(account)
    await clock.advance(60)
    new = await desk.signing.rotate()
    soon = await desk.sign_in(account)
    await clock.advance(HEARD_MS / 1000)
    await desk.known.catch_up()
    later = await desk.sign_in(account)

    assert parts(soon.token)[0]["kid"] == parts(before.token)[0]["kid"]
    assert parts(later.token)[0]["kid"] == str(new)
    for opened in (before, soon, later):
        assert desk.caller(opened.token) is not None


async def test_an_old_key_verifies_no_longer_than_its_tokens_live(
    desk: World, clock: ManualClock
) -> None:
    account = await desk.account()
    await desk.sign_in(account)
    old_kid, old = own_key(desk)
    await desk.signing.rotate()
    await clock.advance(7 * DAY_MS / 1000 + 10)
    await desk.known.catch_up()
    opened = await desk.sign_in(account)
    header, claims = parts(opened.token)

    stolen = jwt.encode({**header, "kid": old_kid}, claims, old, algorithms=["Ed25519"])

    assert desk.caller(stolen) is None
    assert desk.caller(opened.token) is not None


async def test_every_process_hears_of_a_new_key(desk: World, clock: ManualClock) -> None:
    other = await world(desk.pools, clock)
    account = await desk.account()
    await desk.signing.rotate()
    await clock.advance(HEARD_MS / 1000)
    opened = await desk.sign_in(account)

    await other.known.catch_up()

    assert other.caller(opened.token) is not None


async def test_a_token_of_one_mode_is_nothing_in_another(
    desk: World, pools: Pools, clock: ManualClock
) -> None:
    mainnet = await world(pools, clock, audience="quantdesk:mainnet")
    opened = await desk.sign_in(await desk.account())
    await mainnet.known.catch_up()

    assert mainnet.caller(opened.token) is None


async def test_a_lost_master_key_costs_a_new_signing_key_and_nobodys_session(
    desk: World, pools: Pools, clock: ManualClock
) -> None:
    account = await desk.account()
    before = await desk.sign_in(account)
    await clock.advance(60)

    moved = await world(pools, clock, master=bytes(32))
    after = await moved.sign_in(account)

    assert moved.caller(before.token) is not None
    assert moved.caller(after.token) is not None
    assert parts(after.token)[0]["kid"] != parts(before.token)[0]["kid"]


async def test_the_seed_of_a_signing_key_is_not_in_the_database(desk: World) -> None:
    seed = _unb64(str(own_key(desk)[1].as_dict(private=True)["d"]))
    async with desk.pools.read.connection() as c:
        rows = await c.fetch("select sealed, public from signing_keys")

    assert rows
    assert all(seed not in row["sealed"] + row["public"] for row in rows)
