"""Jupiter as a rival of the pools: for the same wallet, settled on the same chain.

a sale is to be routed → ask Jupiter what that size brings → its venue knows, for two seconds
"""

from collections.abc import Sequence
from contextlib import AsyncExitStack

from quantdesk.chains.jupiter import Client, Jupiter
from quantdesk.chains.jupiter.chain import Node, Tried
from quantdesk.chains.port import Instruction, Priority, Trade
from quantdesk.chains.solana.chain import Solana
from quantdesk.chains.solana.keys import Signer
from quantdesk.core.assets import ASSETS
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Refused, Unavailable
from quantdesk.core.markets import Side
from quantdesk.engines.orders.floor import AskPrice, Floor
from quantdesk.engines.orders.routing import Routing, Rules, Wanted
from quantdesk.settings import JupiterSettings
from quantdesk.venues.jupiter import Asked
from quantdesk.venues.jupiter import Jupiter as JupiterVenue
from quantdesk.venues.jupiter.venue import Told

NAME = "jupiter"
_TIMEOUT_S = 1.5  # an order waits for its answer
_FEE_LAMPORTS_MAX = 5_000_000
_SOL = ASSETS["SOL"].mint


async def open_jupiter(
    stack: AsyncExitStack,
    settings: JupiterSettings,
    *,
    pools: Floor,
    chain: Solana,
    signer: Signer,
    clock: Clock,
) -> Floor:
    """Return the floor; its session is open until the stack unwinds."""
    client = await stack.enter_async_context(
        Client(
            url=settings.url,
            clock=clock,
            api_key=settings.api_key or None,
            timeout_s=_TIMEOUT_S,
        )
    )
    executes = Jupiter(
        client=client,
        settles=chain,
        node=node_of(chain),
        keypair=signer,
        wallet=pools.wallet,
    )
    return floor_of(executes, client, pools=pools, clock=clock)


def floor_of(executes: Jupiter, client: Client, *, pools: Floor, clock: Clock) -> Floor:
    """Return the floor of a wallet that trades by Jupiter beside its pools."""
    venue = JupiterVenue()
    return Floor(
        chain=executes,
        routing=Routing([venue], rules=Rules(legs_max=1)),
        wallet=pools.wallet,
        check_price=pools.check_price,
        network_fee_lamports=pools.network_fee_lamports,
        priority_lamports=_told_lamports,
        name=NAME,
        worth=pools.worth,
        holds=pools.holds,
        ask=asking(venue, client, clock=clock),
    )


def asking(venue: JupiterVenue, client: Client, *, clock: Clock) -> AskPrice:
    """Return what asks for the price of a sale; a purchase is not asked for."""

    async def ask(wanted: Wanted) -> None:
        if wanted.side is not Side.SELL:
            return
        market = wanted.market
        asked = Asked(market.base.mint, market.quote.mint, wanted.base_raw)
        try:
            said = await client.quote(paid=asked.paid, received=asked.received, amount=asked.amount)
            told = Told(said.received, said.fee_bps, said.impact, said.lamports)
        except (Refused, Unavailable) as problem:
            venue.answered(asked, problem, at_ms=clock.now_ms())
        else:
            venue.answered(asked, told, at_ms=clock.now_ms())

    return ask


def node_of(chain: Solana) -> Node:
    """Return our own node's view of what Jupiter built."""

    async def trial(trade: Trade, raw: bytes) -> Tried:
        seen, lost = await chain.try_foreign(trade, raw)
        # Fees are in SOL, and bounded by the executor itself.
        spared = {_SOL: _FEE_LAMPORTS_MAX}
        return Tried(seen, tuple(m for m, amount in lost.items() if amount > spared.get(m, 0)))

    return Node(trial=trial, newest_height=chain.newest_height, fee_lamports_max=_FEE_LAMPORTS_MAX)


async def _told_lamports(steps: Sequence[Instruction], _: int, __: Priority | None) -> int:
    return sum(int(step.data) for step in steps)
