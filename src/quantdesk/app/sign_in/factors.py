"""Second factors, joined: who proves to be there, and by what."""

from urllib.parse import urlsplit
from uuid import UUID

from fastapi import APIRouter

from quantdesk.access.factors.challenges import open_challenges
from quantdesk.access.factors.enrolment import Enrolment
from quantdesk.access.factors.known import KnownFactors
from quantdesk.access.factors.model import Site, WalletSignature
from quantdesk.access.factors.port import Means, Outside
from quantdesk.access.factors.prover import Prover
from quantdesk.access.factors.signing_in import PasskeySignIn, SecondStep
from quantdesk.access.factors.step_up import StepUp
from quantdesk.access.model import Origin, Principal
from quantdesk.access.owner_key import OwnerKey
from quantdesk.access.sessions.sessions import Ending
from quantdesk.access.wallets.linked import Wallets
from quantdesk.access.wallets.model import Proof
from quantdesk.access.wallets.sites import Sites
from quantdesk.api.needs import fresh
from quantdesk.api.sign_in.factor_changes import FactorChangeRoutes
from quantdesk.api.sign_in.factors import FactorRoutes
from quantdesk.api.sign_in.wallets import COOKIE as NONCE
from quantdesk.app.sign_in.joined import Joined
from quantdesk.app.sign_in.passwords import Passwords
from quantdesk.settings import AccessSettings
from quantdesk.store.pool import Connection


async def open_factors(
    joined: Joined, *, passwords: Passwords, wallets: Wallets, owner_key: OwnerKey
) -> tuple[APIRouter, ...]:
    """Return the routes of second factors; raises `Unavailable` without the database."""
    access, sites = joined.access, Sites(joined.sites)

    async def end_others(c: Connection, caller: Principal, origin: Origin) -> object:
        ending = Ending(caller.account_id, "second factors changed", spare=caller.session_id)
        return await access.sessions.end_in(c, ending, by=caller, origin=origin)

    async def proven(session_id: UUID, _: int) -> None:
        await access.sessions.prove(session_id)

    async def wallet_right(account_id: UUID, shown: WalletSignature, origin: Origin) -> bool:
        proof = Proof(
            address=shown.address,
            signature=shown.signature,
            message=shown.message,
            site=sites.at(shown.host),
            browser=shown.cookies.get(NONCE),
        )
        await wallets.prove(account_id, proof, origin=origin)
        return True

    means = Means(
        pools=joined.pools,
        sealer=access.sealer,
        site=Site(rp_id=_domain(joined.settings.access, joined.sites), origins=joined.sites),
        challenges=await open_challenges(joined.pools, sealer=access.sealer, clock=joined.clock),
        clock=joined.clock,
        new_id=joined.new_id,
    )
    outside = Outside(
        tell=joined.tell,
        throttle=joined.throttle,
        fresh=fresh,
        end_others=end_others,
        felt=access.known.felt,
        proven=proven,
        password_right=passwords.right,
        wallet_right=wallet_right,
        key_right=owner_key.right,
    )
    prover = Prover(means)
    welcome = access.entrance
    known = KnownFactors(joined.pools)
    return (
        FactorRoutes(
            second_step=SecondStep(means=means, outside=outside, prover=prover, welcome=welcome),
            passkeys=PasskeySignIn(means=means, outside=outside, prover=prover, welcome=welcome),
            step_up=StepUp(means=means, outside=outside, prover=prover),
        ).routes(),
        FactorChangeRoutes(known=known, enrolment=Enrolment(means=means, outside=outside)).routes(),
    )


def _domain(access: AccessSettings, sites: tuple[str, ...]) -> str:
    return access.rp_id or urlsplit(sites[0]).hostname or "localhost"
