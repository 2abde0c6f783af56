"""Challenges are good for one purpose, for five minutes, and only if this desk made them."""

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.access.factors.challenges import LIFETIME_MS, Challenges
from quantdesk.core.errors import Refused
from quantdesk.testing.clock import ManualClock

KEY = bytes(range(32))


def test_knows_its_own_again_until_they_expire() -> None:
    clock = ManualClock()
    made = Challenges(KEY, clock=clock)
    challenge = made.make("mfa:1")

    assert made.check(challenge, "mfa:1") == clock.now_ms() + LIFETIME_MS
    assert Challenges(KEY, clock=clock).check(challenge, "mfa:1"), "another process has the key too"

    anyio.run(clock.advance, LIFETIME_MS / 1000 - 0.001)
    assert made.check(challenge, "mfa:1")
    anyio.run(clock.advance, 0.001)
    with pytest.raises(Refused, match="too old"):
        made.check(challenge, "mfa:1")


@pytest.mark.parametrize("purpose", ["mfa:2", "sign_in", "", "mfa:1 "])
def test_refuses_another_purpose(purpose: str) -> None:
    made = Challenges(KEY, clock=ManualClock())

    with pytest.raises(Refused) as caught:
        made.check(made.make("mfa:1"), purpose)

    assert caught.value.code == "challenge.invalid"


@given(at=st.integers(0, 55), bit=st.integers(0, 7), cut=st.integers(0, 55))
def test_refuses_any_change(at: int, bit: int, cut: int) -> None:
    made = Challenges(KEY, clock=ManualClock())
    challenge = bytearray(made.make("sign_in"))
    short = bytes(challenge[:cut])
    challenge[at] ^= 1 << bit

    for changed in (bytes(challenge), short, bytes(challenge) + b"\0"):
        with pytest.raises(Refused) as caught:
            made.check(changed, "sign_in")
        assert caught.value.code == "challenge.invalid"


def test_refuses_those_of_another_desk() -> None:
    clock = ManualClock()

    with pytest.raises(Refused):
        Challenges(KEY, clock=clock).check(Challenges(bytes(32), clock=clock).make("a"), "a")
