"""No secret reaches a line of the log or an error's words, by whichever door it comes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import OctKey
from solders.keypair import Keypair

from quantdesk.access.keys import new_key
from quantdesk.api import problems
from quantdesk.core.errors import Refused
from quantdesk.settings import Settings
from quantdesk.telemetry.hiding import secrets_of
from quantdesk.telemetry.redaction import HIDDEN, Redaction, is_secret, redaction

PLANTING = Path(__file__).with_name("planting.py")
KEY = new_key()
TOKEN = jwt.encode({"alg": "HS256"}, {"sub": "ann"}, OctKey.import_key(b"k" * 32))
WALLET = Keypair.from_seed(bytes(range(32)))
WALLET_TEXT = str(WALLET)
WALLET_JSON = json.dumps(list(bytes(WALLET)))
PEM = (
    Ed25519PrivateKey.from_private_bytes(bytes(32))
    .private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    .decode()
)
READING = (
    "import sys; from quantdesk.telemetry.redaction import redaction;"
    "redaction.text(sys.stdin.read())"
)
FORMLESS = "correct-horse-battery"
PLANTED = {
    # what is said: what of it must not be read
    KEY: KEY,
    f"qd_refresh_{KEY[3:]}": KEY[3:],
    TOKEN: TOKEN.split(".")[1],
    WALLET_TEXT: WALLET_TEXT,
    WALLET_JSON: WALLET_JSON[1:-1],
    PEM: PEM.splitlines()[1],
    PEM[:60]: PEM.splitlines()[1][:20],
    # pragma: allowlist nextline secret
    "https://ann:hunter2hunter@node/x": "hunter2hunter",
    "postgres://desk:pa%40ss:word@db:5432/desk": "pa%40ss",
    "https://node/?api-key=abc123def&x=1": "abc123def",
    "wss://node/ws?token=abc123def": "abc123def",
    "GET /callback?state=s1&code=4/0AbCd": "4/0AbCd",
    # pragma: allowlist nextline secret
    "https://hooks.slack.com/services/T0/B0/aB3dE6gH9jK2mN5pQ8sT1vW4": "aB3dE6gH9",
    "https://node.example/v2/0123456789abcdef0123456789abcdef/x": "0123456789abcdef",
    f"Authorization: Bearer {'x' * 12}9": "x" * 12,
    "authorization: opaque-value-77": "opaque-value-77",
    "Authorization: Basic YW5uOmh1bnRlcjI=": "YW5uOmh1bnRlcjI",
    "(b'authorization', b'Bearer opaque-value-78')": "opaque-value-78",
    "Cookie: qd_session=opaque79; other=opaque80": "opaque80",
    "{'set-cookie': 'qd_session=opaque81; HttpOnly'}": "opaque81",
    'passphrase="two words"': "two words",
    '{"password": "hun\\"ter3", "a": 1}': "ter3",
    "api_key=opaque82": "opaque82",
    "X-CSRF-Token: opaque83": "opaque83",
    "client_secret: opaque84": "opaque84",
    f"it was {FORMLESS}!": FORMLESS,
}
PLAIN = (
    "sign in, or send Authorization: Bearer <API key>; the owner's is in owner.key",
    "the passphrase does not open this wallet",
    "no key at /data/owner.key: No such file or directory",
    "http://127.0.0.1:4000/api/orders/0191e0a0-1111-7000-8000-0123456789ab",
    "https://HOST/v1/markets?pair=SOL-USDC",
    "mint EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v",
    f"transaction {WALLET.sign_message(b'x')}",
    "[1, 2, 3]",
    "basic checks, bearer of news",
    "token_account 7fUAJdStEuGbc3sM84cKRL6yYaaSstyLSU4ve5oovLS7",
    "x\n\ty",
)


def planted() -> str:
    return json.dumps({"secrets": list(PLANTED), "hidden": [FORMLESS]})


def check(said: str) -> None:
    for secret in PLANTED.values():
        for written in (secret, json.dumps(secret)[1:-1], repr(secret)[1:-1]):
            assert written not in said, f"{written} was said"
    for door in ("value", "nested", "bytes", "object", "bound", "context", "exception", "last"):
        assert f"plant.{door}" in said
    for trace in ("RuntimeError", "ValueError", "asyncio", "uvicorn.error", "py.warnings"):
        assert trace in said


def test_that_no_door_of_the_log_tells_a_secret() -> None:
    ran = subprocess.run(
        [sys.executable, str(PLANTING)],
        input=planted(), text=True, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert ran.returncode == 1
    assert ran.stdout == ""
    check(ran.stderr)
    assert ran.stderr.count('"plant.value"') == len(PLANTED)
    assert '"log.unwritable"' in ran.stderr


def test_that_a_terminal_is_not_told_either() -> None:
    main, other = os.openpty()
    with os.fdopen(other, "wb") as terminal:
        program = subprocess.Popen(
            [sys.executable, str(PLANTING)], stdin=subprocess.PIPE, stderr=terminal
        )
        assert program.stdin is not None
        program.stdin.write(planted().encode())
        program.stdin.close()
    said = b""
    while chunk := _read(main):
        said += chunk
    os.close(main)
    assert program.wait(30) == 1
    check(said.decode().replace("\r\n", "\n"))


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 1 << 16)
    except OSError:  # the other end is closed
        return b""


@pytest.mark.parametrize("said", PLANTED)
def test_that_a_secret_goes_and_the_rest_stays(said: str) -> None:
    own = Redaction()
    own.hide(FORMLESS)
    told = own.text(f"before {said} after")
    assert PLANTED[said] not in told
    assert HIDDEN in told
    assert told.startswith("before ")
    assert own.text(told) == told


@pytest.mark.parametrize("said", PLAIN)
def test_that_what_is_no_secret_stays(said: str) -> None:
    assert redaction.text(said) == said


@pytest.mark.parametrize(
    "name",
    ["password", "Authorization", "Set-Cookie", "csrfToken", "refresh_token", "apiKey", "x_token",
     "client_secret", "passphrase", "totp", "ticket", "HTTP_COOKIE", "seed"],
)  # fmt: skip
def test_that_a_value_of_a_secret_name_goes(name: str) -> None:
    assert is_secret(name)
    for value in ("x", b"x", 7, ["x"], {"a": "x"}):
        assert redaction.value({name: value}) == {name: HIDDEN}
    assert redaction.value([(name.encode(), b"x")]) == [[name, HIDDEN]]


@pytest.mark.parametrize(
    "name", ["tokens", "token_account", "key", "key_id", "signature", "code", "secret_file", "path"]
)
def test_that_other_names_keep_their_values(name: str) -> None:
    assert not is_secret(name)


@given(st.text(), st.sampled_from(sorted(PLANTED)), st.text())
def test_that_whatever_stands_around_it_hides_nothing(before: str, said: str, after: str) -> None:
    own = Redaction()
    own.hide(FORMLESS)
    assert PLANTED[said] not in own.text(f"{before} {said} {after}")


@given(st.text(max_size=2000))
def test_that_nothing_steers_a_terminal(said: str) -> None:
    told = redaction.text(said)
    assert not any(ord(letter) < 32 and letter not in "\n\t" for letter in told)
    assert not any(127 <= ord(letter) < 160 for letter in told)


@pytest.mark.parametrize(
    "unit",
    # pragma: allowlist nextline secret
    ["a://", "eyJaaaa.", "[1,", "qd_", "key=", "-----BEGIN PRIVATE KEY", 'password="\\', "cookie:",
     "0", "-", "_", "A1-", "x-", "a.", "a+", "https://", "https://a/", "token", "token "],
)  # fmt: skip
def test_that_a_hostile_text_takes_no_time(unit: str) -> None:
    said = "a token: " + unit * (512 * 1024 // len(unit))
    ran = subprocess.run(
        [sys.executable, "-c", READING], input=said, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0


def test_that_problem_bodies_tell_no_secret() -> None:
    for said, secret in PLANTED.items():
        if secret == FORMLESS:
            continue
        _, body = problems.body(Refused(f"wrong: {said}", code="x.y"), request_id="1")
        assert secret not in json.loads(body)["detail"]


def test_that_the_settings_secrets_are_known() -> None:
    told = {
        # pragma: allowlist nextline secret
        "database_url": "postgres://desk:pass%20word@db/desk",
        "jupiter": {"api_key": "jupiter-key"},
        "binance": {"key": "binance-key", "secret_file": "/etc/x"},
        "sources": {"pyth_key": "pyth-key"},
        "news": {"x_token": "x-token", "reddit_client_secret": "reddit-secret"},
        # pragma: allowlist nextline secret
        "notices": {"webhook_url": "https://a:hook-word@h/", "slack_url": "https://s/T/B/x"},
        "api": {"tls_key": "/etc/tls.key"},
    }
    assert secrets_of(Settings.model_validate(told)) == {
        "pass%20word", "pass word", "jupiter-key", "binance-key", "pyth-key", "x-token",
        "reddit-secret", "https://a:hook-word@h/",  # pragma: allowlist secret
        "hook-word", "https://s/T/B/x",
    }  # fmt: skip
