"""Wallet sign-in on a real database, asked over HTTP: everything but the sessions it opens."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx2

from quantdesk.access.acts import Act
from quantdesk.access.model import (
    Account,
    FactorNeeded,
    Origin,
    Principal,
    Registration,
    Role,
    SignedIn,
)
from quantdesk.access.policy import granted
from quantdesk.access.wallets.challenges import Challenges, Machine
from quantdesk.access.wallets.linked import Rules, Wallets
from quantdesk.access.wallets.model import ChainName
from quantdesk.access.wallets.port import ContractWallets
from quantdesk.access.wallets.sites import Sites
from quantdesk.access.welcome import Welcome
from quantdesk.api.pages import pages
from quantdesk.api.sign_in.holdings import Holdings, Read
from quantdesk.api.sign_in.wallets import WalletRoutes
from quantdesk.core.errors import Refused
from quantdesk.store.pool import Connection, Pools
from quantdesk.telemetry.metrics import Metrics
from quantdesk.testing.clock import ManualClock
from quantdesk.testing.wallets import AnyWallet

Json = Any

HOST = "desk.example.com"
HERE = f"https://{HOST}"
ELSEWHERE = "https://other.example.com"
_NUMBERS = itertools.count(1)
BROWSER = {"origin": HERE, "sec-fetch-site": "same-origin"}


class Door:
    """Opens sessions for those who may have one, and remembers whom it welcomed."""

    def __init__(self) -> None:
        self.welcomed: list[Account] = []
        self.asks_for_factor = False

    async def begin(
        self, account: Account, *, method: str, origin: Origin
    ) -> SignedIn | FactorNeeded:
        """Open a session, or ask for a second factor."""
        assert method == "wallet"
        assert origin.request_id
        if account.disabled:
            raise Refused("this account is disabled", code="account.disabled")
        self.welcomed.append(account)
        if self.asks_for_factor:
            return FactorNeeded(ticket="ticket", methods=("totp",), expires_ms=1)
        return SignedIn(
            account=account,
            session_id=UUID(int=1),
            token=f"token-of-{account.id}",
            refresh="refresh",
            csrf="csrf",
            expires_ms=1,
        )

    async def finish(self, ticket: str, *, method: str, origin: Origin) -> SignedIn:
        """Fail: no ticket was given."""
        raise AssertionError(ticket)

    async def holder(self, ticket: str) -> UUID:
        """Fail: no ticket was given."""
        raise AssertionError(ticket)


@dataclass
class Stage:
    """A desk's wallet sign-in and whoever asks it; `principal` is who the next request is of."""

    pools: Pools
    contracts: ContractWallets | None = None
    registration: Registration = "open"
    kept_max: int = 1_000
    clock: ManualClock = field(default_factory=ManualClock)
    door: Door = field(default_factory=Door)
    told: list[Act] = field(default_factory=list)
    ip: str = "192.0.2.1"
    principal: Principal | None = None
    other_ways: bool = False
    origins: tuple[str, ...] = (HERE, ELSEWHERE)
    readers: dict[ChainName, Read] = field(default_factory=dict)
    wallets: Wallets = field(init=False)

    def entropy(self, size: int) -> bytes:
        """Return a number that never came before, as bytes."""
        number: int = next(_NUMBERS)
        return number.to_bytes(size, "big")

    def new_id(self) -> UUID:
        """Return an id that never came before."""
        return UUID(int=next(_NUMBERS) | 7 << 76 | 2 << 62)

    def routes(self, welcome: Welcome) -> WalletRoutes:
        """Return the routes of wallets, opening sessions at a door."""
        challenges = Challenges(
            pools=self.pools,
            machine=self._machine(),
            networks={ChainName.SOLANA: "solana:mainnet", ChainName.EVM: "1"},
            contracts=self.contracts,
            tell=self.told.append,
            kept_max=self.kept_max,
        )
        self.wallets = Wallets(
            pools=self.pools,
            challenges=challenges,
            welcome=welcome,
            rules=Rules(registration=self.registration, other_ways=self._other_ways),
            machine=self._machine(),
            tell=self.told.append,
        )
        prices = {"SOL": Decimal("150.255"), "USDC": Decimal(1)}
        return WalletRoutes(
            challenges=challenges,
            wallets=self.wallets,
            sites=Sites(self.origins),
            holdings=Holdings(readers=self.readers, price=prices.get),
            clock=self.clock,
        )

    def app(self) -> Json:
        """Return the desk's pages as the edge serves them: it has found out who asks."""
        served = pages([self.routes(self.door).routes()], version="1", metrics=Metrics())

        async def front(scope: Json, receive: Json, send: Json) -> None:
            number = next(_NUMBERS)
            scope["request_id"] = number
            scope["origin"] = Origin(ip=self.ip, agent="test", request_id=str(number))
            scope["principal"] = self.principal
            await served(scope, receive, send)

        return front

    def _machine(self) -> Machine:
        return Machine(self.clock, self.new_id, self.entropy)

    async def _other_ways(self, _: Connection, __: UUID) -> bool:
        return self.other_ways

    @asynccontextmanager
    async def client(self, at: str = HERE) -> AsyncIterator["Person"]:
        """Open a client with its own cookies."""
        transport = httpx2.ASGITransport(app=self.app())
        async with httpx2.AsyncClient(transport=transport, base_url=at) as http:
            yield Person(http)

    async def acts(self) -> list[dict[str, Json]]:
        """Return what is in the audit, in order."""
        async with self.pools.read.connection() as c:
            return [row["act"] for row in await c.fetch("select act from acts order by number")]

    async def count(self, table: str) -> int:
        """Return how many rows a table has."""
        async with self.pools.read.connection() as c:
            found: int = await c.fetchval(f"select count(*) from {table}")
            return found

    def as_session(self, account_id: UUID, *, proven: bool = True) -> None:
        """Let the next requests come from a session of an account."""
        self.principal = Principal(
            account_id=account_id,
            role=Role.TRADER,
            may=granted(Role.TRADER),
            session_id=UUID(int=9),
            proven_ms=self.clock.now_ms() if proven else None,
        )


@dataclass
class Person:
    """Somebody with a client and their wallets."""

    http: httpx2.AsyncClient

    async def post(self, path: str, body: Json, headers: Json = None) -> httpx2.Response:
        """Post JSON."""
        return await self.http.post(path, json=body, headers=headers)

    async def asked(self, wallet: AnyWallet, *, headers: Json = None, **more: Json) -> Json:
        """Return a text for a wallet."""
        body = {"address": wallet.address, "chain": wallet.chain, **more}
        answer = await self.post("/api/auth/nonce", body, headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def shows(self, wallet: AnyWallet, message: str, **changed: Json) -> httpx2.Response:
        """Sign a text and try to sign in with it."""
        body = {"address": wallet.address, "signature": wallet.sign(message), "message": message}
        return await self.post("/api/auth/wallet", {**body, **changed})

    async def signs_in(self, wallet: AnyWallet, **more: Json) -> httpx2.Response:
        """Sign in as people do."""
        return await self.shows(wallet, (await self.asked(wallet, **more))["message"])

    async def links(self, wallet: AnyWallet, **changed: Json) -> httpx2.Response:
        """Link a wallet to the caller's account."""
        message = (await self.asked(wallet, purpose="link"))["message"]
        body = {"address": wallet.address, "signature": wallet.sign(message), "message": message}
        return await self.post("/api/wallets", {**body, **changed})


def code(answer: httpx2.Response) -> str:
    """Return the code of a problem; fail when it is none."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    found: str = answer.json()["code"]
    return found
