"""The watch: acts in, security events out, within bounded memory. Pure but for the ids it is given.

Every rule keeps the latest acts of each subject; subjects that nothing was heard of for longest go
first when there are too many, so that an attacker with many addresses fills no memory.
"""

from collections import OrderedDict, deque
from collections.abc import Sequence
from typing import Final

from quantdesk.access.acts import Act
from quantdesk.access.networks import network
from quantdesk.access.threats.model import SecurityEvent
from quantdesk.access.threats.rules import RULES, Rule
from quantdesk.core.ids import NewId

SUBJECTS_MAX: Final = 10_000
"""Subjects remembered of each rule."""

_MS = 1000


class _Count:
    """What one rule has heard: for each subject when, and of which account."""

    def __init__(self, rule: Rule, subjects_max: int) -> None:
        self.rule = rule
        self._subjects_max = subjects_max
        self._heard: OrderedDict[str, deque[tuple[int, str]]] = OrderedDict()

    def take(self, act: Act) -> tuple[int, int] | None:
        """Return how many acts, and since when, if this one makes it an event."""
        rule = self.rule
        subject = rule.subject(act) if rule.counts(act) else ""
        if not subject:
            return None
        heard = self._heard.setdefault(subject, deque(maxlen=rule.count * _KEPT_TIMES))
        self._heard.move_to_end(subject)
        heard.append((act.at_ms, act.about if act.account_id is None else str(act.account_id)))
        while heard[0][0] <= act.at_ms - rule.window_s * _MS:
            heard.popleft()
        if len(self._heard) > self._subjects_max:
            self._heard.popitem(last=False)
        count = len({account for _, account in heard}) if rule.distinct else len(heard)
        if count < rule.count:
            return None
        del self._heard[subject]
        return len(heard), heard[0][0]

    def __len__(self) -> int:
        return len(self._heard)


_KEPT_TIMES: Final = 8  # acts kept of a subject, in multiples of those that make an event


class Watch:
    """Counts acts by every rule."""

    def __init__(
        self,
        *,
        new_id: NewId,
        rules: Sequence[Rule] = RULES,
        subjects_max: int = SUBJECTS_MAX,
    ) -> None:
        self._new_id = new_id
        self._counts = [_Count(rule, subjects_max) for rule in rules]

    def take(self, act: Act) -> list[SecurityEvent]:
        """Return the events that an act completes."""
        found = []
        for count in self._counts:
            counted = count.take(act)
            if counted is not None:
                found.append(self._event(count.rule, act, *counted))
        return found

    def __len__(self) -> int:
        return sum(map(len, self._counts))

    def _event(self, rule: Rule, act: Act, count: int, since_ms: int) -> SecurityEvent:
        return SecurityEvent(
            id=self._new_id(),
            at_ms=act.at_ms,
            kind=rule.kind,
            severity=rule.severity,
            subject=rule.subject(act),
            count=count,
            since_ms=since_ms,
            detail=rule.detail,
            network=network(act.origin.ip),
            account_id=act.account_id,
            block_s=rule.block_s,
        )
