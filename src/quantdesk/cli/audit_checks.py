"""What the doctor asks of the audit: what keeps a desk from changing it."""

import asyncpg

from quantdesk.access.audit.store import chain
from quantdesk.cli.checks import Finding, Level, unwell
from quantdesk.core.errors import DeskError
from quantdesk.store.pool import connect
from quantdesk.store.role import ROLE

_ABOUT = "audit"


async def protection(url: str) -> Finding:
    """Return which protection of the audit is in force in a database."""
    try:
        async with (
            await connect(url, write_max=1, read_max=1) as pools,
            pools.read.connection() as c,
        ):
            return judged(await chain.protection(c))
    except asyncpg.UndefinedTableError:
        return Finding(Level.OK, _ABOUT, "none yet: the next `quantdesk up` makes it")
    except DeskError as problem:
        return unwell(_ABOUT, problem)


def judged(found: chain.Protection) -> Finding:
    """Return what a protection is worth."""
    if not found.triggers:
        return Finding(
            Level.FAIL,
            _ABOUT,
            "the triggers that keep it append-only are off or gone",
            "find out who did that, run `quantdesk audit verify`, and enable `append_only` as"
            " migration 0012 does",
        )
    if found.role is None:
        return Finding(
            Level.WARN,
            _ABOUT,
            "append-only by triggers alone: the login of the database owns its tables",
            f"once, as somebody who may: create role {ROLE}; grant {ROLE} to LOGIN; grant usage,"
            f" create on schema public to {ROLE}; then restart the desk",
        )
    return Finding(Level.OK, _ABOUT, f"append-only: the desk works as {found.role}, and triggers")
