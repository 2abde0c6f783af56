"""Access as a desk joins it, on a real database with a clock that moves by hand."""

from dataclasses import dataclass
from itertools import count
from typing import Final

from quantdesk.access import store
from quantdesk.access.credentials import Credentials
from quantdesk.access.keys import Given
from quantdesk.access.known.known import Known
from quantdesk.access.model import Account, FactorNeeded, Origin, Principal, Role, SignedIn
from quantdesk.access.sealing import Sealer
from quantdesk.access.sessions.entrance import Entrance, NoFactors
from quantdesk.access.sessions.sessions import Sessions
from quantdesk.access.sessions.tickets import Tickets
from quantdesk.access.tokens.jwt import Tokens
from quantdesk.access.tokens.signing import SigningKeys
from quantdesk.access.welcome import SecondFactors
from quantdesk.core.clock import Clock, SystemClock
from quantdesk.core.ids import NewId, ids
from quantdesk.store.pool import Pools

DAY_MS: Final = 86_400_000
HERE: Final = Origin(ip="192.0.2.7", agent="test", request_id="1-1")
MASTER: Final = bytes(range(32))
AUDIENCE: Final = "quantdesk:paper"

_numbers = count(1)


@dataclass(frozen=True)
class World:
    """One process of a desk, as far as it knows who may come in."""

    pools: Pools
    clock: Clock
    new_id: NewId
    known: Known
    signing: SigningKeys
    tokens: Tokens
    tickets: Tickets
    sessions: Sessions
    entrance: Entrance
    callers: Credentials

    async def account(self, role: Role = Role.TRADER) -> Account:
        """Return a new account of a role."""
        account = Account(
            id=self.new_id(),
            name=f"{role}-{next(_numbers)}",
            role=role,
            created_ms=self.clock.now_ms(),
        )
        async with self.pools.write.transaction() as c:
            await store.add_account(c, account)
        await self.known.catch_up()
        return account

    async def sign_in(self, account: Account, method: str = "test") -> SignedIn:
        """Return a new session of an account that has no second factor."""
        opened = await self.entrance.begin(account, method=method, origin=HERE)
        assert isinstance(opened, SignedIn)
        return opened

    async def waits(self, account: Account) -> FactorNeeded:
        """Return the ticket of an account that has a second factor."""
        outcome = await self.entrance.begin(account, method="test", origin=HERE)
        assert isinstance(outcome, FactorNeeded)
        return outcome

    def caller(self, credential: str, ip: str = "192.0.2.7") -> Principal | None:
        """Return who a bearer credential speaks for."""
        return self.callers.caller(Given(ip, f"Bearer {credential}"))

    async def acts(self) -> list[str]:
        """Return the actions noted so far."""
        async with self.pools.read.connection() as c:
            rows = await c.fetch("select act ->> 'action' as action from acts order by number")
        return [row["action"] for row in rows]


async def world(
    pools: Pools,
    clock: Clock,
    *,
    factors: SecondFactors | None = None,
    master: bytes = MASTER,
    audience: str = AUDIENCE,
) -> World:
    """Return a process that has just started."""
    # Of the machine's clock: several worlds share a database, and their ids must differ.
    new_id = ids(SystemClock().now_ms)
    signing = SigningKeys(
        pools=pools, sealer=Sealer({1: master}), clock=clock, new_id=new_id, token_ms=7 * DAY_MS
    )
    known = Known(pools=pools, clock=clock)
    known.also("signing_key", signing.load)
    await known.load()
    await signing.load()
    await known.catch_up()
    tokens = Tokens(signing, audience=audience, token_ms=7 * DAY_MS)
    tickets = Tickets(pools=pools, clock=clock)
    sessions = Sessions(
        pools=pools,
        known=known,
        tokens=tokens,
        lasts_ms=30 * DAY_MS,
        clock=clock,
        new_id=new_id,
    )
    return World(
        pools=pools,
        clock=clock,
        new_id=new_id,
        known=known,
        signing=signing,
        tokens=tokens,
        tickets=tickets,
        sessions=sessions,
        entrance=Entrance(
            pools=pools,
            sessions=sessions,
            tickets=tickets,
            factors=factors or NoFactors(),
            known=known,
        ),
        callers=Credentials(known=known, tokens=tokens, tickets=tickets, clock=clock),
    )
