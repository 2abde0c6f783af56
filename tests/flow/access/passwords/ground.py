"""What passwords stand on in tests: real Postgres, a clock moved by hand, and plain ports."""

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import httpx2
import msgspec
from fastapi.responses import Response
from starlette.requests import Request

from quantdesk.access.acts import Act
from quantdesk.access.keys import Keys, digest, new_key
from quantdesk.access.links.links import Links
from quantdesk.access.mail.model import Letter
from quantdesk.access.mail.outbox import Outbox
from quantdesk.access.model import Account, FactorNeeded, Origin, Principal, Role, SignedIn
from quantdesk.access.passwords.hashing import Cost, Hasher
from quantdesk.access.passwords.letters import Letters
from quantdesk.access.passwords.model import Policy
from quantdesk.access.passwords.ports import Around
from quantdesk.access.passwords.proving import Prover
from quantdesk.access.passwords.recovering import Recovering
from quantdesk.access.passwords.signing_in import SigningIn
from quantdesk.access.policy import granted
from quantdesk.api.edge import Edge
from quantdesk.api.pages import pages
from quantdesk.api.sign_in.passwords import PasswordRoutes
from quantdesk.core.errors import Refused
from quantdesk.core.ids import ids
from quantdesk.store.pool import Connection, Pools
from quantdesk.telemetry.metrics import Metrics
from quantdesk.testing.clock import ManualClock

CHEAP = Cost(memory_kib=8, passes=1)
EMAIL = "anna@example.com"
PASSWORD = "tundra violin kettle"
OTHER = "gravel umbrella sixpence"
HOME = Origin(ip="192.0.2.1", agent="test", request_id="1")
FAR = Origin(ip="198.51.100.9", agent="test", request_id="2")
URL = "https://desk.example"
TRADE = Policy(registration="open", unverified="trade")
REFUSED = Policy(registration="open", unverified="refused")
INVITE = Policy(registration="invite", unverified="refused")
_LOCK = 10


class Counting:
    """A throttle that locks an account for a network after ten tries that were not right."""

    def __init__(self) -> None:
        self.tries: Counter[tuple[str, str]] = Counter()
        self.failures = 0

    async def check(self, who: str, ip: str) -> None:
        """Count a try, or refuse who is locked."""
        if self.tries[who, ip] >= _LOCK:
            raise Refused("too many tries; wait", code="sign_in.throttled")
        self.tries[who, ip] += 1

    async def failed(self, who: str, ip: str) -> None:
        """Let it stay counted."""
        assert self.tries[who, ip]
        self.failures += 1

    async def succeeded(self, who: str, ip: str) -> None:
        """Forget."""
        del self.tries[who, ip]


class Sessions:
    """Welcomes whoever comes, remembers what is open, and ends it."""

    def __init__(self) -> None:
        self.open: list[tuple[UUID, UUID]] = []
        self.evicted: list[UUID] = []
        self.felt_at: list[int] = []
        self.before: Callable[[], Awaitable[None]] | None = None
        self._count = 0

    async def begin(
        self, account: Account, *, method: str, origin: Origin
    ) -> SignedIn | FactorNeeded:
        """Open a session, after what happens meanwhile."""
        assert method == "password"
        if account.disabled:
            raise Refused("disabled", code="account.disabled")
        if self.before is not None:
            meanwhile, self.before = self.before, None
            await meanwhile()
        self._count += 1
        session_id = UUID(int=self._count)
        self.open.append((account.id, session_id))
        return SignedIn(
            account=account,
            session_id=session_id,
            token=f"token-{self._count}",
            refresh="refresh",
            csrf="csrf",
            expires_ms=0,
        )

    async def finish(self, ticket: str, *, method: str, origin: Origin) -> SignedIn:
        """Fail: no ticket was given."""
        raise AssertionError(ticket)

    async def holder(self, ticket: str) -> UUID:
        """Fail: no ticket was given."""
        raise AssertionError(ticket)

    async def end_sessions(
        self, c: Connection, account_id: UUID, *, origin: Origin, but: UUID | None = None
    ) -> None:
        """End them."""
        self.open = [one for one in self.open if one[0] != account_id or one[1] == but]

    async def evict(self, c: Connection, account_id: UUID, *, origin: Origin) -> None:
        """Remember who was evicted."""
        await self.end_sessions(c, account_id, origin=origin)
        self.evicted.append(account_id)

    async def felt(self) -> None:
        """Note that what was committed is in force."""
        self.felt_at.append(len(self.open))


class Mailbox:
    """A post that keeps letters in memory; `refuse` fails the next ones, in turn."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.refuse: list[Exception] = []
        self._another = asyncio.Event()

    async def send(self, letter: Letter) -> None:
        """Keep a letter, or fail."""
        if self.refuse:
            raise self.refuse.pop(0)
        self.letters.append(letter)
        self._another.set()

    async def came(self, count: int) -> None:
        """Return once that many letters came."""
        while len(self.letters) < count:
            self._another.clear()
            await self._another.wait()

    def to(self, email: str) -> list[Letter]:
        """Return the letters to an address."""
        return [letter for letter in self.letters if letter.recipient == email]


class Ground:
    """Email and password over a fresh database."""

    def __init__(self, pools: Pools, policy: Policy = TRADE, hasher: Hasher | None = None) -> None:
        self.pools = pools
        self.clock = ManualClock()
        self.acts: list[Act] = []
        self.throttle = Counting()
        self.sessions = Sessions()
        self.post = Mailbox()
        self.hasher = hasher or Hasher(CHEAP)
        self.links = Links(b"k" * 32)
        new_id = ids(self.clock.now_ms)
        self.around = Around(pools, self.clock, new_id, self.acts.append)
        self.outbox = self.another_outbox()
        prover = Prover(self.around, hasher=self.hasher, throttle=self.throttle)
        self.signing_in = SigningIn(
            self.around,
            policy=policy,
            prover=prover,
            outbox=self.outbox,
            holders=self.sessions,
            welcome=self.sessions,
        )
        self.recovering = Recovering(
            self.around,
            prover=prover,
            outbox=self.outbox,
            links=self.links,
            holders=self.sessions,
        )

    def another_outbox(self) -> Outbox:
        """Return an outbox as another process has it, over the same tables."""
        return Outbox(
            self.pools,
            post=self.post,
            writers=Letters(self.pools, links=self.links, url=URL).writers(),
            clock=self.clock,
            new_id=self.around.new_id,
            chance=lambda: 1.0,
        )

    async def deliver(self) -> None:
        """Send all mail that is due."""
        while await self.outbox.send_next():
            pass

    async def token(self, email: str = EMAIL) -> str:
        """Return the token of the last letter to an address, once all mail is out."""
        await self.deliver()
        return token_of(self.post.to(email)[-1])

    async def verified(self, email: str = EMAIL, password: str = PASSWORD) -> UUID:
        """Register an account and prove its address; return it."""
        await self.signing_in.register(email, password, origin=HOME)
        await self.recovering.verify(await self.token(email), origin=HOME)
        async with self.pools.read.connection() as c:
            found: UUID = await c.fetchval("select id from accounts where email = $1", email)
        return found

    async def login(self, password: str, *, email: str = EMAIL, origin: Origin = HOME) -> SignedIn:
        """Sign in where no second factor is asked for."""
        outcome = await self.signing_in.login(email, password, origin=origin)
        assert isinstance(outcome, SignedIn)
        return outcome

    async def value(self, query: str, *args: object) -> Any:  # noqa: ANN401 - a column
        """Return one value of the database."""
        async with self.pools.read.connection() as c:
            return await c.fetchval(query, *args)

    async def execute(self, query: str, *args: object) -> None:
        """Change the database behind everybody's back."""
        async with self.pools.write.connection() as c:
            await c.execute(query, *args)


def token_of(letter: Letter) -> str:
    """Return the token of the link in a letter."""
    (token,) = re.findall(rf"{URL}/(?:verify|reset)#(\S+)", letter.text)
    return str(token)


class Web:
    """The routes of passwords behind the edge; `calls` are logins handed to wallets."""

    def __init__(self, ground: Ground, account_id: UUID, *, is_fresh: bool = True) -> None:
        self.key = new_key()
        self.metrics = Metrics()
        self.calls: list[dict[str, object]] = []
        caller = Principal(
            account_id=account_id,
            role=Role.TRADER,
            may=granted(Role.TRADER),
            session_id=UUID(int=1),
        )

        def fresh(principal: Principal) -> None:
            assert principal == caller
            if not is_fresh:
                raise Refused("prove that it is you", code="proof.needed")

        routes = PasswordRoutes(
            ground.signing_in,
            ground.recovering,
            answered=_answered,
            fresh=fresh,
            wallet=self._wallet,
        )
        self.edge = Edge(
            keys=Keys({digest(self.key): caller}),
            hot={},
            socket=_no_socket,
            pages=pages([routes.routes()], version="1", metrics=self.metrics),
            metrics=self.metrics,
        )

    async def post(
        self, path: str, body: object, *, signed_in: bool = False, ip: str = "192.0.2.1"
    ) -> httpx2.Response:
        """Post JSON and return the answer."""
        transport = httpx2.ASGITransport(app=self.edge, client=(ip, 1))
        async with httpx2.AsyncClient(transport=transport, base_url=URL) as client:
            return await client.post(
                f"/api/auth{path}",
                content=body if isinstance(body, bytes) else msgspec.json.encode(body),
                headers={
                    "content-type": "application/json",
                    "host": "evil.example",
                    **({"authorization": f"Bearer {self.key}"} if signed_in else {}),
                },
            )

    async def _wallet(self, request: Request, **login: object) -> Response:
        assert request.scope["origin"]
        self.calls.append(login)
        return Response(b"{}", media_type="application/json")


def plain(answer: httpx2.Response) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Return an answer without what is different in each one: its request's id."""
    told = answer.json()
    told.pop("requestId", None)
    headers = {name: value for name, value in answer.headers.items() if name != "content-length"}
    return answer.status_code, told, headers


def _answered(outcome: SignedIn | FactorNeeded, *, cookie: bool) -> Response:
    assert isinstance(outcome, SignedIn)
    body = msgspec.json.encode({"token": outcome.token, "cookie": cookie})
    return Response(body, media_type="application/json")


async def _no_socket(*_: object) -> bool:
    return False


async def together(*calls: Awaitable[object]) -> list[object]:
    """Run calls at once; what they return, or raise."""
    return await asyncio.gather(*calls, return_exceptions=True)
