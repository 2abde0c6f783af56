"""Signing in with an email address and a password, joined: hashes, letters, links."""

import random
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import UUID

from fastapi.responses import Response
from starlette.requests import Request

from quantdesk.access.links.links import Links
from quantdesk.access.mail.outbox import Outbox
from quantdesk.access.model import Origin
from quantdesk.access.passwords.hashing import Hasher
from quantdesk.access.passwords.letters import Letters
from quantdesk.access.passwords.model import Policy
from quantdesk.access.passwords.ports import Around
from quantdesk.access.passwords.proving import Prover
from quantdesk.access.passwords.recovering import Recovering
from quantdesk.access.passwords.signing_in import SigningIn
from quantdesk.access.ways import store as ways
from quantdesk.api.sign_in.passwords import PasswordRoutes
from quantdesk.api.sign_in.wallets import WalletBody, WalletRoutes
from quantdesk.api.welcome import answered
from quantdesk.app.access import registration
from quantdesk.app.background import Background
from quantdesk.app.bounds import ELSEWHERE
from quantdesk.app.mail import open_post
from quantdesk.app.sign_in.joined import Holders, Joined


class Passwords:
    """Passwords of all accounts, and their routes."""

    def __init__(
        self,
        stack: AsyncExitStack,
        background: Background,
        joined: Joined,
        wallets: WalletRoutes,
        *,
        home: Path,
    ) -> None:
        settings = joined.settings
        around = Around(joined.pools, joined.clock, joined.new_id, joined.tell)
        links = Links(joined.access.sealer.derived("links"))
        letters = Letters(joined.pools, links=links, url=joined.sites[0])
        outbox = Outbox(
            joined.pools,
            post=open_post(settings.mail, home),
            writers=letters.writers(),
            clock=joined.clock,
            new_id=joined.new_id,
            chance=random.random,
        )
        background.begin("mail", outbox.run)
        self._pools = joined.pools
        self._hasher = Hasher()
        stack.callback(self._hasher.close)
        prover = Prover(around, hasher=self._hasher, throttle=joined.throttle)
        holders = Holders(joined.access, clock=joined.clock)
        elsewhere = "refused" if settings.mode in ELSEWHERE else "trade"
        policy = Policy(
            registration=registration(settings),
            unverified=settings.access.unverified or elsewhere,  # type: ignore[arg-type]
        )
        signing_in = SigningIn(
            around,
            policy=policy,
            prover=prover,
            outbox=outbox,
            holders=holders,
            welcome=joined.access.entrance,
        )
        recovering = Recovering(around, prover=prover, outbox=outbox, links=links, holders=holders)
        self.routes = PasswordRoutes(
            signing_in,
            recovering,
            answered=answered,
            fresh=joined.fresh,
            wallet=_ByWallet(wallets),
        )

    async def right(self, account_id: UUID, password: str, _: Origin) -> bool:
        """Return whether it is an account's password; the caller throttles."""
        async with self._pools.read.connection() as c:
            kept = await ways.has_password(c, account_id)
        return await self._hasher.matches(kept, password)


class _ByWallet:
    def __init__(self, wallets: WalletRoutes) -> None:
        self._wallets = wallets

    async def __call__(
        self, request: Request, *, address: str, signature: str, message: str, cookie: bool
    ) -> Response:
        given = WalletBody(address=address, signature=signature, message=message, cookie=cookie)
        return await self._wallets.signed_in(request, given)
