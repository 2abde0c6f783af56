"""Signing in by way of providers, joined from the settings."""

from contextlib import AsyncExitStack
from pathlib import Path
from uuid import UUID

from starlette.requests import Request

from quantdesk.access.oauth.client import Client
from quantdesk.access.oauth.provider import Provider, checked
from quantdesk.access.oauth.sign_in import OAuth
from quantdesk.access.wallets.sites import Sites
from quantdesk.access.ways import store as ways
from quantdesk.api.sign_in.oauth import OAuthRoutes
from quantdesk.api.welcome import answered
from quantdesk.app.access import registration
from quantdesk.app.sign_in.joined import Joined
from quantdesk.core import secret_file
from quantdesk.settings import OAuthSettings
from quantdesk.telemetry.log import hide


def open_oauth(stack: AsyncExitStack, joined: Joined) -> OAuthRoutes:
    """Return the routes of all configured providers, until the stack unwinds.

    Raises `Refused` (`oauth.settings`, `key.*`).
    """
    configured = joined.settings.access.oauth
    oauth = OAuth(
        {
            name: Client(checked(_provider(name, one)), clock=joined.clock)
            for name, one in configured.items()
        },
        pools=joined.pools,
        sealer=joined.access.sealer,
        registration=registration(joined.settings),
        clock=joined.clock,
        new_id=joined.new_id,
    )
    stack.push_async_callback(oauth.close)
    known = Sites(joined.sites)

    def address(request: Request) -> str:
        return known.at(request.headers.get("host", "")).uri

    async def other_ways(account_id: UUID) -> bool:
        async with joined.pools.read.connection() as c:
            return await ways.without_identity(c, account_id)

    return OAuthRoutes(
        oauth,
        welcome=joined.access.entrance,
        answered=answered,
        fresh=joined.fresh,
        address=address,
        other_ways=other_ways,
    )


def _provider(name: str, one: OAuthSettings) -> Provider:
    secret = ""
    if one.client_secret_file:
        secret = secret_file.read(Path(one.client_secret_file).expanduser()).decode().strip()
        hide(secret)
    return Provider(
        name=name,
        issuer=one.issuer,
        client_id=one.client_id,
        secret=secret,
        scope=one.scope,
        authorize_url=one.authorize_url,
        token_url=one.token_url,
        userinfo_url=one.userinfo_url,
        subject_field=one.subject_field,
    )
