"""What an authenticator answers is believed only when all of it is right."""

import base64
from typing import Any
from uuid import UUID

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import many

from quantdesk.access.factors import passkeys
from quantdesk.access.factors.model import Passkey, Site
from quantdesk.access.model import Account, Role
from quantdesk.core.errors import Refused
from quantdesk.testing.authenticator import Algorithm, Authenticator, BadDay

SITE = Site(rp_id="desk.example", origins=("https://desk.example", "https://alt.example"))
ANN = Account(id=UUID(int=7), name="ann", role=Role.TRADER)
CHALLENGE = b"c" * 56
BAD_DAYS = {
    "origin": BadDay(origin="https://evil.example"),
    "origin of a subdomain": BadDay(origin="https://desk.example.evil.example"),
    "origin in the clear": BadDay(origin="http://desk.example"),
    "rp": BadDay(rp_id="evil.example"),
    "challenge": BadDay(challenge="AAAA"),
    "not verified": BadDay(verified=False),
    "not present": BadDay(present=False),
    "other ceremony": BadDay(kind="payment.get"),
}


def made(authenticator: Authenticator, day: BadDay | None = None) -> dict[str, Any]:
    options = passkeys.creation_options(SITE, ANN, CHALLENGE, ())
    return authenticator.create(options, day or BadDay())


def kept(answer: dict[str, Any]) -> Passkey:
    new = passkeys.registered(SITE, answer, CHALLENGE)
    return Passkey(
        id=UUID(int=1), account_id=ANN.id, credential_id=new.credential_id, name="laptop",
        public_key=new.public_key, sign_count=new.sign_count, backed_up=False, added_ms=0,
    )  # fmt: skip


def used(authenticator: Authenticator, day: BadDay | None = None) -> dict[str, Any]:
    return authenticator.get(passkeys.request_options(SITE, CHALLENGE), day or BadDay())


@pytest.mark.parametrize("algorithm", ["ES256", "Ed25519"])
def test_a_passkey_is_registered_and_answers(algorithm: Algorithm) -> None:
    authenticator = Authenticator(algorithm=algorithm)
    passkey = kept(made(authenticator))

    counts = [passkeys.asserted(SITE, used(authenticator), CHALLENGE, passkey) for _ in range(2)]

    assert counts == [1, 2]
    assert passkeys.user_of(used(authenticator)) == ANN.id
    assert passkeys.challenge_of(used(authenticator)) == CHALLENGE


def test_asks_for_a_verified_user_and_a_discoverable_key() -> None:
    passkey = kept(made(Authenticator()))
    create = passkeys.creation_options(SITE, ANN, CHALLENGE, [passkey])
    get = passkeys.request_options(SITE, CHALLENGE)

    assert create["authenticatorSelection"]["userVerification"] == "required"
    assert create["authenticatorSelection"]["residentKey"] == "required"
    assert create["attestation"] == "none"
    assert len(create["excludeCredentials"]) == 1
    assert (get["userVerification"], get["rpId"]) == ("required", "desk.example")
    assert get["allowCredentials"] == []


@pytest.mark.parametrize("name", BAD_DAYS)
def test_registers_nothing_on_a_bad_day(name: str) -> None:
    with pytest.raises(Refused) as caught:
        passkeys.registered(SITE, made(Authenticator(), BAD_DAYS[name]), CHALLENGE)

    assert caught.value.code == "passkey.invalid"


@pytest.mark.parametrize("name", [*BAD_DAYS, "other key"])
@pytest.mark.parametrize("algorithm", ["ES256", "Ed25519"])
def test_believes_no_answer_of_a_bad_day(name: str, algorithm: Algorithm) -> None:
    authenticator = Authenticator(algorithm=algorithm)
    passkey = kept(made(authenticator))
    day = BAD_DAYS.get(name, BadDay(other_key=True))

    with pytest.raises(Refused) as caught:
        passkeys.asserted(SITE, used(authenticator, day), CHALLENGE, passkey)

    assert caught.value.code == "passkey.invalid"


def test_believes_no_page_inside_another_origins() -> None:
    authenticator = Authenticator()
    made(authenticator)

    with pytest.raises(Refused, match="another origin"):
        passkeys.challenge_of(used(authenticator, BadDay(cross_origin=True)))


def _encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "===")


def test_takes_no_attestation_nobody_asked_for() -> None:
    answer = made(Authenticator())
    statement = cbor2.loads(_decoded(answer["response"]["attestationObject"]))
    for fmt in (
        "packed",
        "fido-u2f",
        "tpm",
        "android-key",
        "apple",
        "android-safetynet",
        "other",
        7,
    ):
        changed = {**statement, "fmt": fmt, "attStmt": {"sig": b"1", "x5c": [b"1"], "alg": -7}}
        answer["response"]["attestationObject"] = _encoded(cbor2.dumps(changed))

        with pytest.raises(Refused, match="nobody asked for"):
            passkeys.registered(SITE, answer, CHALLENGE)


def test_registers_the_passkey_that_answers() -> None:
    one, other = made(Authenticator("one")), made(Authenticator("other"))
    response = {**one["response"], "attestationObject": other["response"]["attestationObject"]}

    with pytest.raises(Refused, match="two passkeys"):
        passkeys.registered(SITE, {**one, "response": response}, CHALLENGE)


def test_takes_no_name_that_is_too_long() -> None:
    answer = made(Authenticator())
    statement = cbor2.loads(_decoded(answer["response"]["attestationObject"]))
    data, name = statement["authData"], b"x" * 1024
    statement["authData"] = data[:53] + len(name).to_bytes(2, "big") + name + data[55 + 32 :]
    response = {**answer["response"], "attestationObject": _encoded(cbor2.dumps(statement))}
    named = _encoded(name).rstrip("=")

    with pytest.raises(Refused, match="too long"):
        passkeys.registered(
            SITE, {**answer, "response": response, "id": named, "rawId": named}, CHALLENGE
        )


def _with_key(answer: dict[str, Any], key: bytes) -> dict[str, Any]:
    """Return an answer whose COSE_Key is another one."""
    statement = cbor2.loads(_decoded(answer["response"]["attestationObject"]))
    statement["authData"] = statement["authData"][: 37 + 16 + 2 + 32] + key
    response = {**answer["response"], "attestationObject": _encoded(cbor2.dumps(statement))}
    return {**answer, "response": response}


@pytest.mark.parametrize(
    "key",
    [
        {1: 2, 3: -7, -1: 1, -2: b"\1" * 32, -3: b"\1" * 32},
        {1: 1, 3: -8, -1: 6, -2: b"\1" * 31},
        {1: 2, 3: -7},
        {1: 3, 3: -257, -1: b"\1", -2: b"\1"},
        {1: 2, 3: -65535},
        [],
        7,
        b"\4" * 65,
    ],
)
def test_takes_no_key_that_is_none(key: object) -> None:
    with pytest.raises(Refused) as caught:
        passkeys.registered(SITE, _with_key(made(Authenticator()), cbor2.dumps(key)), CHALLENGE)

    assert caught.value.code == "passkey.invalid"


@pytest.mark.parametrize("deep", [b"[" * 12_000, b'{"a":' * 2_000])
def test_reads_nothing_that_is_nested_without_end(deep: bytes) -> None:
    answer = made(Authenticator())
    answer["response"]["clientDataJSON"] = _encoded(deep)

    with pytest.raises(Refused) as caught:
        passkeys.challenge_of(answer)
    assert caught.value.code == "passkey.invalid"

    answer["response"]["attestationObject"] = _encoded(b"\x81" * 12_000)
    with pytest.raises(Refused) as caught:
        passkeys.registered(SITE, answer, CHALLENGE)
    assert caught.value.code == "passkey.invalid"


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.binary(max_size=60),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=8) | st.integers(-4, 4), inner, max_size=4)
    ),
    max_leaves=8,
)


@settings(max_examples=many(3))
@given(key=JUNK, at=st.integers(0, 200), byte=st.integers(0, 255))
def test_refuses_whatever_else_it_is_sent(key: object, at: int, byte: int) -> None:
    authenticator = Authenticator()
    whole = made(authenticator)
    statement = bytearray(_decoded(whole["response"]["attestationObject"]))
    statement[at % len(statement)] = byte
    flipped = {"attestationObject": _encoded(bytes(statement))}
    answers = [
        _with_key(whole, cbor2.dumps(key)),
        {**whole, "response": {**whole["response"], **flipped}},
        {
            **whole,
            "response": {**whole["response"], "attestationObject": _encoded(cbor2.dumps(key))},
        },
        {**whole, "response": key},
        {**whole, "rawId": key},
    ]
    for answer in answers:
        try:
            passkeys.registered(SITE, answer, CHALLENGE)
        except Refused as problem:
            assert problem.code == "passkey.invalid"  # noqa: PT017 - some changes do no harm


@settings(max_examples=many(3))
@given(
    name=st.sampled_from(["clientDataJSON", "authenticatorData", "signature", "userHandle"]),
    value=st.text(max_size=40) | st.none() | st.integers(),
)
def test_refuses_answers_that_mean_nothing(name: str, value: object) -> None:
    authenticator = Authenticator()
    passkey = kept(made(authenticator))
    answer = used(authenticator)
    answer["response"][name] = value

    for read in (
        lambda: passkeys.challenge_of(answer),
        lambda: passkeys.user_of(answer),
        lambda: passkeys.asserted(SITE, answer, CHALLENGE, passkey),
    ):
        try:
            read()
        except Refused as problem:
            assert problem.code == "passkey.invalid"  # noqa: PT017 - the others are untouched
    if name != "userHandle":
        with pytest.raises(Refused):
            passkeys.asserted(SITE, answer, CHALLENGE, passkey)
