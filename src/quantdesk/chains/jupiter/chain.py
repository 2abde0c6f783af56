"""`Jupiter`: the chains port where another routes and lands, and the settling chain has the truth.

    prepare   ask for an order within the trade's bound → look through its transaction → try it on
              our own node → bound its life by our own node → sign, once nothing is left to ask
    send      let Jupiter land it, and where that is not sure, hand it to our own node; what Jupiter
              was given once goes there first from then on
    look, receipt, balances   the settling chain's

Jupiter lands a transaction by itself, when it likes, for as long as its blockhash lives, and its
word on what became of it is no proof. So nothing of that word is used: the transaction is named by
the wallet's signature, which is known before anything is sent, and the chain is asked for it. The
same bytes again are the same transaction, whoever sends them. Killed before the commit: nothing was
sent. Killed after it: the order's id and the transaction are both in the committed bytes.

What it cannot do: buy an exact amount (the API knows only exact input), carry the desk's memo, or
use routes that another wallet signs or pays for.

API: https://developers.jup.ag/docs/swap/order-and-execute
"""

from base64 import b64encode
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from msgspec.structs import replace

from quantdesk.chains.jupiter import contents
from quantdesk.chains.jupiter.answers import Order, amounts
from quantdesk.chains.jupiter.client import ROUTERS, Client
from quantdesk.chains.port import (
    Chain,
    Instruction,
    Receipt,
    Sighting,
    Simulation,
    Trade,
    Transaction,
    Wallet,
)
from quantdesk.core.assets import Asset
from quantdesk.core.errors import Refused, Unavailable
from quantdesk.core.markets import Side
from quantdesk.core.money import BPS

log = structlog.get_logger()

_DEFAULT_BPS: Final = 50
_SUCCESS: Final = "Success"
_NATIVE: Final = "SOL"
_DEVIATES: Final = "quote.deviates"
_GIVEN_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class Tried:
    """What a node says a transaction would do; `lost` are the mints of other assets it takes."""

    simulation: Simulation
    lost: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Node:
    """Our own view of the chain; nothing here may come from Jupiter.

    `trial` simulates an unsigned wire transaction as it is, blockhash included, on a node of ours
    and tells what the wallet would gain and give; it raises as `Chain.prepare`. `newest_height`
    returns the last valid height of the newest blockhash that node knows now; asked after a trial
    that took the transaction's blockhash, no block past it can hold the transaction.
    `fee_lamports_max` bounds what may be paid beside the trade.
    """

    trial: Callable[[Trade, bytes], Awaitable[Tried]]
    newest_height: Callable[[], Awaitable[int]]
    fee_lamports_max: int = 5_000_000


class Jupiter:
    """One wallet's swaps by Jupiter; `settles` is the chain they settle on, for the same wallet."""

    def __init__(
        self,
        *,
        client: Client,
        settles: Chain,
        node: Node,
        keypair: contents.Signer,
        wallet: Wallet,
    ) -> None:
        assert wallet.address == str(keypair.pubkey()), "the wallet is the key's"
        self._client = client
        self._settles = settles
        self._node = node
        self._keypair = keypair
        self._wallet = wallet
        self._given: dict[str, None] = {}  # signatures that Jupiter was given, the oldest first

    @property
    def poll_s(self) -> float:
        """Return the seconds between looks at transactions in flight."""
        return self._settles.poll_s

    async def prepare(self, trade: Trade, instructions: Sequence[Instruction]) -> Transaction:  # noqa: ARG002 the route is Jupiter's
        """Get an order within the trade's bound, look through it, try it, and sign.

        Raises `Refused` (`pool.unsupported` for a purchase, `route.unsupported`,
        `funds.insufficient`, `amount.too_small`, `simulation.failed`, `jupiter.refused`) or
        `Unavailable` (`slippage.exceeded`, `quote.deviates`, `jupiter.*`, what the node says).
        """
        if trade.side is not Side.SELL:
            raise Refused("Jupiter only sells exact amounts", code="pool.unsupported")
        order = await self._order(trade)
        made = contents.message(order.transaction or "", wallet=self._wallet.address)
        fees = contents.fees(made, wrapped=self._wallet.token_accounts[_NATIVE])
        if fees > self._node.fee_lamports_max:
            raise Unavailable(f"Jupiter's route costs {fees} lamports in fees", code=_DEVIATES)
        tried = await self._node.trial(trade, contents.unsigned(made))
        _check(trade, tried, fees=fees)
        height = await self._node.newest_height()  # only now: the trial took the blockhash
        raw = contents.signed(made, self._keypair)
        return Transaction(
            raw=contents.pack(order.request_id, raw),
            signature=contents.name(raw),
            last_valid_height=height,
            simulation=tried.simulation,
        )

    async def send(self, transaction: Transaction) -> None:
        """Let Jupiter land the bytes, or our node; doing it again is harmless.

        Raises `Unavailable` when neither took them.
        """
        if transaction.signature in self._given:
            try:
                await self._settles.send(_plain(transaction))
            except Unavailable:
                if not await self._landed(transaction):
                    raise
        elif not await self._landed(transaction):
            await self._settles.send(_plain(transaction))

    async def _landed(self, transaction: Transaction) -> bool:
        """Return whether Jupiter says that it landed the bytes."""
        request_id, raw = contents.unpack(transaction.raw)
        while len(self._given) >= _GIVEN_MAX:
            del self._given[next(iter(self._given))]
        self._given[transaction.signature] = None
        try:
            said = await self._client.execute(
                request_id=request_id,
                transaction=b64encode(raw).decode("ascii"),
                height=transaction.last_valid_height,
            )
        except (Unavailable, Refused) as problem:
            log.info("jupiter.silent", code=problem.code, signature=transaction.signature)
            return False
        if said.status != _SUCCESS:
            log.info("jupiter.failed", code=said.code, signature=transaction.signature)
        return said.status == _SUCCESS

    async def look(self, transactions: Sequence[Transaction]) -> list[Sighting]:
        """Return the fate of each, in order, as the settling chain tells it; raises as it does."""
        return await self._settles.look([_plain(transaction) for transaction in transactions])

    async def receipt(self, trade: Trade, transaction: Transaction) -> Receipt:
        """Return what a LANDED transaction moved; raises as the settling chain does."""
        return await self._settles.receipt(trade, _plain(transaction))

    async def balances(self, assets: Sequence[Asset]) -> dict[str, int]:
        """Return what the wallet holds, by symbol, in base units. Raises `Unavailable`."""
        return await self._settles.balances(assets)

    async def _order(self, trade: Trade) -> Order:
        """Return an order whose own bound keeps the trade's."""
        limit, expected = trade.quote_limit_raw, trade.expected_quote_raw
        slippage_bps = _slippage_bps(expected, limit) if expected else _DEFAULT_BPS
        for _ in range(2):  # the second with a bound made of what Jupiter itself promised
            order = await self._client.order(self._question(trade, slippage_bps))
            promised, least = amounts(order, trade)
            if promised < limit:
                break
            if least >= limit:
                return order
            slippage_bps = _slippage_bps(promised, limit)
        raise Unavailable("Jupiter's price is past the limit", code="slippage.exceeded")

    def _question(self, trade: Trade, slippage_bps: int) -> dict[str, str]:
        return {
            "inputMint": trade.base.mint,
            "outputMint": trade.quote.mint,
            "amount": str(trade.base_raw),
            "taker": self._wallet.address,
            "slippageBps": str(slippage_bps),
            "excludeRouters": ROUTERS,
        }


def _check(trade: Trade, tried: Tried, *, fees: int) -> None:
    base, quote = tried.simulation.base_raw, tried.simulation.quote_raw
    if base is None or quote is None:
        raise Unavailable("the node did not say what it moved", code="rpc.unreadable")
    if quote < trade.quote_limit_raw:
        raise Unavailable("The price moved past the limit.", code="slippage.exceeded")
    spare = fees if trade.base.symbol == _NATIVE else 0
    if base > trade.base_raw + spare or tried.lost:
        raise Refused("Jupiter's transaction takes more than was offered", code="route.unsupported")


def _slippage_bps(promised: int, limit: int) -> int:
    return max(0, (promised - limit) * BPS // promised) if promised else 0


def _plain(transaction: Transaction) -> Transaction:
    return replace(transaction, raw=contents.unpack(transaction.raw)[1])
