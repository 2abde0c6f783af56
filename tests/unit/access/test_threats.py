"""Acts add up to security events by the table of rules, within bounded memory."""

from collections.abc import Iterable
from itertools import count
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.access.acts import Act
from quantdesk.access.model import Origin, Principal, Role
from quantdesk.access.networks import network
from quantdesk.access.policy import granted
from quantdesk.access.threats.model import Severity
from quantdesk.access.threats.rules import RULES
from quantdesk.access.threats.sightings import Sightings
from quantdesk.access.threats.watch import Watch
from quantdesk.core.ids import ids
from quantdesk.testing.clock import ManualClock

NOW_MS = 1_700_000_000_000
_numbers = count(1)


def act(
    action: str = "sign_in.failed", *, ip: str = "192.0.2.1", account: int | None = None,
    at_ms: int = NOW_MS, code: str = "", session: int | None = None,
) -> Act:  # fmt: skip
    return Act(
        id=UUID(int=next(_numbers)), at_ms=at_ms, action=action, origin=Origin(ip=ip), code=code,
        account_id=None if account is None else UUID(int=account),
        session_id=None if session is None else UUID(int=session),
    )  # fmt: skip


def watch(subjects_max: int = 100) -> Watch:
    return Watch(new_id=ids(lambda: NOW_MS), subjects_max=subjects_max)


def kinds(acts: Iterable[Act]) -> list[str]:
    seen = watch()
    return [event.kind for one in acts for event in seen.take(one)]


def test_that_ten_failures_of_one_account_are_brute_force_wherever_they_come_from() -> None:
    spread = [act(account=1, ip=f"192.0.{number}.1") for number in range(10)]
    assert kinds(spread[:9]) == []
    assert kinds(spread) == ["brute_force"]


def test_that_what_lies_further_back_than_the_window_does_not_count() -> None:
    slow = [act(account=1, at_ms=NOW_MS + number * 100_001) for number in range(50)]
    assert kinds(slow) == []


def test_that_one_network_trying_many_accounts_is_kept_out() -> None:
    seen = watch()
    tried = [act(account=number, ip=f"192.0.2.{number}") for number in range(1, 9)]
    (event,) = [event for one in tried for event in seen.take(one)]
    assert (event.kind, event.severity) == ("credential_stuffing", Severity.CRITICAL)
    assert (event.network, event.count) == ("192.0.2.0/24", 8)
    assert event.block_s == 3600


def test_that_one_account_many_times_is_no_stuffing() -> None:
    assert "credential_stuffing" not in kinds([act(account=1) for _ in range(100)])


@pytest.mark.parametrize(
    ("acts", "kind"),
    [
        ([act("token.replayed", session=1)], "token_replay"),
        ([act("session.moved", session=1)], "session_change"),
        ([act("audit.tampered")], "audit_tamper"),
        ([act("nonce.replayed")] * 3, "nonce_reuse"),
        ([act("request.refused", account=1, code="request.forbidden")] * 20, "privilege_probing"),
        ([act("request.refused", account=1, code="order.unknown")] * 20, "privilege_probing"),
        ([act(ip="2001:db8::1")] * 30, "brute_force.network"),
    ],
)
def test_that_each_kind_of_threat_is_found(acts: list[Act], kind: str) -> None:
    assert kinds(acts) == [kind]
    assert kinds(acts[:-1]) == []


def test_that_ordinary_refusals_are_no_probing() -> None:
    assert kinds([act("request.refused", account=1, code="funds.insufficient")] * 100) == []


def test_that_counting_begins_anew_after_an_event() -> None:
    assert kinds([act(account=1, ip="") for _ in range(25)]) == ["brute_force"] * 2


@given(st.lists(st.integers(0, 2**32 - 1), max_size=400))
def test_that_memory_is_bounded_however_many_come(addresses: list[int]) -> None:
    seen = watch(subjects_max=10)
    for number in addresses:
        ip = ".".join(str(number >> shift & 255) for shift in (24, 16, 8, 0))
        seen.take(act(account=number, ip=ip))
    assert len(seen) <= 10 * len(RULES)


@pytest.mark.parametrize(
    ("ip", "expected"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("", ""),
        ("unix", ""),
        ("192.0.2.1, 10.0.0.1", ""),
    ],
)
def test_that_an_address_stands_for_its_network(ip: str, expected: str) -> None:
    assert network(ip) == expected


def session(number: int = 1) -> Principal:
    return Principal(
        account_id=UUID(int=1), role=Role.TRADER, may=granted(Role.TRADER),
        session_id=UUID(int=number),
    )  # fmt: skip


async def moves(*origins: tuple[str, str], wait_s: float = 1) -> list[str]:
    told: list[Act] = []
    clock = ManualClock()
    sightings = Sightings(told.append, clock=clock, new_id=ids(clock.now_ms))
    for ip, agent in origins:
        sightings.see(session(), Origin(ip=ip, agent=agent))
        await clock.advance(wait_s)
    return [one.action for one in told]


@pytest.mark.anyio
async def test_that_a_session_elsewhere_in_another_program_is_told() -> None:
    assert await moves(("192.0.2.1", "a"), ("198.51.100.1", "b")) == ["session.moved"]
    assert await moves(("192.0.2.1", "a"), ("198.51.100.1", "a")) == [], "on the train"
    assert await moves(("192.0.2.1", "a"), ("192.0.2.1", "b")) == [], "an update"
    assert await moves(("192.0.2.1", "a"), ("192.0.2.9", "b")) == [], "the same network"
    assert await moves(("192.0.2.1", "a"), ("198.51.100.1", "b"), wait_s=601) == []


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
