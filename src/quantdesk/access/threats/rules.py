"""Which acts add up to a security event: one table. Pure.

A rule counts acts of its kind by a subject within a window; when they are `count`, there is an
event, and the next begins from nothing. `distinct` counts different accounts instead of acts.

Counts follow OWASP's guidance on credential stuffing and session attacks:
https://cheatsheetseries.owasp.org/cheatsheets/Credential_Stuffing_Prevention_Cheat_Sheet.html
"""

from collections.abc import Callable
from typing import Final

import msgspec

from quantdesk.access.acts import Act
from quantdesk.access.networks import network
from quantdesk.access.threats.model import Severity

Subject = Callable[[Act], str]
"""Returns what an act is counted by, "" when it does not count."""

_FAILED: Final = frozenset({"sign_in.failed", "factor.failed"})
_PROBES: Final = frozenset({"request.forbidden", "order.unknown", "session.unknown", "key.unknown"})


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of threat, and when it is one."""

    kind: str
    severity: Severity
    counts: Callable[[Act], bool]
    subject: Subject
    count: int
    window_s: int
    detail: str
    distinct: bool = False
    block_s: int = 0


def _by_account(act: Act) -> str:
    return "" if act.account_id is None else f"account:{act.account_id}"


def _by_network(act: Act) -> str:
    found = network(act.origin.ip)
    return found and f"network:{found}"


def _by_session(act: Act) -> str:
    return "" if act.session_id is None else f"session:{act.session_id}"


def _failed(act: Act) -> bool:
    return act.action in _FAILED


def _is(action: str) -> Callable[[Act], bool]:
    return lambda act: act.action == action


def _probes(act: Act) -> bool:
    return act.action == "request.refused" and act.code in _PROBES


def _everywhere(_: Act) -> str:
    return "desk"


RULES: Final[tuple[Rule, ...]] = (
    Rule(
        kind="brute_force",
        severity=Severity.WARNING,
        counts=_failed,
        subject=_by_account,
        count=10,
        window_s=900,
        detail="wrong passwords or codes for one account; its lock is per network, so its owner"
        " can still sign in from elsewhere",
    ),
    Rule(
        kind="brute_force.network",
        severity=Severity.WARNING,
        counts=_failed,
        subject=_by_network,
        count=30,
        window_s=900,
        detail="wrong passwords or codes from one network",
        block_s=1800,
    ),
    Rule(
        kind="credential_stuffing",
        severity=Severity.CRITICAL,
        counts=_failed,
        subject=_by_network,
        count=8,
        window_s=900,
        detail="one network tries many accounts: somebody else's passwords are being tried here",
        distinct=True,
        block_s=3600,
    ),
    Rule(
        kind="token_replay",
        severity=Severity.CRITICAL,
        counts=_is("token.replayed"),
        subject=_by_session,
        count=1,
        window_s=60,
        detail="a refresh token was used twice: two hold it, and the session was ended",
    ),
    Rule(
        kind="nonce_reuse",
        severity=Severity.WARNING,
        counts=_is("nonce.replayed"),
        subject=_by_network,
        count=3,
        window_s=600,
        detail="signed sign-in texts are sent again",
        block_s=600,
    ),
    Rule(
        kind="session_change",
        severity=Severity.WARNING,
        counts=_is("session.moved"),
        subject=_by_session,
        count=1,
        window_s=60,
        detail="a session went on from another network and another program within minutes",
    ),
    Rule(
        kind="privilege_probing",
        severity=Severity.WARNING,
        counts=_probes,
        subject=_by_account,
        count=20,
        window_s=300,
        detail="an account keeps asking for what it may not see or do",
    ),
    Rule(
        kind="audit_tamper",
        severity=Severity.CRITICAL,
        counts=_is("audit.tampered"),
        subject=_everywhere,
        count=1,
        window_s=60,
        detail="the audit does not verify: rows were changed; run `quantdesk audit verify`",
    ),
)
