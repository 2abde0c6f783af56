"""Wallets of accounts: signing in with one, linking another, taking one away.

A wallet is one account's at most, and it is enough to sign in; so linking one asks for a proof of
presence (the route's to ask) besides the wallet's signature, and the last way to sign in stays.
"""

from collections.abc import Awaitable, Callable
from typing import Final
from uuid import UUID

import msgspec

from quantdesk.access import store as accounts
from quantdesk.access.accounts import register
from quantdesk.access.acts import Act, Tell
from quantdesk.access.audit.store import note
from quantdesk.access.model import Account, FactorNeeded, Origin, Principal, Registration, SignedIn
from quantdesk.access.wallets import store
from quantdesk.access.wallets.addresses import shortened
from quantdesk.access.wallets.challenges import Challenges, Machine
from quantdesk.access.wallets.model import ChainName, Challenge, Proof, Purpose, Wallet
from quantdesk.access.welcome import Welcome
from quantdesk.core.errors import Refused
from quantdesk.store.pool import Connection, Pools

WALLETS_MAX: Final = 20

OtherWays = Callable[[Connection, UUID], Awaitable[bool]]
"""Says whether an account can sign in without any wallet, such as by password or OAuth."""


class Entered(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-in that was right: what came of it, and with which wallet."""

    outcome: SignedIn | FactorNeeded
    chain: ChainName
    address: str


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """Who may come in, and what else lets them in."""

    registration: Registration
    other_ways: OtherWays


class Wallets:
    """The wallets of all accounts."""

    def __init__(
        self,
        *,
        pools: Pools,
        challenges: Challenges,
        welcome: Welcome,
        rules: Rules,
        machine: Machine,
        tell: Tell,
    ) -> None:
        self._pools = pools
        self._challenges = challenges
        self._welcome = welcome
        self._rules = rules
        self._machine = machine
        self._tell = tell

    async def sign_in(self, proof: Proof, *, origin: Origin) -> Entered:
        """Open a session for whoever holds a wallet, making their account at the first time.

        Raises as `Challenges.answer` and `Welcome.begin`, and `Refused` (`account.uninvited`).
        """
        shown = await self._challenges.answer(proof, purpose=Purpose.SIGN_IN, origin=origin)
        try:
            account = await self._account(shown, origin)
            outcome = await self._welcome.begin(account, method="wallet", origin=origin)
        except Refused as problem:
            self._tell(self._act("sign_in.failed", shown, origin=origin, code=problem.code))
            raise
        return Entered(outcome=outcome, chain=shown.chain, address=shown.address)

    async def link(self, principal: Principal, proof: Proof, *, origin: Origin) -> Wallet:
        """Give a wallet to an account that has proved to be there.

        Raises as `Challenges.answer`, and `Refused` (`wallet.taken`, `wallet.too_many`).
        """
        shown = await self._challenges.answer(proof, purpose=Purpose.LINK, origin=origin)
        account_id = principal.account_id
        async with self._pools.write.transaction() as c:
            await store.hold_account(c, account_id)
            await store.hold_wallet(c, chain=shown.chain, address=shown.address)
            owner = await accounts.account_by_wallet(c, chain=shown.chain, address=shown.address)
            if owner is not None:
                whose = "yours already" if owner.id == account_id else "another account's"
                raise Refused(f"this wallet is {whose}", code="wallet.taken")
            if len(await store.wallets(c, account_id)) >= WALLETS_MAX:
                raise Refused(
                    f"an account has at most {WALLETS_MAX} wallets", code="wallet.too_many"
                )
            wallet = await self._give(c, account_id, shown)
            await note(c, self._act("wallet.linked", shown, origin=origin, by=principal))
        return wallet

    async def prove(self, account_id: UUID, proof: Proof, *, origin: Origin) -> None:
        """Return if a wallet of an account has just signed that they are there.

        Raises as `Challenges.answer`, and `Refused` (`wallet.unknown`).
        """
        shown = await self._challenges.answer(proof, purpose=Purpose.PROVE, origin=origin)
        known = await self.listed(account_id)
        if (shown.chain, shown.address) not in {(w.chain, w.address) for w in known}:
            raise Refused("you have no such wallet", code="wallet.unknown")

    async def unlink(
        self, principal: Principal, *, chain: ChainName, address: str, origin: Origin
    ) -> None:
        """Take a wallet from an account; its sessions stay.

        Raises `Refused` (`wallet.unknown`; `wallet.last` when nothing else would let them in).
        """
        account_id = principal.account_id
        async with self._pools.write.transaction() as c:
            await store.hold_account(c, account_id)
            known = await store.wallets(c, account_id)
            wallet = next((w for w in known if (w.chain, w.address) == (chain, address)), None)
            if wallet is None:
                raise Refused("you have no such wallet", code="wallet.unknown")
            if len(known) == 1 and not await self._rules.other_ways(c, account_id):
                raise Refused(
                    "nothing else lets you sign in: link another wallet or set a password first",
                    code="wallet.last",
                )
            await store.unlink_wallet(c, account_id, chain=chain, address=address)
            await note(c, self._act("wallet.unlinked", wallet, origin=origin, by=principal))

    async def listed(self, account_id: UUID) -> list[Wallet]:
        """Return the wallets of an account, oldest first."""
        async with self._pools.read.connection() as c:
            return await store.wallets(c, account_id)

    async def _account(self, shown: Challenge, origin: Origin) -> Account:
        async with self._pools.write.transaction() as c:
            await store.hold_wallet(c, chain=shown.chain, address=shown.address)
            known = await accounts.account_by_wallet(c, chain=shown.chain, address=shown.address)
            if known is not None:
                return known
            made = await register(
                c,
                name=shortened(shown.address),
                registration=self._rules.registration,
                new_id=self._machine.new_id,
                now_ms=self._machine.clock.now_ms(),
            )
            await self._give(c, made.id, shown)
            added = self._act("user.added", shown, origin=origin, account_id=made.id)
            linked = self._act("wallet.linked", shown, origin=origin, account_id=made.id)
            await note(c, added, linked)
            return made

    async def _give(self, c: Connection, account_id: UUID, shown: Challenge) -> Wallet:
        now_ms = self._machine.clock.now_ms()
        await accounts.link_wallet(
            c, account_id, chain=shown.chain, address=shown.address, at_ms=now_ms
        )
        return Wallet(chain=shown.chain, address=shown.address, added_ms=now_ms)

    def _act(
        self,
        action: str,
        wallet: Challenge | Wallet,
        *,
        origin: Origin,
        by: Principal | None = None,
        account_id: UUID | None = None,
        code: str = "",
    ) -> Act:
        return Act(
            id=self._machine.new_id(),
            at_ms=self._machine.clock.now_ms(),
            action=action,
            origin=origin,
            account_id=by.account_id if by else account_id,
            key_id=by.key_id if by else None,
            session_id=by.session_id if by else None,
            about=f"wallet:{wallet.chain}:{wallet.address}",
            code=code,
        )
