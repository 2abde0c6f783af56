"""Acts: what somebody did, or was refused, told to the audit and to the watch over threats.

What changes something is noted in the transaction that changes it (`audit.store.note`), so that
neither is ever without the other; refusals and sign-ins that failed are told (`Tell`) and written
in batches soon after.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec

from quantdesk.access.model import Origin, Principal


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that somebody did: `action` is dotted and stable, such as `session.opened`.

    `about` names what it was done to (`order:…`, `key:…`, `limit:day_notional_usd_max`); `before`
    and `after` are JSON and never hold a secret. `code` is the refusal's, empty when it was done.
    """

    id: UUID
    at_ms: int
    action: str
    origin: Origin
    account_id: UUID | None = None
    key_id: UUID | None = None
    session_id: UUID | None = None
    about: str = ""
    code: str = ""
    before: Any = None
    after: Any = None

    def by(self, caller: Principal) -> "Act":
        """Return it as done by a caller, with the key or session that spoke for them."""
        return msgspec.structs.replace(
            self,
            account_id=caller.account_id,
            key_id=caller.key_id,
            session_id=caller.session_id,
        )


Tell = Callable[[Act], None]
"""Takes an act; returns at once and raises nothing."""
