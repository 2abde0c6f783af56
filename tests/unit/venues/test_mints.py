"""A pool knows what transfers of its tokens pay, or says why it does not trade."""

from typing import Final

import pytest
from tests.unit.venues import ground, minted

from quantdesk.chains.port import AccountState
from quantdesk.core.errors import Corrupt, DeskError, Refused, Unavailable
from quantdesk.venues.mints import NO_FEES, SLOTS_PER_EPOCH, UNTOLD, Mints
from quantdesk.venues.reading import TOKEN_2022, TOKEN_PROGRAM
from quantdesk.venues.transfer_fee import FREE, TransferFee

_FEE: Final = TransferFee(100, 5_000)
_LATER: Final = TransferFee(200, 7_000)
_PLAIN: Final = minted.mint(FREE)[:82]


def _mints(*programs: str) -> Mints:
    made = Mints("pool")
    made.follow(("A", "B"), programs)
    return made


def _other(slot: int) -> AccountState:
    return AccountState("vault", b"", "", slot)


def _reason(mints: Mints) -> DeskError:
    with pytest.raises(DeskError) as said:
        mints.fees()
    return said.value


def test_that_tokens_of_the_older_program_need_not_be_followed() -> None:
    mints = _mints(TOKEN_PROGRAM, TOKEN_PROGRAM)
    assert not mints.addresses
    assert mints.fees() == NO_FEES
    assert Mints("pool").fees() == NO_FEES


def test_that_a_token_2022_mint_is_waited_for_and_charges_what_it_says() -> None:
    mints = _mints(TOKEN_PROGRAM, TOKEN_2022)
    assert mints.addresses == ("B",)
    reason = _reason(mints)
    assert isinstance(reason, Unavailable)
    assert reason.code == "pool.incomplete"
    assert mints.update(minted.state("B", minted.mint(_FEE)))
    assert mints.fees() == (FREE, _FEE)
    assert mints.addresses == ("B",)


def test_that_the_newest_slot_of_any_account_tells_the_epoch() -> None:
    mints = _mints(TOKEN_2022, TOKEN_PROGRAM)
    mints.update(minted.state("A", minted.mint(_FEE, _LATER, since=3)))
    assert mints.fees() == (_FEE, FREE)
    for slot, fee in ((3 * SLOTS_PER_EPOCH - 1, _FEE), (3 * SLOTS_PER_EPOCH, _LATER), (9, _LATER)):
        assert not mints.update(_other(slot))
        assert mints.fees() == (fee, FREE)


@pytest.mark.parametrize(
    ("more", "kind", "code"),
    [(minted.HOOK, Refused, "pool.unsupported"), (minted.PAUSED, Unavailable, "pool.disabled")],
)
def test_that_a_mint_that_cannot_be_relied_on_is_said_to_be_so(
    more: bytes, kind: type[DeskError], code: str
) -> None:
    mints = _mints(TOKEN_2022, TOKEN_PROGRAM)
    mints.update(minted.state("A", minted.mint(_FEE, more=more)))
    reason = _reason(mints)
    assert isinstance(reason, kind)
    assert reason.code == code


@pytest.mark.parametrize(
    ("damaged", "code"),
    [
        (ground.missing("A"), "account.missing"),
        (minted.state("A", minted.mint(_FEE)[:-1]), "account.unreadable"),
        (minted.state("A", minted.mint(_FEE), owner=ground.OTHER), "account.foreign"),
        (minted.state("A", _PLAIN, owner=TOKEN_PROGRAM), "account.foreign"),
    ],
)
def test_that_an_unreadable_mint_stops_its_pool_until_it_is_readable(
    damaged: AccountState, code: str
) -> None:
    mints = _mints(TOKEN_2022, TOKEN_PROGRAM)
    mints.update(minted.state("A", minted.mint(_FEE)))
    with pytest.raises(Corrupt) as corrupt:
        mints.update(damaged)
    assert (corrupt.value.code, _reason(mints).code) == (code, "pool.incomplete")
    mints.update(minted.state("A", minted.mint(_LATER)))
    assert mints.fees() == (_LATER, FREE)


def test_that_a_program_that_is_no_token_program_is_not_supported() -> None:
    reason = _reason(_mints(TOKEN_PROGRAM, ground.OTHER))
    assert isinstance(reason, Refused)
    assert reason.code == "pool.unsupported"


def test_that_mints_of_an_untold_program_are_followed_until_it_is_known() -> None:
    mints = _mints(UNTOLD, UNTOLD)
    assert (mints.addresses, _reason(mints).code) == (("A", "B"), "pool.incomplete")
    mints.update(minted.state("A", _PLAIN, owner=TOKEN_PROGRAM))
    assert mints.addresses == ("B",)
    mints.tell("B", TOKEN_PROGRAM)
    assert not mints.addresses
    assert mints.fees() == NO_FEES
    mints.follow(("A", "B"))
    assert not mints.addresses
    assert mints.fees() == NO_FEES


def test_that_what_is_known_is_kept_of_tokens_that_stay_and_forgotten_of_others() -> None:
    mints = _mints(TOKEN_2022, TOKEN_2022)
    for at in ("A", "B"):
        mints.update(minted.state(at, minted.mint(_FEE)))
    mints.follow(("B", "C"), (TOKEN_2022, TOKEN_PROGRAM))
    assert mints.fees() == (_FEE, FREE)
    mints.follow(("A", "B"), (TOKEN_2022, TOKEN_2022))
    assert _reason(mints).code == "pool.incomplete"
