"""A sealed secret opens under its own key, where it belongs, and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.access.sealing import Sealer, number_of
from quantdesk.core.errors import Corrupt

OLD, NEW = {1: bytes(32)}, {1: bytes(32), 2: bytes([7] * 32)}
secrets = st.binary(max_size=300)
abouts = st.text(max_size=40)


@given(secret=secrets, about=abouts)
def test_that_a_secret_opens_again(secret: bytes, about: str) -> None:
    sealer = Sealer(OLD)
    assert sealer.open(sealer.seal(secret, about=about), about=about) == secret


@given(secret=secrets, about=abouts)
def test_that_a_rewrapped_secret_opens_under_the_new_key_alone(secret: bytes, about: str) -> None:
    sealed = Sealer(OLD).seal(secret, about=about)
    moved = Sealer(NEW).rewrap(sealed, about=about)

    assert (number_of(sealed), number_of(moved)) == (1, 2)
    assert Sealer({2: NEW[2]}).open(moved, about=about) == secret
    with pytest.raises(Corrupt):
        Sealer(OLD).open(moved, about=about)


@given(secret=secrets, at=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_that_no_bit_can_be_changed(secret: bytes, at: int, bit: int) -> None:
    sealer = Sealer(NEW)
    sealed = bytearray(sealer.seal(secret, about="totp:1"))
    sealed[at % len(sealed)] ^= 1 << bit
    with pytest.raises(Corrupt) as caught:
        sealer.open(bytes(sealed), about="totp:1")
    assert caught.value.code == "secret.unreadable"


@given(cut=st.integers(0, 91))
def test_that_nothing_cut_short_opens(cut: int) -> None:
    sealer = Sealer(OLD)
    sealed = sealer.seal(b"", about="totp:1")
    assert len(sealed) == 92
    with pytest.raises(Corrupt):
        sealer.open(sealed[:cut], about="totp:1")


def test_that_a_secret_does_not_open_in_another_row() -> None:
    sealer = Sealer(OLD)
    sealed = sealer.seal(b"seed", about="totp:1")
    for use in (sealer.open, sealer.rewrap):
        with pytest.raises(Corrupt):
            use(sealed, about="totp:2")


def test_that_two_secrets_alike_do_not_look_alike() -> None:
    sealer = Sealer(OLD)
    assert sealer.seal(b"seed", about="totp:1")[4:] != sealer.seal(b"seed", about="totp:1")[4:]


def test_that_another_key_of_the_same_number_opens_nothing() -> None:
    sealed = Sealer(OLD).seal(b"seed", about="totp:1")
    with pytest.raises(Corrupt, match="another master key"):
        Sealer({1: bytes([9] * 32)}).open(sealed, about="totp:1")
