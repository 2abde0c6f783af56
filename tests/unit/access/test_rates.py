"""Promise: nobody gets more than their rate, nobody else pays for it, and memory is bounded."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.access.limits.admission import Admission
from quantdesk.access.limits.rates import FREE, Rates
from quantdesk.access.limits.refusing import TooMany
from quantdesk.access.limits.routes import RATES, ClassRates, Rate, RouteClass, class_of, rates
from quantdesk.access.model import Origin, Principal, Role
from quantdesk.access.networks import network, whole
from quantdesk.access.policy import granted
from quantdesk.api import problems
from quantdesk.testing.clock import ManualClock

R = RouteClass
ONE = Rate(5, 1)
SMALL = {R.READ: ClassRates(account=ONE, key=Rate(3, 1), address=Rate(8, 2))}


def caller(number: int = 1, *, key: int | None = None, local: bool = False) -> Principal:
    """Return a caller with a session, or with an API key."""
    return Principal(
        account_id=UUID(int=number), role=Role.TRADER, may=granted(Role.TRADER),
        key_id=None if key is None else UUID(int=key), local=local,
    )  # fmt: skip


def passed(judge: Rates, who: Principal | None, count: int, *, ip: str = "") -> int:
    """Return how many of so many requests at once may go on."""
    ip = ip or (f"10.0.0.{who.account_id.int}" if who else "10.0.0.9")
    return sum(judge.take(who, ip, R.READ, 0.0).wait_s == 0 for _ in range(count))


MOMENTS = st.lists(st.floats(0, 60), min_size=1, max_size=200).map(sorted)


@given(MOMENTS, st.floats(1, 10), st.floats(0.1, 5))
def test_that_no_stretch_of_time_gets_more_than_burst_and_rate(
    moments: list[float], burst: float, per_s: float
) -> None:
    judge = Rates({R.READ: ClassRates(account=Rate(burst, per_s))})
    let_on = [at for at in moments if not judge.take(caller(), "", R.READ, at).wait_s]
    for i, first in enumerate(let_on):
        for count, last in enumerate(let_on[i:], start=1):
            assert count <= burst + per_s * (last - first) + 1e-6


@given(MOMENTS)
def test_that_whoever_waits_as_told_is_let_on(moments: list[float]) -> None:
    judge = Rates(SMALL)
    for at in moments:
        if wait_s := judge.take(caller(), "10.0.0.1", R.READ, at).wait_s:
            assert not judge.take(caller(), "10.0.0.1", R.READ, at + wait_s).wait_s
            return


def test_that_accounts_keys_and_addresses_are_bounded_each_by_itself() -> None:
    judge = Rates(SMALL)
    assert passed(judge, caller(1), 10) == 5
    assert passed(judge, caller(2, key=7), 10) == 3
    assert passed(judge, caller(2, key=8), 10, ip="10.0.7.2") == 2, "another key, same account"
    assert passed(judge, None, 20) == 8
    together = [passed(judge, caller(n), 4, ip="10.9.9.9") for n in (3, 4, 5)]
    assert together == [4, 4, 0], "one address, however many accounts"


def test_that_classes_do_not_pay_for_each_other() -> None:
    judge = Rates({R.READ: ClassRates(account=ONE), R.WRITE: ClassRates(account=ONE)})
    assert passed(judge, caller(), 10) == 5
    assert judge.take(caller(), "", R.WRITE, 0.0).wait_s == 0


def test_that_the_owners_key_of_this_machine_is_not_throttled_unless_that_is_set() -> None:
    owner = caller(1, key=1, local=True)
    for name in RATES:
        assert Rates().take(owner, "127.0.0.1", name, 0.0) is FREE
    judge = Rates(rates(orders_per_s=2))
    count = sum(not judge.take(owner, "127.0.0.1", R.ORDERS, 0.0).wait_s for _ in range(50))
    assert count == 10
    assert rates() is RATES


def test_that_memory_is_bounded_and_the_longest_idle_go_first() -> None:
    judge = Rates(SMALL, subjects_max=100)
    assert passed(judge, caller(1), 5) == 5
    for number in range(1_000):
        judge.take(None, f"10.1.{number // 250}.{number % 250}", R.READ, 0.0)
    assert len(judge) <= 300
    assert passed(judge, caller(1), 5) == 0, "addresses do not push accounts out"
    for number in range(2, 101):
        judge.take(caller(number), f"10.2.0.{number}", R.READ, 0.0)
    judge.take(caller(1), "10.0.8.1", R.READ, 0.0)  # used again: it stays
    judge.take(caller(101), "10.0.8.2", R.READ, 0.0)
    assert passed(judge, caller(1), 5, ip="10.0.7.7") == 0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("203.0.113.7", "203.0.113.8", False),
        ("203.0.113.7", "::ffff:203.0.113.7", True),
        ("2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("", "nonsense", True),
    ],
)
def test_that_an_address_is_what_one_person_holds(one: str, other: str, *, same: bool) -> None:
    assert (whole(one) == whole(other)) is same
    assert network("203.0.113.7") == network("203.0.113.99") == "203.0.113.0/24"


@pytest.mark.parametrize(
    ("method", "path", "found"),
    [
        ("GET", "/api/prices/SOL", R.READ),
        ("GET", "/api/orders", R.READ),
        ("GET", "/api/orders/1/evidence", R.EXPENSIVE),
        ("POST", "/api/orders", R.ORDERS),
        ("POST", "/api/orders/preview", R.ORDERS),
        ("POST", "/api/trading/order", R.ORDERS),
        ("DELETE", "/api/orders/1", R.ORDERS),
        ("POST", "/api/trading/halt", R.FREE),
        ("POST", "/api/trading/resume", R.WRITE),
        ("POST", "/api/security/notices/test", R.EXPENSIVE),
        ("GET", "/api/security/notices", R.READ),
        ("POST", "/api/auth/login", R.SIGN_IN),
        ("POST", "/api/auth/refresh", R.WRITE),
        ("GET", "/healthz", R.FREE),
        ("PUT", "/api/limits", R.WRITE),
        ("BREW", "/", R.WRITE),
    ],
)
def test_that_each_route_has_its_class(method: str, path: str, found: RouteClass) -> None:
    assert class_of(method, path) is found


def test_that_a_refusal_says_when_to_come_back_and_what_the_rate_is() -> None:
    clock = ManualClock()
    admit = Admission(Rates(SMALL), clock=clock)
    origin = Origin(ip="10.0.0.1")
    first = dict(admit(caller(), origin, "GET", "/api/orders"))
    assert first[b"ratelimit"] == b'"read-account";r=4;t=1'
    assert first[b"ratelimit-policy"] == b'"read-account";q=5;w=5'
    for _ in range(4):
        admit(caller(), origin, "GET", "/api/orders")
    with pytest.raises(TooMany) as refused:
        admit(caller(), origin, "GET", "/api/orders")
    problem = refused.value
    assert (problem.code, problems.status_of(problem)) == ("request.too_many", 429)
    fields = dict(problems.headers(problem))
    assert fields[b"retry-after"] == b"1"
    assert fields[b"ratelimit"] == b'"read-account";r=0;t=5'
    assert admit(caller(local=True), origin, "GET", "/api/orders") == ()
