"""The SQL of the audit."""

import msgspec

from quantdesk.access.acts import Act
from quantdesk.core.clock import utc
from quantdesk.store.pool import Connection


async def note(c: Connection, *acts: Act) -> None:
    """Note acts in the transaction that does them."""
    await c.executemany(
        "insert into acts (id, at, act) values ($1, $2, $3)",
        [(act.id, utc(act.at_ms), msgspec.to_builtins(act)) for act in acts],
    )
