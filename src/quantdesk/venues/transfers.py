"""A trade of tokens whose transfers pay a fee: what leaves the wallet and what arrives in it; pure.

A pool counts what reaches its vault and what leaves it. Of what a trader pays, the fee of the
transfer to the vault is missing there; of what the pool gives, that of the transfer to the trader
is missing in the wallet. Every program this desk trades with does the same sums around its swap:
exact in, the fee comes off what is paid and then off what is given; exact out, both are raised to
what must be sent so that enough arrives.
Sources: https://github.com/raydium-io/raydium-cp-swap (instructions/swap_base_input.rs,
swap_base_output.rs) · https://github.com/raydium-io/raydium-clmm (instructions/swap_v2.rs) ·
https://github.com/MeteoraAg/dlmm-sdk (commons/src/quote.rs) ·
https://github.com/MeteoraAg/damm-v2 (instructions/swap/swap_exact_in.rs, swap_exact_out.rs).
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from quantdesk.core.errors import Refused
from quantdesk.venues.netting import netted
from quantdesk.venues.port import Fill, Piece
from quantdesk.venues.transfer_fee import FREE, TransferFee

Quote = Callable[[int], Fill]
"""What a pool trades for an amount at its vaults."""


class Transfers(NamedTuple):
    """What the two transfers of a trade pay: of the token paid, and of the token received."""

    paid: TransferFee
    received: TransferFee

    def exact_in(self, amount: int, quote: Quote) -> Fill:
        """Return the trade in which exactly `amount` leaves the wallet.

        Raises what `quote` raises, and `Refused`: `amount.too_small` when nothing arrives,
        `liquidity.insufficient` past what a transfer can hold.
        """
        if self == _NO_FEES:
            return quote(amount)
        if amount >= _U64:
            raise Refused(
                f"{amount} base units are more than a transfer can hold",
                code="liquidity.insufficient",
            )
        arrived = self.paid.after(amount)
        if amount and not arrived:
            raise _nothing()
        traded = quote(arrived)
        received = self.received.after(traded.received)
        if not received:
            raise _nothing()
        return self._fill(traded, paid=amount, received=received)

    def exact_out(self, amount: int, quote: Quote) -> Fill:
        """Return the trade in which exactly `amount` arrives in the wallet.

        Raises what `quote` raises, and `Refused` (`liquidity.insufficient`) when no transfer can
        hold what would have to be sent.
        """
        if self == _NO_FEES:
            return quote(amount)
        traded = quote(self.received.before(amount))
        return self._fill(traded, paid=self.paid.before(traded.paid), received=amount)

    def curve(self, pieces: Sequence[Piece]) -> Sequence[Piece]:
        """Return a pool's curve as the wallet sees it.

        It promises no less than `exact_in` gives, and more only near where a fee reaches its most.
        """
        return netted(netted(pieces, self.paid, on_paid=True), self.received, on_paid=False)

    def _fill(self, traded: Fill, *, paid: int, received: int) -> Fill:
        """Return the trade of the wallet; its `fee` is the pool's and those of both transfers.

        What is taken of the other token is told at the price of the trade, fees left out.
        """
        ahead, behind = paid - traded.paid, traded.received - received
        if traded.fee_on_input:
            worth = behind * (traded.paid - traded.fee) // traded.received
            fee = ahead + traded.fee + worth
        else:
            worth = ahead * (traded.received + traded.fee) // traded.paid
            fee = behind + traded.fee + worth
        return traded._replace(paid=paid, received=received, fee=fee)


_U64: Final = 1 << 64
_NO_FEES: Final = Transfers(FREE, FREE)


def _nothing() -> Refused:
    return Refused("the fees of its transfers leave nothing of the amount", code="amount.too_small")
