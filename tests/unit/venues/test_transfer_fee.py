"""Transfer fees round as Token-2022 does; mints whose transfers cannot be relied on are refused.

The real program's own answers: tests/programs/test_transfer_fee.py.
"""

import struct
from typing import Final

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from quantdesk.chains.port import AccountState
from quantdesk.core.errors import Corrupt, Refused, Unavailable
from quantdesk.venues.reading import TOKEN_2022, TOKEN_PROGRAM
from quantdesk.venues.transfer_fee import FREE, Mint, TransferFee, mint

_U64: Final = (1 << 64) - 1
_AMOUNTS: Final = st.integers(0, _U64) | st.integers(0, 20_000)
_FEES: Final = st.builds(TransferFee, bps=st.integers(0, 10_000), most=_AMOUNTS)
_KEY: Final = bytes(range(32))


@given(_FEES, _AMOUNTS)
def test_that_a_fee_is_the_rate_rounded_up_and_never_more_than_the_most(
    fee: TransferFee, sent: int
) -> None:
    taken = fee.on(sent)
    assert taken <= min(fee.most, sent)
    assert taken == fee.most or taken * 10_000 >= sent * fee.bps > (taken - 1) * 10_000
    assert fee.after(sent) + taken == sent


@given(_FEES, _AMOUNTS)
def test_that_what_is_sent_is_the_least_that_arrives_in_full(
    fee: TransferFee, received: int
) -> None:
    try:
        sent = fee.before(received)
    except Refused:
        assert fee.after(_U64) < received
        return
    assert fee.after(sent) == received
    assert not sent or fee.after(sent - 1) < received


@given(_FEES, _AMOUNTS, _AMOUNTS)
def test_that_sending_more_never_brings_less(fee: TransferFee, one: int, other: int) -> None:
    less, more = sorted((one, other))
    assert fee.after(less) <= fee.after(more)


@given(_FEES, _AMOUNTS)
def test_that_sending_for_what_arrives_never_takes_more(fee: TransferFee, sent: int) -> None:
    arrived = fee.after(sent)
    assume(arrived)
    assert fee.before(arrived) <= sent


@pytest.mark.parametrize(
    ("bps", "most", "sent", "arrives"),
    [
        (0, 5_000, 1_000, 1_000),
        (1, 5_000, 1, 0),  # any part of a unit is a unit
        (100, 5_000, 10_000, 9_900),
        (100, 5_000, 10_001, 9_900),
        (100, 5_000, 500_000, 495_000),  # the most, reached
        (100, 5_000, 500_100, 495_100),  # and kept
        (10_000, 5_000, 5_000, 0),
        (10_000, 5_000, 5_001, 1),
        (10_000, _U64, _U64, 0),
        (250, 0, 10_000, 10_000),
    ],
)
def test_that_a_fee_is_taken_as_written(bps: int, most: int, sent: int, arrives: int) -> None:
    assert TransferFee(bps, most).after(sent) == arrives


@pytest.mark.parametrize(
    ("bps", "most", "received", "sent"),
    [
        (1_000, _U64, 9, 10),  # of 10 and 11, which both bring 9, the smaller
        (10_000, 5_000, 1, 5_001),
        (100, 5_000, 495_000, 500_000),
        (100, 5_000, 495_100, 500_100),
        (10_000, _U64, 0, 0),
    ],
)
def test_that_the_least_is_sent(bps: int, most: int, received: int, sent: int) -> None:
    assert TransferFee(bps, most).before(received) == sent


@pytest.mark.parametrize(
    "fee", [TransferFee(1, _U64), TransferFee(10_000, 1), TransferFee(1, 1)], ids=str
)
def test_that_no_transfer_brings_more_than_64_bits_after_the_fee(fee: TransferFee) -> None:
    with pytest.raises(Refused) as refused:
        fee.before(_U64)
    assert refused.value.code == "liquidity.insufficient"


def _base(decimals: int = 6, *, initialized: int = 1) -> bytes:
    return bytes(36) + struct.pack("<QBB", 10**12, decimals, initialized) + bytes(36)


def _extension(kind: int, value: bytes) -> bytes:
    return struct.pack("<2H", kind, len(value)) + value


def _fees(older: TransferFee, newer: TransferFee, newer_from: int) -> bytes:
    value = bytes(72)
    value += struct.pack("<2QH", 0, older.most, older.bps)
    value += struct.pack("<2QH", newer_from, newer.most, newer.bps)
    return _extension(1, value)


def _state(data: bytes, owner: str = TOKEN_2022) -> AccountState:
    return AccountState(address="mint", data=data, owner=owner, slot=1)


def _mint(*extensions: bytes, after: bytes = b"") -> Mint:
    return mint(_state(_base() + bytes(83) + b"\1" + b"".join(extensions) + after))


@pytest.mark.parametrize("program", [TOKEN_PROGRAM, TOKEN_2022])
def test_that_a_plain_mint_charges_nothing(program: str) -> None:
    found = mint(_state(_base(9), program))
    assert found == Mint(address="mint", program=program, decimals=9)
    assert found.fee(0) == FREE
    assert found.fee(0).after(_U64) == found.fee(0).before(_U64) == _U64


def test_that_the_newer_fee_counts_from_its_epoch_on() -> None:
    older, newer = TransferFee(100, 5), TransferFee(200, 7)
    found = _mint(_fees(older, newer, 20))
    assert [found.fee(epoch) for epoch in (0, 19, 20, 21)] == [older, older, newer, newer]
    assert (found.program, found.decimals) == (TOKEN_2022, 6)


_PERMANENT_DELEGATE: Final = _extension(12, _KEY)
_NO_HOOK: Final = _extension(14, _KEY + bytes(32))
_HOOK: Final = _extension(14, bytes(32) + _KEY)
_RUNNING: Final = _extension(26, _KEY + b"\0")
_PAUSED: Final = _extension(26, _KEY + b"\1")


@pytest.mark.parametrize(
    "extension",
    [
        _PERMANENT_DELEGATE,
        _NO_HOOK,
        _RUNNING,
        _extension(3, _KEY),
        _extension(4, bytes(65)),
        _extension(6, b"\1"),
        _extension(10, bytes(52)),
        _extension(16, bytes(129)),
        _extension(18, bytes(64)),
        _extension(19, bytes(200)),
        _extension(25, bytes(56)),
    ],
    ids=lambda extension: str(extension[0]),
)
def test_that_an_extension_that_leaves_transfers_alone_is_allowed(extension: bytes) -> None:
    fee = TransferFee(100, 5)
    assert _mint(extension, _fees(fee, fee, 0)).fee(3) == fee
    assert _mint(_fees(fee, fee, 0), extension).fee(3) == fee


@pytest.mark.parametrize(
    "extension",
    [_HOOK, _extension(6, b"\2"), _extension(9, b""), _extension(24, bytes(196)),
     _extension(2, bytes(8)), _extension(29, b""), _extension(65_535, b"")],
    ids=lambda extension: str(extension[0]),
)  # fmt: skip
def test_that_a_mint_whose_transfers_cannot_be_relied_on_is_unsupported(extension: bytes) -> None:
    for found in (_mint(extension), _mint(_RUNNING, extension), _mint(extension, _PAUSED)):
        with pytest.raises(Refused) as refused:
            found.fee(0)
        assert refused.value.code == "pool.unsupported"


def test_that_a_paused_mint_comes_back() -> None:
    with pytest.raises(Unavailable) as reason:
        _mint(_PAUSED).fee(0)
    assert reason.value.code == "pool.disabled"
    assert _mint(_RUNNING).fee(0) == FREE


@pytest.mark.parametrize("after", [b"", b"\0", bytes(3), bytes(50), b"\7"])
def test_that_empty_room_behind_the_extensions_says_nothing(after: bytes) -> None:
    fee = TransferFee(100, 5)
    assert _mint(_fees(fee, fee, 0), after=after).fee(0) == fee


def test_that_of_two_extensions_of_a_type_the_first_counts_as_for_the_program() -> None:
    first, second = TransferFee(100, 5), TransferFee(200, 7)
    assert _mint(_fees(first, first, 0), _fees(second, second, 0)).fee(0) == first


_OVER: Final = TransferFee(10_001, 5)
_EXTENDED: Final = _base() + bytes(83) + b"\1"


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (_state(b"", ""), "account.missing"),
        (_state(_base(), "another program"), "account.foreign"),
        (_state(_base()[:-1]), "account.unreadable"),
        (_state(_base(initialized=0)), "account.unreadable"),
        (_state(_base() + bytes(84)), "account.unreadable"),  # of no type
        (_state(_base() + bytes(83) + b"\2"), "account.unreadable"),  # a token account
        (_state(_base() + bytes(83)), "account.unreadable"),  # cut off
        (_state(_base() + b"\1" + bytes(82) + b"\1"), "account.unreadable"),
        (_state(_EXTENDED, TOKEN_PROGRAM), "account.unreadable"),  # it knows no extensions
        (_state(_EXTENDED.ljust(355, b"\0")), "account.unreadable"),  # a multisig's length
        (_state(_EXTENDED + b"\1\0"), "account.unreadable"),
        (_state(_EXTENDED + _extension(12, _KEY)[:-1]), "account.unreadable"),
        (_state(_EXTENDED + _extension(1, bytes(107))), "account.unreadable"),
        (_state(_EXTENDED + _extension(26, _KEY)), "account.unreadable"),
        (_state(_EXTENDED + _fees(_OVER, FREE, 0)), "account.unreadable"),
        (_state(_EXTENDED + _fees(FREE, _OVER, 0)), "account.unreadable"),
    ],
)
def test_that_no_mint_is_refused_by_name(state: AccountState, code: str) -> None:
    with pytest.raises(Corrupt) as corrupt:
        mint(state)
    assert corrupt.value.code == code
