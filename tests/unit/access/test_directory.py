"""What is known of callers is what was put last, for the addresses and the time they have."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.access.known.directory import Directory
from quantdesk.access.known.store import Holder, KnownKey, KnownSession
from quantdesk.access.model import Permission, Role
from quantdesk.access.networks import is_loopback, within

HOLDER = Holder(UUID(int=1), Role.TRADER, disabled=False)
SESSION = KnownSession(id=UUID(int=2), account_id=HOLDER.id, proven_ms=0, expires_ms=1_000)


def key(**changed: object) -> KnownKey:
    told = {
        "id": UUID(int=3), "hash": b"h", "account_id": HOLDER.id, "scopes": None, "allow_ips": (),
        "expires_ms": None, "local": False, **changed,
    }  # fmt: skip
    return KnownKey(**told)  # type: ignore[arg-type]


def directory(*keys: KnownKey) -> Directory:
    made = Directory()
    made.put_holders([HOLDER])
    made.put_sessions([SESSION])
    made.put_keys(keys)
    return made


def test_scopes_narrow_a_key() -> None:
    known = directory(key(scopes=("market:read", "admin"), hash=b"a"), key(scopes=("orders:read",)))

    narrow = known.by_key(b"h", ip="", now_ms=0)

    assert narrow is not None
    assert narrow.may == {Permission.ORDERS_READ}


@pytest.mark.parametrize(
    ("ip", "allowed"),
    [
        ("192.0.2.7", True),
        ("::ffff:192.0.2.7", True),
        ("192.0.3.7", False),
        ("2001:db8::1", True),
        ("2001:db9::1", False),
        ("", False),
        ("192.0.2.7, 10.0.0.1", False),
        ("localhost", False),
    ],
)
def test_a_key_with_networks_works_from_there_alone(ip: str, allowed: bool) -> None:  # noqa: FBT001
    known = directory(key(allow_ips=("192.0.2.0/24", "2001:db8::/32")))

    assert (known.by_key(b"h", ip=ip, now_ms=0) is not None) == allowed


@given(st.text() | st.ip_addresses().map(str))
def test_any_text_is_somewhere_or_nowhere(ip: str) -> None:
    assert not within(ip, ("192.0.2.1/32",)) or ip.endswith(("192.0.2.1", "c000:201"))
    assert within(ip, ("0.0.0.0/0", "::/0")) or not is_loopback(ip)


def test_times_end_sessions_and_keys_even_before_they_are_forgotten() -> None:
    known = directory(key(expires_ms=1_000))

    assert known.by_key(b"h", ip="", now_ms=999)
    assert known.by_session(SESSION.id, now_ms=999)
    assert known.by_key(b"h", ip="", now_ms=1_000) is None
    assert known.by_session(SESSION.id, now_ms=1_000) is None
    assert known.expire(now_ms=1_000)
    assert not known.expire(now_ms=1_000)
    assert len(known) == 0


def test_the_desks_own_key_is_local_on_this_machine_alone() -> None:
    known = directory(key(local=True))

    near, far = (known.by_key(b"h", ip=ip, now_ms=0) for ip in ("127.0.0.1", "192.0.2.7"))

    assert near is not None
    assert far is not None
    assert (near.local, far.local) == (True, False)


def test_a_caller_is_as_their_account_is_now() -> None:
    known = directory(key())
    before = known.by_session(SESSION.id, now_ms=0)
    assert before is not None

    known.put_holders([Holder(HOLDER.id, Role.VIEWER, disabled=False)])
    now = known.now(before, now_ms=0)
    assert now is not None
    assert now.may < before.may
    known.put_holders([Holder(HOLDER.id, Role.OWNER, disabled=True)])
    assert known.now(before, now_ms=0) is None
    assert known.by_key(b"h", ip="", now_ms=0) is None


def test_what_was_asked_for_and_is_not_there_works_no_more() -> None:
    known = directory(key())

    known.put_keys((), asked=[UUID(int=3)])
    known.put_sessions((), asked=[SESSION.id])

    assert known.by_key(b"h", ip="", now_ms=0) is None
    assert known.by_session(SESSION.id, now_ms=0) is None
