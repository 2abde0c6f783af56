"""Codes of an app: the RFC's own numbers, one step of drift and no more."""

import base64
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyotp import TOTP

from quantdesk.access.factors import drawn, recovery, totp

SEED = base64.b32encode(b"12345678901234567890").decode()
STEPS = st.integers(min_value=1, max_value=(1 << 38))

# RFC 6238, appendix B, SHA-1; the last six of its eight digits.
VECTORS = [
    (59, "287082"),
    (1111111109, "081804"),
    (1111111111, "050471"),
    (1234567890, "005924"),
    (2000000000, "279037"),
    (20000000000, "353130"),
]


@pytest.mark.parametrize(("second", "digits"), VECTORS)
def test_knows_the_codes_of_the_rfc(second: int, digits: str) -> None:
    assert totp.matching_step(SEED, digits, now_ms=second * 1000) == second // 30


@given(step=STEPS, off=st.integers(min_value=-3, max_value=3), ms=st.integers(0, 29_999))
def test_takes_a_code_of_a_neighboring_step_and_no_other(step: int, off: int, ms: int) -> None:
    digits = TOTP(SEED).generate_otp(max(step + off, 0))
    matching = totp.matching_step(SEED, digits, now_ms=step * totp.STEP_MS + ms)

    near = {TOTP(SEED).generate_otp(max(step + near, 0)) for near in (-1, 0, 1)}
    assert (matching is not None) == (digits in near)
    if abs(off) <= 1:
        assert matching is not None
        assert TOTP(SEED).generate_otp(matching) == digits
        assert matching >= step + off


@given(digits=st.text(max_size=12))
def test_takes_no_other_text(digits: str) -> None:
    right = {TOTP(SEED).generate_otp(step) for step in (999, 1000, 1001)}

    assert (totp.matching_step(SEED, digits, now_ms=30_000_000) is None) == (digits not in right)


def test_links_to_the_seed_as_apps_read_it() -> None:
    link = urlsplit(totp.link(SEED, name="ann@desk.example", issuer="QuantDesk"))

    assert (link.scheme, link.netloc, link.path) == (
        "otpauth",
        "totp",
        "/QuantDesk:ann%40desk.example",
    )
    assert parse_qs(link.query) == {"secret": [SEED], "issuer": ["QuantDesk"]}


def test_draws_seeds_and_codes_that_differ() -> None:
    seeds = {drawn.seed() for _ in range(50)}
    codes = {code for _ in range(5) for code in drawn.recovery_codes()}

    assert (len(seeds), len(codes)) == (50, 50)
    assert {len(base64.b32decode(seed)) for seed in seeds} == {20}
    assert {len(code.replace("-", "")) for code in codes} == {16}


@given(gaps=st.lists(st.sampled_from(["", " ", "-", "\t"]), min_size=16, max_size=16))
def test_reads_a_recovery_code_however_it_was_typed(gaps: list[str]) -> None:
    typed = "".join(letter + gap for letter, gap in zip("ABCDEFGHIJKLMNOP", gaps, strict=True))

    assert recovery.digest(typed) == recovery.digest("abcd-efgh-ijkl-mnop")
    assert recovery.digest(typed + "q") != recovery.digest("abcd-efgh-ijkl-mnop")
