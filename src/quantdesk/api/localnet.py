"""The localnet's switches over HTTP: faults for rehearsals, and tokens out of nothing.

They are there on every desk and refuse where there is no localnet: real chains have neither.
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Annotated, Any, Final, Protocol

import msgspec
from fastapi import APIRouter
from fastapi.responses import Response
from starlette.requests import Request

from quantdesk.access.acts import Act
from quantdesk.access.audit import store as audit
from quantdesk.access.model import Permission
from quantdesk.access.wallets import addresses
from quantdesk.access.wallets.model import ChainName
from quantdesk.api.answers import json, returns
from quantdesk.api.bodies import body
from quantdesk.api.limits import caller_of
from quantdesk.api.malformed import cut
from quantdesk.api.needs import needs
from quantdesk.core.assets import ASSETS
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Refused
from quantdesk.core.ids import NewId
from quantdesk.core.money import from_raw, to_raw
from quantdesk.store.pool import Connection, Pools

GIFTS: Final[Mapping[str, tuple[Decimal, Decimal]]] = MappingProxyType(
    {
        "SOL": (Decimal(100), Decimal(10_000)),
        "USDC": (Decimal(10_000), Decimal(1_000_000)),
        "USDT": (Decimal(10_000), Decimal(1_000_000)),
        "PYUSD": (Decimal(10_000), Decimal(1_000_000)),
        "BTC": (Decimal(1), Decimal(10)),
        "ETH": (Decimal(10), Decimal(100)),
    }
)
"""What the faucet gives of each asset where nobody says how much, and the most it gives at once."""

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Method = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class FaultError(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The JSON-RPC error that struck calls are answered with."""

    code: Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)] = -32603
    message: Annotated[str, msgspec.Meta(max_length=200)] = "fault"


class FaultsRequest(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel", kw_only=True
):
    """The faults to switch on, in place of those before; an empty object is an honest node.

    `dropSend` and `duplicate` are shares of sends answered and never executed, or delivered twice.
    `delayMs` and `error` strike `probability` of the calls of `methods` (none named: of all).
    `staleSlots`: statuses as they were so many slots ago. `requests`: calls until all is honest
    again. `seed` makes the same drill again.
    """

    drop_send: Share = 0.0
    duplicate: Share = 0.0
    delay_ms: Annotated[int, msgspec.Meta(ge=0, le=600_000)] = 0
    stale_slots: Annotated[int, msgspec.Meta(ge=0, le=31)] = 0
    error: FaultError | None = None
    methods: Annotated[list[Method], msgspec.Meta(max_length=100)] = []
    probability: Share = 1.0
    requests: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] | None = None
    seed: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] | None = None


class FaultsView(msgspec.Struct, frozen=True, rename="camel"):
    """The faults the localnet's node makes on purpose; `on` is whether it makes any.

    `requests` is how many calls it will still make them for, null until they are switched off.
    `hits` counts what they struck.
    """

    on: bool
    drop_send: float
    duplicate: float
    delay_ms: int
    stale_slots: int
    error: FaultError | None
    methods: list[str]
    probability: float
    requests: int | None
    hits: dict[str, int]


class LocalnetView(msgspec.Struct, frozen=True, rename="camel"):
    """Where the localnet stands, and what is wrong with it on purpose.

    `trouble` is what is wrong with it against its will.
    """

    slot: int
    confirmed_slot: int
    finalized_slot: int
    block_height: int
    slot_ms: int
    ticking: bool
    transactions: int
    trouble: str | None
    faults: FaultsView


class FaucetRequest(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel", kw_only=True
):
    """Who is given what: a Solana address, an asset (SOL) and an amount as a decimal string.

    Where no amount is said it gives 100 SOL, 10,000 of a dollar, 1 BTC or 10 ETH; at most a hundred
    times that of SOL and dollars, ten times of the others.
    """

    address: Annotated[str, msgspec.Meta(min_length=32, max_length=44)]
    symbol: Annotated[str, msgspec.Meta(max_length=16)] = "SOL"
    amount: Annotated[str, msgspec.Meta(min_length=1, max_length=40)] | None = None


class GivenView(msgspec.Struct, frozen=True, rename="camel"):
    """What the faucet gave: SOL by a transaction (`txHash`), tokens into `account`."""

    address: str
    symbol: str
    amount: str
    tx_hash: str | None
    account: str | None


class Operator(Protocol):
    """Whoever may switch the localnet's faults, and make its tokens."""

    async def status(self) -> LocalnetView:
        """Return where it stands; raise `Unavailable`."""

    async def set_faults(self, wanted: FaultsRequest) -> FaultsView:
        """Switch to these faults; raise `Unavailable`, or `Refused` for what it cannot do."""

    async def give(self, address: str, symbol: str, raw: int) -> GivenView:
        """Give base units of an asset; raise `Unavailable`, or `Refused`."""


class LocalnetRoutes:
    """The routes of the localnet's switches; `operator` is None where there is no localnet."""

    def __init__(
        self, *, operator: Operator | None, mode: str, pools: Pools, clock: Clock, new_id: NewId
    ) -> None:
        self._operator = operator
        self._mode = mode
        self._pools = pools
        self._clock = clock
        self._new_id = new_id

    def routes(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(prefix="/api/localnet", tags=["localnet"])

        @router.get(
            "/faults",
            **needs(Permission.SYSTEM_READ),
            responses=returns(FaultsView),
            summary="What the localnet does wrong on purpose",
        )
        async def faults() -> Response:
            return json((await self._there().status()).faults)

        @router.put(
            "/faults",
            **needs(Permission.HALT, body=FaultsRequest),
            responses=returns(FaultsView),
            summary="Have the localnet do wrong on purpose, or stop it",
        )
        async def change(request: Request) -> Response:
            return json(await self._change(request))

        @router.post(
            "/faucet",
            **needs(Permission.ORDERS_WRITE, body=FaucetRequest),
            responses=returns(GivenView),
            summary="Give worthless tokens of the localnet",
        )
        async def give(request: Request) -> Response:
            return json(await self._give(request))

        return router

    def _there(self) -> Operator:
        if self._operator is None:
            raise Refused(
                f"this desk's mode is {self._mode}: only the localnet has faults and a faucet;"
                " start one with `quantdesk up --mode localnet`",
                code="localnet.absent",
            )
        return self._operator

    async def _change(self, request: Request) -> FaultsView:
        operator, wanted = self._there(), await body(request, FaultsRequest)
        before = (await operator.status()).faults
        # What the node refuses is not noted, and what cannot be noted is not done.
        async with self._pools.write.transaction() as c:
            told = (_told(before), _told(wanted))
            await self._note(c, request, "localnet.faults", "localnet:faults", *told)
            return await operator.set_faults(wanted)

    async def _give(self, request: Request) -> GivenView:
        operator, wanted = self._there(), await body(request, FaucetRequest)
        address, symbol, raw = _gift(wanted)
        told = {"symbol": symbol, "amount": amount_text(symbol, raw)}
        async with self._pools.write.transaction() as c:
            await self._note(c, request, "localnet.faucet", f"wallet:{address}", None, told)
            return await operator.give(address, symbol, raw)

    async def _note(  # an act has this many sides
        self,
        c: Connection,
        request: Request,
        action: str,
        about: str,
        before: Any,  # noqa: ANN401 - JSON
        after: Any,  # noqa: ANN401 - JSON
    ) -> None:
        caller = caller_of(request)
        act = Act(
            id=self._new_id(),
            at_ms=self._clock.now_ms(),
            action=action,
            origin=request.scope["origin"],
            about=about,
            before=before,
            after=after,
        ).by(caller)
        await audit.note(c, act)


def _gift(wanted: FaucetRequest) -> tuple[str, str, int]:
    """Return address, symbol and base units; raise `Refused` for what the faucet does not give."""
    address = addresses.canonical(ChainName.SOLANA, wanted.address)
    symbol = wanted.symbol.upper()
    if symbol not in GIFTS:
        listed = ", ".join(GIFTS)
        raise Refused(f"the faucet has no {cut(symbol)}; it has {listed}", code="faucet.asset")
    usual, most = GIFTS[symbol]
    amount = usual if wanted.amount is None else _amount(wanted.amount)
    if not 0 < amount <= most:
        raise Refused(f"the faucet gives up to {most} {symbol} at once", code="faucet.amount")
    return address, symbol, to_raw(amount, ASSETS[symbol].decimals)


def _amount(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("nan")
    if not amount.is_finite():
        raise Refused('amount is a decimal string such as "10.5"', code="request.malformed")
    return amount


def amount_text(symbol: str, raw: int) -> str:
    """Return base units of an asset as an exact decimal string."""
    return f"{from_raw(raw, ASSETS[symbol].decimals):f}"


def _told(faults: FaultsView | FaultsRequest) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(faults)
    return {name: value for name, value in told.items() if name not in {"hits", "on"}}


VIEWS: Final = (FaultsRequest, FaultsView, FaucetRequest, GivenView)
"""What these routes read and answer, for OpenAPI."""
