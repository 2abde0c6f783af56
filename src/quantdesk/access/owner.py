"""The owner: made at the first start, with one API key for the machine's own tools."""

from uuid import UUID

from quantdesk.access import store
from quantdesk.access.acts import Act
from quantdesk.access.audit import store as audit
from quantdesk.access.keys import digest, new_key
from quantdesk.access.model import Origin
from quantdesk.core.clock import Clock
from quantdesk.core.ids import NewId
from quantdesk.store.pool import Pools

_KEY_NAME = "owner.key"


async def ensure_owner(
    pools: Pools, *, known_key: str | None, clock: Clock, new_id: NewId
) -> str | None:
    """Make sure there is an owner whose key is at hand; return a fresh key if one was made.

    `known_key` is the key the data folder holds. When it is missing or wrong, a fresh one takes its
    place; the lost one stops working, and so do the sessions that were opened with it.
    """
    async with pools.write.transaction() as c:
        account_id = await store.owner(c)
        if account_id is None:
            account_id = new_id()
            await store.add_owner(c, account_id, created_ms=clock.now_ms())
        if known_key is not None and await store.is_local_key(c, digest(known_key)):
            return None
        key = new_key()
        await store.replace_local_key(
            c,
            account_id,
            key_id=new_id(),
            name=_KEY_NAME,
            key=key,
            created_ms=clock.now_ms(),
        )
        for session_id in await store.end_key_sessions(c, account_id, at_ms=clock.now_ms()):
            await audit.note(c, _closed(account_id, session_id, clock=clock, new_id=new_id))
        return key


def _closed(account_id: UUID, session_id: UUID, *, clock: Clock, new_id: NewId) -> Act:
    return Act(
        id=new_id(),
        at_ms=clock.now_ms(),
        action="session.closed",
        origin=Origin(ip=""),
        account_id=account_id,
        session_id=session_id,
        about=f"session:{session_id}",
        after={"why": "key replaced"},
    )
