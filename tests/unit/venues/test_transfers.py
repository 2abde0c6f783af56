"""What leaves the wallet and arrives in it, around any pool."""

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.venues import minted

from quantdesk.core.errors import Refused
from quantdesk.core.money import ceil_div
from quantdesk.venues.port import Fill, Piece
from quantdesk.venues.transfer_fee import FREE, TransferFee
from quantdesk.venues.transfers import Transfers

_AMOUNTS = st.integers(1, 1 << 62) | st.integers(1, 1 << 20)
_HALF: Final = TransferFee(5_000, minted.U64_MAX)
_ALL: Final = TransferFee(10_000, minted.U64_MAX)


def _two_for_one(amount: int) -> Fill:
    """Return a trade at two for one, of which a tenth of what is paid is the pool's fee."""
    fee = amount // 10
    return Fill(amount, 2 * (amount - fee), fee, fee_on_input=True)


def _fee_on_output(amount: int) -> Fill:
    return Fill(amount, amount * 2 * 9 // 10, amount * 2 - amount * 2 * 9 // 10, fee_on_input=False)


def _costs(amount: int) -> Fill:
    paid = ceil_div(ceil_div(amount, 2) * 10, 9)
    return Fill(paid, amount, paid - ceil_div(amount, 2), fee_on_input=True)


def test_that_both_transfers_come_off_on_the_way() -> None:
    fill = Transfers(_HALF, TransferFee(100, 3)).exact_in(2_000, _two_for_one)
    # 1,000 arrive at the vault, 100 are its fee, 1,800 leave it, of which 3 are withheld.
    assert (fill.paid, fill.received) == (2_000, 1_797)
    assert fill.fee == 1_000 + 100 + 3 * 900 // 1_800
    assert fill.fee_on_input


def test_that_fees_of_either_token_are_told_in_that_of_the_pools_own() -> None:
    fill = Transfers(_HALF, TransferFee(100, 3)).exact_in(2_000, _fee_on_output)
    # 1,000 arrive and are worth 2,000: 1,800 leave the vault, and 1,797 arrive.
    assert (fill.paid, fill.received) == (2_000, 1_797)
    assert fill.fee == 1_000 * 2_000 // 1_000 + 200 + 3
    assert not fill.fee_on_input


def test_that_enough_is_sent_for_the_exact_amount_to_arrive() -> None:
    fill = Transfers(TransferFee(100, 5), _HALF).exact_out(900, _costs)
    assert (fill.paid, fill.received) == (1_005, 900)  # 1,800 leave the vault for 1,000


@given(
    transfers=st.builds(Transfers, minted.fees(), minted.fees()),
    amount=_AMOUNTS,
    on_output=st.booleans(),
)
def test_that_fees_are_what_is_missing_and_never_all(
    transfers: Transfers, amount: int, *, on_output: bool
) -> None:
    quote = _fee_on_output if on_output else _two_for_one
    arrived = transfers.paid.after(amount)
    if not arrived or not transfers.received.after(quote(arrived).received):
        with pytest.raises(Refused) as refused:
            transfers.exact_in(amount, quote)
        assert refused.value.code == "amount.too_small"
        return
    fill, traded = transfers.exact_in(amount, quote), quote(arrived)
    assert fill.paid == amount
    assert fill.received == transfers.received.after(traded.received) > 0
    whole = fill.paid if fill.fee_on_input else fill.received + fill.fee
    assert 0 <= fill.fee < whole
    if fill.fee_on_input:
        # Without fees the trade is at the pool's own price, but for the rounding of the fee.
        kept, own = fill.paid - fill.fee, traded.paid - traded.fee
        assert abs(kept * traded.received - fill.received * own) <= traded.received


@given(st.builds(Transfers, minted.fees(), minted.fees()), _AMOUNTS)
def test_that_exactly_what_was_asked_arrives_and_the_payment_suffices(
    transfers: Transfers, amount: int
) -> None:
    try:
        sent = transfers.received.before(amount)
        transfers.paid.before(_costs(sent).paid)
    except Refused:
        with pytest.raises(Refused) as refused:
            transfers.exact_out(amount, _costs)
        assert refused.value.code == "liquidity.insufficient"
        return
    fill = transfers.exact_out(amount, _costs)
    assert fill.received == amount == transfers.received.after(sent)
    assert transfers.paid.after(fill.paid) == _costs(sent).paid
    assert transfers.exact_in(fill.paid, _two_for_one).received >= amount


@pytest.mark.parametrize("transfers", [Transfers(_ALL, FREE), Transfers(FREE, _ALL)])
def test_that_nothing_is_traded_where_transfers_take_all(transfers: Transfers) -> None:
    with pytest.raises(Refused) as refused:
        transfers.exact_in(10**9, _two_for_one)
    assert refused.value.code == "amount.too_small"
    with pytest.raises(Refused) as refused:
        transfers.exact_out(10**9, _costs)
    assert refused.value.code == "liquidity.insufficient"


def test_that_no_transfer_holds_more_than_64_bits() -> None:
    with pytest.raises(Refused) as refused:
        Transfers(_HALF, FREE).exact_in(1 << 64, _two_for_one)
    assert refused.value.code == "liquidity.insufficient"


def test_that_without_fees_the_pool_alone_answers() -> None:
    free = Transfers(FREE, FREE)
    assert free.exact_in(7, _two_for_one) == _two_for_one(7)
    assert free.exact_out(7, _costs) == _costs(7)
    pieces = [Piece(1.0, 1.0, 1.0)]
    assert free.curve(pieces) is pieces
