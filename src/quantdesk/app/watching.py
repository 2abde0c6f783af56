"""The floor of a process without a key: the same pools and prices, and nothing that could sign.

Nothing here, and nothing it loads, knows where keys are (`.importlinter`, contract of the wall).
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

from quantdesk.app import node
from quantdesk.app.background import Background
from quantdesk.app.discovery import Discovery
from quantdesk.app.localnet_operator import LocalnetOperator
from quantdesk.app.opened import Opened
from quantdesk.app.paper import open_paper
from quantdesk.app.pools import Ground, Knowledge, open_pools
from quantdesk.app.signing import Announcements
from quantdesk.app.sources import chance
from quantdesk.app.standing import flat, standing, trading
from quantdesk.chains.solana.chain import Solana
from quantdesk.chains.solana.keys import wallet
from quantdesk.chains.solana.rpc import Rpc
from quantdesk.engines.orders.quality.bias import Bias
from quantdesk.engines.orders.reference import Reference
from quantdesk.engines.orders.signing import Signing
from quantdesk.ops.tasks import Tasks
from quantdesk.settings import Settings

_POOLS_S = 10.0


@asynccontextmanager
async def open_watching(
    settings: Settings,
    announcements: Announcements,
    *,
    reference: Reference,
    bias: Bias,
    tasks: Tasks,
) -> AsyncIterator[Opened]:
    """Watch the floor that a worker trades on while the block runs.

    Raises `Unavailable` (`worker.absent`, `rpc.*`), `Refused` (`settings.invalid`,
    `solana.cluster`).
    """
    told = await announcements.look()
    async with AsyncExitStack() as stack:
        if settings.mode == "paper":
            opened = await stack.enter_async_context(
                open_paper(settings, reference=reference, clock=reference.clock)
            )
        else:
            background = Background(stack, tasks)
            opened = await _pools(stack, background, settings, told, reference, bias)
        venues = settings.guard.venues
        routing = opened.floor.routing
        # Names that no pool has are a rival floor's, which the worker knows and checks.
        yield replace(
            opened,
            floor=replace(
                opened.floor, routing=routing if venues is None else routing.only(venues)
            ),
            known_balances=announcements.balances,
            probes={**opened.probes, "worker": announcements.probe},
        )


async def _pools(
    stack: AsyncExitStack,
    background: Background,
    settings: Settings,
    told: Signing,
    reference: Reference,
    bias: Bias,
) -> Opened:
    local, clock = settings.mode == "localnet", reference.clock
    if not local:
        node.check_url(settings)
    rpc = await stack.enter_async_context(Rpc(url=told.rpc if local else settings.solana.rpc_url))
    ws = told.ws if local else node.ws(settings)
    if not local:
        await node.check_cluster(rpc, settings.mode)
    pools = await standing(rpc) if local else {}
    searched = rpc if local else await stack.enter_async_context(node.patient(settings))
    discovery = Discovery(searched, flat(pools), clock=clock)
    await discovery.search()
    owner = wallet(told.wallet)
    terms = replace(node.terms(settings), lookup_tables=told.tables)
    opened = await open_pools(
        background,
        Ground(
            rpc=rpc,
            ws=ws,
            chain=Solana(rpc=rpc, keypair=None, wallet=owner, clock=clock, terms=terms),
            wallet=owner,
            discovery=discovery,
        ),
        settings=settings,
        knowledge=Knowledge(board=reference.board, check_price=reference.check, bias=bias),
        clock=clock,
        jitter=chance(),
    )
    if not local:
        await node.quoting(discovery.venues, clock)
        urls = {"rpc": node.shown(settings.solana.rpc_url), "ws": node.shown(ws)}
        return replace(opened, urls=urls)
    await trading(discovery.venues, pools, clock=clock, within_s=_POOLS_S)
    operator = LocalnetOperator(await stack.enter_async_context(Rpc(url=told.rpc)))
    return replace(opened, urls={"rpc": told.rpc, "ws": told.ws}, operator=operator)
