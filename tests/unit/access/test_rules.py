"""Nobody hands out more than they have, and nobody but an owner touches an owner."""

from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from quantdesk.access.api_keys import rules as key_rules
from quantdesk.access.model import Account, Permission, Principal, Role
from quantdesk.access.plans import PLANS, entitled
from quantdesk.access.policy import ROLES, SCOPES, granted
from quantdesk.access.users import rules
from quantdesk.access.users.rules import RANKS, Change
from quantdesk.access.wallets.addresses import read as wallet
from quantdesk.core.errors import Refused

ROLE = st.sampled_from(list(Role))
SCOPE = st.sets(st.sampled_from(list(SCOPES)))
MONEY = {Permission.ORDERS_WRITE, Permission.LIMITS_WRITE, Permission.USERS_WRITE}
CHANGE = st.builds(
    Change,
    role=st.none() | ROLE,
    disabled=st.none() | st.booleans(),
    kyc=st.none() | st.sampled_from(["none", "approved"]),
)


def caller(role: Role, number: int = 1) -> Principal:
    return Principal(
        account_id=UUID(int=number), role=role, may=granted(role), session_id=UUID(int=9)
    )


def user(role: Role, number: int = 2, *, disabled: bool = False) -> Account:
    return Account(id=UUID(int=number), name="user", role=role, disabled=disabled)


def test_a_role_holds_all_that_the_one_before_it_does() -> None:
    for lower, higher in zip(Role, list(Role)[1:], strict=False):
        assert ROLES[lower] < ROLES[higher] or higher is Role.OWNER
        assert ROLES[lower] <= ROLES[higher]


def test_a_viewer_moves_nothing() -> None:
    assert not MONEY & ROLES[Role.VIEWER]
    assert Permission.APPROVE not in ROLES[Role.TRADER]


@given(ROLE, SCOPE)
def test_a_key_never_may_more_than_its_role(role: Role, scopes: set[str]) -> None:
    assert granted(role, scopes) <= ROLES[role]
    assert granted(role, scopes) == {p for p in ROLES[role] if any(p in SCOPES[s] for s in scopes)}


@given(ROLE, SCOPE)
def test_keys_are_made_with_scopes_that_their_role_can_use(role: Role, scopes: set[str]) -> None:
    usable = all(ROLES[role] & SCOPES[scope] for scope in scopes)
    if not scopes or not usable or ("admin" in scopes and RANKS[role] < RANKS[Role.ADMIN]):
        with pytest.raises(Refused, match="scope"):
            key_rules.check_scopes(role, scopes)
        return
    made = key_rules.check_scopes(role, scopes)

    assert set(made) == scopes
    assert MONEY.isdisjoint(granted(role, made)) or key_rules.takes_proof(made)


@pytest.mark.parametrize("scopes", [None, ["orders:write"], ["market:read", "admin"]])
def test_keys_of_money_take_a_proof(scopes: list[str] | None) -> None:
    assert key_rules.takes_proof(scopes)
    assert not key_rules.takes_proof(["market:read", "orders:read", "account:read"])


def test_networks_are_written_one_way() -> None:
    told = key_rules.check_networks(["10.0.0.0/8", "192.0.2.1", "192.0.2.1/32", "2001:DB8::/32"])

    assert told == ("10.0.0.0/8", "192.0.2.1/32", "2001:db8::/32")


@pytest.mark.parametrize("network", ["10.0.0.1/8", "localhost", "", "1.2.3", "1.2.3.4/33", "::/x"])
def test_what_is_no_network_is_refused(network: str) -> None:
    with pytest.raises(Refused) as problem:
        key_rules.check_networks([network])

    assert problem.value.code == "key.network"


@given(ROLE, ROLE, CHANGE, st.integers(1, 3))
def test_no_change_of_a_user_gives_more_than_the_caller_has(
    role: Role, theirs: Role, change: Change, owners: int
) -> None:
    assume(Permission.USERS_WRITE in ROLES[role])
    before = user(theirs)
    try:
        rules.check_change(caller(role), before, change, owners=owners)
    except Refused:
        return
    after = rules.changed(before, change)

    assert RANKS[after.role] <= RANKS[role]
    assert RANKS[before.role] <= RANKS[role]
    assert before.role is not Role.OWNER or role is Role.OWNER


@given(CHANGE)
def test_the_last_owner_stays(change: Change) -> None:
    owner = user(Role.OWNER, number=3)
    after = rules.changed(owner, change)
    if after.role is Role.OWNER and not after.disabled:
        rules.check_change(caller(Role.OWNER), owner, change, owners=1)
        return
    with pytest.raises(Refused, match="last owner"):
        rules.check_change(caller(Role.OWNER), owner, change, owners=1)


def test_one_owner_of_two_may_go() -> None:
    leaves = Change(role=Role.VIEWER)
    rules.check_change(caller(Role.OWNER), user(Role.OWNER), leaves, owners=2)
    with pytest.raises(Refused, match="last owner"):
        rules.check_change(caller(Role.OWNER), user(Role.OWNER), leaves, owners=1)
    with pytest.raises(Refused, match="only one who is owner"):
        rules.check_change(caller(Role.ADMIN), user(Role.OWNER), Change(name="x"), owners=2)


@pytest.mark.parametrize("change", [Change(disabled=True), Change(kyc="approved")])
def test_nobody_approves_or_disables_themselves(change: Change) -> None:
    with pytest.raises(Refused) as problem:
        rules.check_change(caller(Role.ADMIN), user(Role.ADMIN, number=1), change, owners=1)

    assert problem.value.code == "user.self"


@given(ROLE, st.none() | ROLE)
def test_raising_somebody_takes_a_proof(before: Role, after: Role | None) -> None:
    raised = after is not None and RANKS[after] > RANKS[before]

    assert rules.takes_proof(before, after) == raised


def test_plans_bound_quotas_and_an_unknown_one_counts_as_the_smallest() -> None:
    assert entitled("gone") == PLANS["free"]
    assert PLANS["free"].keys_max < PLANS["pro"].keys_max < PLANS["desk"].keys_max
    key_rules.check_quota(PLANS["free"].keys_max - 1, entitled("free"))
    with pytest.raises(Refused) as problem:
        key_rules.check_quota(PLANS["free"].keys_max, entitled("free"))
    assert problem.value.code == "plan.keys"


def test_addresses_are_written_as_their_chains_do() -> None:
    # The first vector of EIP-55.
    mixed = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"

    assert wallet(mixed) == wallet(mixed.lower()) == ("evm", mixed)
    assert wallet("So11111111111111111111111111111111111111112")[0] == "solana"


@pytest.mark.parametrize(
    "text", ["0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD", "0x12", "1" * 31, "0" * 40, "l" * 44, ""]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(Refused) as problem:
        wallet(text)

    assert problem.value.code == "wallet.address"


@given(st.text(max_size=60))
def test_whatever_is_typed_as_an_address_is_read_or_refused(text: str) -> None:
    try:
        chain, address = wallet(text)
    except Refused:
        return
    assert wallet(address) == (chain, address)
