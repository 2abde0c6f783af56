"""The promise: the owner handles users, keys and sessions of a desk from the terminal."""

import json
import re

from tests.flow.cli.desk import Home


def test_the_owner_handles_keys(desk: Home) -> None:
    made = desk.run("keys", "add", "a bot", "--scope", "market:read", "--scope", "orders:write")
    assert made.code == 0, made.err
    key = made.out.strip()
    assert re.fullmatch(r"qd_[\w-]{43}", key)
    assert "shown this once" in made.err
    listed = json.loads(desk.run("keys", "--json").out)["keys"]
    found = next(k for k in listed if k["name"] == "a bot")
    assert found["prefix"] == key[:11]
    assert found["scopes"] == ["market:read", "orders:write"]
    shown = desk.run("keys").out
    assert "market:read orders:write" in shown
    assert "owner.key" in shown
    assert key not in shown

    rotated = desk.run("keys", "rotate", found["keyId"], "--overlap-s", "0")
    assert rotated.code == 0, rotated.err
    assert rotated.out.strip() != key
    listed = json.loads(desk.run("keys", "--json").out)["keys"]
    assert found["keyId"] not in {k["keyId"] for k in listed}
    newer = next(k for k in listed if k["name"] == "a bot")
    assert desk.run("keys", "revoke", newer["keyId"]).code == 0
    again = desk.run("keys", "revoke", newer["keyId"])
    assert (again.code, "api_key.unknown" in again.err) == (1, True)


def test_a_key_that_cannot_be_is_refused_with_the_reason(desk: Home) -> None:
    unknown = desk.run("keys", "add", "x", "--scope", "everything")
    network = desk.run("keys", "add", "x", "--scope", "market:read", "--allow-ip", "home")
    past = desk.run(
        "keys", "add", "x", "--scope", "market:read", "--expires", "2001-01-01T00:00:00Z"
    )

    assert [said.code for said in (unknown, network, past)] == [1, 1, 1]
    assert "key.network" in network.err
    assert "203.0.113.0/24" in network.err
    assert "request.malformed" in unknown.err
    assert "key.expiry" in past.err


def test_the_owner_handles_users(desk: Home) -> None:
    added = desk.run("users", "add", "ann@example.org", "--role", "trader", "--name", "Ann")
    assert added.code == 0, added.err
    users = json.loads(desk.run("users", "--json").out)["users"]
    ann = next(user for user in users if user["name"] == "Ann")
    assert (ann["role"], ann["email"]) == ("trader", "ann@example.org")

    changed = desk.run("users", "set", ann["userId"], "--role", "viewer", "--disable")
    assert changed.code == 0, changed.err
    assert "viewer, disabled" in changed.out
    assert "viewer, disabled" in desk.run("users").out
    assert desk.run("users", "set", ann["userId"]).code == 1
    owner = next(user for user in users if user["role"] == "owner")
    last = desk.run("users", "set", owner["userId"], "--role", "admin")
    assert (last.code, "user.last_owner" in last.err) == (1, True)


def test_the_owner_sees_and_ends_sessions(desk: Home) -> None:
    listed = desk.run("sessions")
    assert listed.code == 0, listed.err
    assert "nobody is signed in" in listed.err
    assert "sessions ended: 0" in desk.run("sessions", "end").out
    unknown = desk.run("sessions", "end", "nobody")
    assert (unknown.code, "session.unknown" in unknown.err) == (1, True)
