"""People of a running desk: an account of any role, with a session and an API key.

They are put into its database as another process of the same desk would do it; the desk hears of
them by itself.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from tests.flow.access.world import World, world
from tests.flow.process.running import Process

from quantdesk.access.api_keys import store as api_keys
from quantdesk.access.api_keys.store import ApiKey
from quantdesk.access.keys import SHOWN, digest, new_key
from quantdesk.access.master import keyring
from quantdesk.access.model import Role
from quantdesk.access.policy import SCOPES
from quantdesk.core.clock import SystemClock
from quantdesk.store.embedded import Embedded
from quantdesk.store.pool import Connection, connect

T = TypeVar("T")


@dataclass(frozen=True)
class Person:
    """Somebody with an account; `keys` are by scope, `all` has none."""

    account_id: UUID
    role: Role
    token: str
    keys: dict[str, str]


def database(desk: Process, ask: Callable[[Connection], Awaitable[T]]) -> T:
    """Return what a question to the desk's own database answers."""

    async def asking() -> T:
        url = await Embedded(desk.home).start()
        async with (
            await connect(url, write_max=1, read_max=1) as pools,
            pools.write.transaction() as c,
        ):
            return await ask(c)

    return asyncio.run(asking())


def person(desk: Process, role: Role) -> Person:
    """Return somebody new of a role, once the desk knows them."""
    made = asyncio.run(_person(desk, role))
    desk.until(lambda: _knows(desk, made.keys["all"]), f"aware of {role}")
    return made


def _knows(desk: Process, key: str) -> bool:
    return desk.ask("GET", "/api/me", key).status == 200


async def _person(desk: Process, role: Role) -> Person:
    url = await Embedded(desk.home).start()
    master = max(keyring.read(desk.home / keyring.FILE).items())[1]
    async with await connect(url, write_max=2, read_max=2) as pools:
        other = await world(pools, SystemClock(), master=master)
        account = await other.account(role)
        opened = await other.sign_in(account)
        keys = {scope: await _key(other, account.id, (scope,)) for scope in SCOPES}
        keys["all"] = await _key(other, account.id, None)
        return Person(account.id, role, opened.token, keys)


async def _key(other: World, account_id: UUID, scopes: tuple[str, ...] | None) -> str:
    secret = new_key()
    key = ApiKey(
        id=other.new_id(),
        account_id=account_id,
        name="test",
        prefix=secret[:SHOWN],
        scopes=scopes,
        allow_ips=(),
        created_ms=other.clock.now_ms(),
    )
    async with other.pools.write.transaction() as c:
        await api_keys.add(c, key, digest(secret))
    return secret
