"""What the tests of second factors stand on: a desk's accounts, sessions and tickets, by hand.

Sessions and tickets are kept by another part of access; `Door` is its stand-in at the ports, with
the same promises: a ticket is for one account, works once, and expires.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import msgspec
from pyotp import TOTP

from quantdesk.access import store as accounts
from quantdesk.access.acts import Act
from quantdesk.access.factors.challenges import open_challenges
from quantdesk.access.factors.enrolment import Enrolment
from quantdesk.access.factors.known import KnownFactors
from quantdesk.access.factors.model import Assertion, Code, Site, WalletSignature
from quantdesk.access.factors.port import Means, Outside
from quantdesk.access.factors.prover import Prover
from quantdesk.access.factors.signing_in import PasskeySignIn, SecondStep
from quantdesk.access.factors.step_up import StepUp
from quantdesk.access.model import Account, FactorNeeded, Origin, Principal, Role, SignedIn
from quantdesk.access.policy import FRESH_MS, granted
from quantdesk.access.sealing import Sealer
from quantdesk.core.errors import Refused
from quantdesk.core.ids import NewId
from quantdesk.store.pool import Connection, Pools
from quantdesk.testing.authenticator import Authenticator, BadDay
from quantdesk.testing.clock import ManualClock

HERE = Origin(ip="192.0.2.7", agent="test", request_id="1")
SITE = Site(rp_id="desk.example", origins=("https://desk.example",))
TICKET_MS = 5 * 60_000
SEALER = Sealer({1: bytes(range(32))})


def counter(start: int = 1 << 70) -> NewId:
    """Return a maker of identifiers that counts."""
    number = start

    def new_id() -> UUID:
        nonlocal number
        number += 1
        return UUID(int=number)

    return new_id


@dataclass
class Door:
    """Sessions, tickets, throttle, passwords and mail, as far as second factors see them."""

    clock: ManualClock
    known: KnownFactors
    new_id: NewId = field(default_factory=lambda: counter(1 << 80))
    tickets: dict[str, tuple[Account, int]] = field(default_factory=dict)
    opened: list[tuple[UUID, str]] = field(default_factory=list)
    felt_times: int = 0
    proofs: dict[UUID, int] = field(default_factory=dict)
    told: list[Act] = field(default_factory=list)
    mailed: list[tuple[UUID, str]] = field(default_factory=list)
    tries: list[tuple[str, str]] = field(default_factory=list)
    wallets: list[WalletSignature] = field(default_factory=list)
    shut: bool = False

    async def begin(
        self, account: Account, *, method: str, origin: Origin
    ) -> SignedIn | FactorNeeded:
        """Open a session or hand out a ticket."""
        if account.disabled:
            raise Refused("disabled", code="account.disabled")
        methods = await self.known.methods(account.id)
        if not methods:
            return self._open(account, method)
        ticket, expires_ms = f"ticket-{self.new_id()}", self.clock.now_ms() + TICKET_MS
        self.tickets[ticket] = (account, expires_ms)
        return FactorNeeded(ticket=ticket, methods=methods, expires_ms=expires_ms)

    async def finish(self, ticket: str, *, method: str, origin: Origin) -> SignedIn:
        """Open the session of a ticket, once."""
        await self.holder(ticket)
        account, _ = self.tickets.pop(ticket)
        return self._open(account, method)

    async def holder(self, ticket: str) -> UUID:
        """Return whose ticket this is."""
        if ticket not in self.tickets or self.tickets[ticket][1] <= self.clock.now_ms():
            raise Refused("sign in again", code="ticket.invalid")
        return self.tickets[ticket][0].id

    def _open(self, account: Account, method: str) -> SignedIn:
        self.opened.append((account.id, method))
        return SignedIn(
            account=account, session_id=self.new_id(), token="t", refresh="r", csrf="c",
            expires_ms=self.clock.now_ms(),
        )  # fmt: skip

    async def check(self, who: str, ip: str) -> None:
        """Refuse while it is shut."""
        if self.shut:
            raise Refused("slow down", code="sign_in.throttled")

    async def failed(self, who: str, ip: str) -> None:
        """Count."""
        self.tries.append(("failed", who))

    async def succeeded(self, who: str, ip: str) -> None:
        """Count."""
        self.tries.append(("succeeded", who))

    async def end_others(self, c: Connection, principal: Principal, origin: Origin) -> None:
        """End sessions, which are rows here: what is rolled back is not ended."""
        await c.execute(
            "insert into ended (account_id, kept) values ($1, $2)",
            principal.account_id,
            principal.session_id,
        )

    async def felt(self) -> None:
        """Count."""
        self.felt_times += 1

    async def proven(self, session_id: UUID, at_ms: int) -> None:
        """Note a proof."""
        self.proofs[session_id] = at_ms

    async def password_right(self, account_id: UUID, password: str, origin: Origin) -> bool:
        """Say whether it is the one password of everybody here."""
        return password == "right"

    async def wallet_right(self, account_id: UUID, shown: WalletSignature, origin: Origin) -> bool:
        """Say whether it is the one signature of everybody here."""
        self.wallets.append(shown)
        return shown.signature == "right"

    async def key_right(self, account_id: UUID, key: str, origin: Origin) -> bool:
        """Say whether it is the one key of everybody here."""
        return key == "right"

    async def tell_user(self, account_id: UUID, what: str) -> None:
        """Mail."""
        self.mailed.append((account_id, what))


def fresh(principal: Principal, now_ms: int, *, methods: Sequence[str]) -> None:
    """Refuse whoever has not just proved to be there, as `api.needs.fresh` does."""
    if principal.local:
        return
    if principal.proven_ms is None or now_ms - principal.proven_ms > FRESH_MS:
        raise Refused("prove it", code="proof.needed")


class Ground:
    """Second factors on a real database, with everything around them by hand."""

    def __init__(self, *, means: Means, door: Door) -> None:
        self.means = means
        self.door = door
        self.clock = door.clock
        self.known = door.known
        outside = Outside(
            tell=door.told.append,
            throttle=door,
            fresh=fresh,
            end_others=door.end_others,
            felt=door.felt,
            proven=door.proven,
            password_right=door.password_right,
            wallet_right=door.wallet_right,
            key_right=door.key_right,
            tell_user=door.tell_user,
        )
        prover = Prover(means)
        self.enrolment = Enrolment(means=means, outside=outside)
        self.second_step = SecondStep(means=means, outside=outside, prover=prover, welcome=door)
        self.alone = PasskeySignIn(means=means, outside=outside, prover=prover, welcome=door)
        self.step_up = StepUp(means=means, outside=outside, prover=prover)

    async def user(self, name: str, *, email: str | None = None) -> Account:
        """Add an account."""
        account = Account(id=self.means.new_id(), name=name, role=Role.TRADER, email=email)
        async with self.means.pools.write.transaction() as c:
            await accounts.add_account(c, account)
        return account

    def session(self, account: Account, *, proven: bool = True) -> Principal:
        """Return whoever speaks by a new session of an account."""
        return Principal(
            account_id=account.id, role=account.role, may=granted(account.role),
            session_id=self.means.new_id(), proven_ms=self.clock.now_ms() if proven else None,
        )  # fmt: skip

    async def with_app(self, account: Account) -> tuple[str, tuple[str, ...]]:
        """Give an account an app; return its seed and the recovery codes. A step passes."""
        session = self.session(account)
        seed = await self.enrolment.begin_totp(session)
        codes = await self.enrolment.confirm_totp(session, self.code(seed.secret), HERE)
        await self.clock.advance(30)
        return seed.secret, codes

    async def with_passkey(
        self, account: Account, authenticator: Authenticator, day: BadDay | None = None
    ) -> UUID:
        """Give an account a passkey; return its id."""
        session = self.session(account)
        options = await self.enrolment.begin_passkey(session)
        passkey, _ = await self.enrolment.add_passkey(
            session,
            name="laptop",
            credential=authenticator.create(options, day or BadDay()),
            origin=HERE,
        )
        return passkey.id

    def code(self, seed: str, *, steps: int = 0) -> str:
        """Return the code of an app now, or so many steps later."""
        return TOTP(seed).generate_otp(self.clock.now_ms() // 30_000 + steps)

    def wrong_code(self, seed: str) -> Code:
        """Return a code that is right at no time near."""
        near = {self.code(seed, steps=steps) for steps in (-1, 0, 1)}
        return Code(next(f"{n:06}" for n in range(10) if f"{n:06}" not in near))

    async def ticket(self, account: Account) -> str:
        """Return the ticket of a sign-in whose first factor was right."""
        begun = await self.door.begin(account, method="password", origin=HERE)
        assert isinstance(begun, FactorNeeded)
        return begun.ticket

    async def answer(
        self, ticket: str, authenticator: Authenticator, day: BadDay | None = None
    ) -> Assertion:
        """Return what a passkey answers to a ticket's options."""
        options = await self.second_step.options(ticket)
        return Assertion(authenticator.get(options, day or BadDay()))

    async def noted(self) -> list[tuple[str, str]]:
        """Return action and subject of the acts that were noted with what they did."""
        async with self.means.pools.read.connection() as c:
            rows = await c.fetch("select act from acts order by number")
        acts = [msgspec.convert(row["act"], Act, strict=False) for row in rows]
        return [(act.action, act.about) for act in acts]

    async def ended(self) -> list[tuple[UUID, UUID | None]]:
        """Return whose other sessions were ended, and which one was kept."""
        async with self.means.pools.read.connection() as c:
            rows = await c.fetch("select account_id, kept from ended order by number")
        return [(row["account_id"], row["kept"]) for row in rows]

    @property
    def failures(self) -> list[tuple[str, str]]:
        """Return action and code of the acts that were told."""
        return [(act.action, act.code) for act in self.door.told]


async def ground(pools: Pools) -> Ground:
    """Return a ground on a test's own database."""
    clock = ManualClock()
    async with pools.write.connection() as c:
        await c.execute("create table ended (number serial, account_id uuid, kept uuid)")
    means = Means(
        pools=pools,
        sealer=SEALER,
        site=SITE,
        challenges=await open_challenges(pools, sealer=SEALER, clock=clock),
        clock=clock,
        new_id=counter(),
    )
    return Ground(means=means, door=Door(clock, KnownFactors(pools)))
