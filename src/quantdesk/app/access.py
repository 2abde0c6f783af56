"""Who may come in: accounts, keys and sessions, joined to what the edge and the routes need."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fastapi import APIRouter

from quantdesk.access.api_keys.api_keys import ApiKeys
from quantdesk.access.credentials import Credentials
from quantdesk.access.factors.known import KnownFactors
from quantdesk.access.known.known import Known
from quantdesk.access.model import Registration
from quantdesk.access.sealing import Sealer
from quantdesk.access.sessions.entrance import Entrance
from quantdesk.access.sessions.sessions import Sessions
from quantdesk.access.sessions.tickets import Tickets
from quantdesk.access.tokens.jwt import Tokens
from quantdesk.access.tokens.signing import SigningKeys
from quantdesk.access.users.kyc import AdminApproval
from quantdesk.access.users.users import Users
from quantdesk.api.keys import KeyRoutes
from quantdesk.api.sessions import SessionRoutes
from quantdesk.api.users import UserRoutes
from quantdesk.app.background import Background
from quantdesk.app.bounds import ELSEWHERE
from quantdesk.app.foundation import owner
from quantdesk.core.clock import Clock
from quantdesk.core.ids import ids
from quantdesk.settings import Settings
from quantdesk.store.pool import Pools

_DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What others need of who may come in."""

    known: Known
    new_key: str | None
    """The owner's key, if this start made it."""
    callers: Credentials
    signing: SigningKeys
    sessions: Sessions
    tickets: Tickets
    entrance: Entrance
    api_keys: ApiKeys
    users: Users
    sealer: Sealer


async def open_access(
    background: Background,
    settings: Settings,
    home: Path,
    *,
    sealer: Sealer,
    pools: Pools,
    clock: Clock,
) -> Access:
    """Return who may come in, kept true in the background until the stack unwinds.

    Raises `Unavailable` without the database.
    """
    new_id = ids(clock.now_ms)
    new_key = await owner(pools, home, clock)
    token_ms = settings.access.token_days * _DAY_MS
    signing = SigningKeys(pools=pools, sealer=sealer, clock=clock, new_id=new_id, token_ms=token_ms)
    known = await _known(signing, pools, clock)
    tokens = Tokens(signing, audience=f"quantdesk:{settings.mode}", token_ms=token_ms)
    tickets = Tickets(pools=pools, clock=clock)
    sessions = Sessions(
        pools=pools,
        known=known,
        tokens=tokens,
        lasts_ms=max(settings.access.session_days * _DAY_MS, token_ms),
        clock=clock,
        new_id=new_id,
    )
    background.begin("access directory", known.run)
    background.begin("access sessions", sessions.run)
    callers = Credentials(known=known, tokens=tokens, tickets=tickets, clock=clock)
    api_keys = ApiKeys(pools=pools, known=known, clock=clock, new_id=new_id)
    callers.on_use(api_keys.used)
    background.begin("access key uses", api_keys.run)
    users = Users(
        pools=pools,
        known=known,
        sessions=sessions,
        kyc=AdminApproval(),
        clock=clock,
        new_id=new_id,
    )
    return Access(
        known=known,
        new_key=new_key,
        callers=callers,
        api_keys=api_keys,
        users=users,
        signing=signing,
        sessions=sessions,
        tickets=tickets,
        entrance=Entrance(
            pools=pools,
            sessions=sessions,
            tickets=tickets,
            factors=KnownFactors(pools),
            known=known,
        ),
        sealer=sealer,
    )


async def _known(signing: SigningKeys, pools: Pools, clock: Clock) -> Known:
    known = Known(pools=pools, clock=clock)
    known.also("signing_key", signing.load)
    await known.load()
    await signing.load()
    return known


def access_routes(access: Access, settings: Settings, *, clock: Clock) -> tuple[APIRouter, ...]:
    """Return the routes of sessions, keys and users."""
    sessions = SessionRoutes(
        sessions=access.sessions,
        tickets=access.tickets,
        origins=frozenset(settings.api.cors_origins),
    )
    keys = KeyRoutes(keys=access.api_keys, clock=clock)
    users = UserRoutes(users=access.users, clock=clock)
    return sessions.routes(), keys.routes(), users.routes()


def registration(settings: Settings) -> Registration:
    """Return whether strangers may sign in."""
    return settings.access.registration or ("invite" if settings.mode in ELSEWHERE else "open")
