"""Where sessions are seen: one that goes on from elsewhere, by another program, is an act.

People change networks, and browsers are updated; both at once within minutes is somebody else.
"""

from collections import OrderedDict
from typing import Final
from uuid import UUID

from quantdesk.access.acts import Act, Tell
from quantdesk.access.model import Origin, Principal
from quantdesk.access.networks import network
from quantdesk.core.clock import Clock
from quantdesk.core.ids import NewId

SESSIONS_MAX: Final = 20_000
_MINUTES_MS: Final = 10 * 60_000

_Seen = tuple[str, str, int]


class Sightings:
    """Remembers each session's last address and program; tells `session.moved`."""

    def __init__(self, tell: Tell, *, clock: Clock, new_id: NewId) -> None:
        self._tell = tell
        self._clock = clock
        self._new_id = new_id
        self._seen: OrderedDict[UUID, _Seen] = OrderedDict()

    def see(self, principal: Principal, origin: Origin) -> None:
        """Note a request of a session."""
        session_id = principal.session_id
        if session_id is None:
            return
        now_ms = self._clock.now_ms()
        last = self._seen.get(session_id)
        self._seen[session_id] = (origin.ip, origin.agent, now_ms)
        if last is None:
            if len(self._seen) > SESSIONS_MAX:
                self._seen.popitem(last=False)
        elif last[0] != origin.ip and self._elsewhere(last, origin, now_ms):
            self._tell(
                Act(
                    id=self._new_id(),
                    at_ms=now_ms,
                    action="session.moved",
                    origin=origin,
                    account_id=principal.account_id,
                    session_id=session_id,
                    about=f"session:{session_id}",
                    before={"ip": last[0], "agent": last[1]},
                    after={"ip": origin.ip, "agent": origin.agent},
                )
            )

    @staticmethod
    def _elsewhere(last: _Seen, origin: Origin, now_ms: int) -> bool:
        ip, agent, at_ms = last
        soon = now_ms - at_ms < _MINUTES_MS
        return soon and agent != origin.agent and network(ip) != network(origin.ip)
