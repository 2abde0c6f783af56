"""Every route of a whole desk holds every caller against the one policy table."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.flow.http.client import RESTING, SELL
from tests.flow.http.people import Person, database, person
from tests.flow.process.running import Answer, Process

from quantdesk.access.limits.routes import RouteClass, class_of
from quantdesk.access.model import Permission, Role
from quantdesk.access.policy import ROLES, granted
from quantdesk.api.needs import BY_CHANNEL, PUBLIC
from quantdesk.store.pool import Connection

NOBODY = UUID(int=7)
BESIDE_OWNER = [role for role in Role if role is not Role.OWNER]
PATHS = {"symbol": "SOL", "name": "simulated", "address": "paper", "raw_id": "x"}
"""Of path parameters that are no identifiers."""


class Route:
    """A route as OpenAPI declares it."""

    def __init__(self, method: str, path: str, declared: str) -> None:
        self.method = method.upper()
        self.path = path
        self.declared = declared

    def at(self, identifier: object) -> str:
        """Return its path with an identifier in place of each parameter."""
        filled = self.path
        for name in [part[1:-1] for part in self.path.split("/") if part.startswith("{")]:
            filled = filled.replace(f"{{{name}}}", PATHS.get(name, str(identifier)))
        return filled

    def __repr__(self) -> str:
        return f"{self.method} {self.path} ({self.declared})"


def routes(desk: Process) -> list[Route]:
    """Return the routes of a desk, sockets left out."""
    document = desk.ask("GET", "/api/openapi.json", None).body
    return [
        Route(method, path, told.get("x-permission", ""))
        for path, methods in sorted(document["paths"].items())
        for method, told in sorted(methods.items())
        if not path.startswith("/ws")
    ]


@pytest.fixture(scope="module")
def people(running: Process) -> dict[Role, Person]:
    return {role: person(running, role) for role in BESIDE_OWNER}


def test_every_route_of_the_document_declares_what_it_needs(running: Process) -> None:
    document = running.ask("GET", "/api/openapi.json", None).body
    allowed = {*Permission, PUBLIC, BY_CHANNEL}

    told = {
        (method, path): route.get("x-permission")
        for path, methods in document["paths"].items()
        for method, route in methods.items()
    }

    assert len(told) > 30
    assert {key: needed for key, needed in told.items() if needed not in allowed} == {}


def test_without_credentials_only_what_is_public_answers(running: Process) -> None:
    for route in routes(running):
        answer = running.ask(route.method, route.at(NOBODY), None, {})
        if route.declared == PUBLIC:
            assert answer.status != 403, route
            assert answer.status != 401 or answer.body["code"] != "request.unauthenticated", route
        else:
            assert answer.status == 401, route
            assert answer.body["code"] == "request.unauthenticated", route


@pytest.mark.parametrize("role", BESIDE_OWNER)
@pytest.mark.parametrize("by", ["session", "key"])
def test_each_role_may_what_the_table_says(
    running: Process, people: dict[Role, Person], role: Role, by: str
) -> None:
    who = people[role]
    for route in routes(running):
        if by == "session" and route.path in {"/api/auth/logout", "/api/sessions"}:
            continue  # would end the session of the tests after
        credential = who.token if by == "session" else who.keys["all"]
        _check(running, route, credential, ROLES[role])


@pytest.mark.parametrize("scope", ["market:read", "orders:read", "orders:write", "account:read"])
def test_each_scope_may_what_the_table_says(
    running: Process, people: dict[Role, Person], scope: str
) -> None:
    who = people[Role.ADMIN]
    for route in routes(running):
        _check(running, route, who.keys[scope], granted(Role.ADMIN, [scope]))


def _asked(desk: Process, method: str, path: str, credential: str, body: object = None) -> Answer:
    """Return an answer, asked again while it comes too often; but for signing in."""
    while True:
        answer = desk.ask(method, path, credential, body)
        if answer.status != 429 or class_of(method, path) is RouteClass.SIGN_IN:
            return answer


def _check(desk: Process, route: Route, credential: str, may: frozenset[Permission]) -> None:
    answer = _asked(desk, route.method, route.at(NOBODY), credential, {})
    told = answer.body.get("code") if isinstance(answer.body, dict) else None
    if told == "request.too_many":
        return  # all these people sign in from one address, more often than one a second
    if route.declared == PUBLIC or route.declared in may:
        assert told not in {"request.forbidden", "request.unauthenticated"}, (route, answer)
        assert answer.status < 500, (route, answer)
    else:
        assert (answer.status, told) == (403, "request.forbidden"), (route, answer)


@pytest.mark.anyio
async def test_streams_ask_for_their_permission(
    running: Process, people: dict[Role, Person]
) -> None:
    admin = people[Role.ADMIN]
    expected = {
        ("/ws/orders", "orders:read"): None,
        ("/ws/orders", "market:read"): 4403,
        (f"/ws/orders/{NOBODY}", "market:read"): 4403,
        (f"/ws/orders/{NOBODY}", "orders:read"): 4404,
    }
    async with aiohttp.ClientSession() as session:
        for (path, scope), code in expected.items():
            headers = {"Authorization": f"Bearer {admin.keys[scope]}"}
            async with session.ws_connect(running.url + path, headers=headers) as socket:
                if code is not None:
                    await socket.receive(timeout=60)
                assert socket.close_code == code


def test_what_is_another_users_is_not_there(running: Process, people: dict[Role, Person]) -> None:
    placed = running.post(RESTING).body["orderId"]
    owners = running.get("/api/keys").body["keys"][0]["keyId"]
    for role in (Role.TRADER, Role.ADMIN):
        key = people[role].keys["all"]
        probes = {
            "order.unknown": [
                ("GET", f"/api/orders/{placed}"),
                ("DELETE", f"/api/orders/{placed}"),
                ("GET", f"/api/orders/{placed}/evidence"),
            ],
            "api_key.unknown": [
                ("DELETE", f"/api/keys/{owners}"),
            ],
            "session.unknown": [("DELETE", f"/api/sessions/{uuid4()}")],
        }
        for code, asked in probes.items():
            for method, path in asked:
                answer = _asked(running, method, path, key)
                assert (answer.status, answer.body["code"]) == (404, code), (method, path)
        assert running.ask("GET", "/api/orders", key).body["orders"] == []
    assert running.get(f"/api/orders/{placed}").body["status"] == "PENDING"
    running.ask("DELETE", f"/api/orders/{placed}", running.key)


@pytest.mark.parametrize("change", ["revoked_at = now()", "role"])
def test_revocation_is_felt_by_a_desk_that_runs(running: Process, change: str) -> None:
    who = person(running, Role.TRADER)
    key = who.keys["orders:write"]
    assert running.ask("POST", "/api/orders", key, {}).body["code"] == "request.malformed"

    async def revoke(c: Connection) -> None:
        if change == "role":
            await c.execute("update accounts set role = 'viewer' where id = $1", who.account_id)
        else:
            await c.execute(f"update api_keys set {change} where account_id = $1", who.account_id)

    database(running, revoke)
    code = "request.forbidden" if change == "role" else "request.unauthenticated"
    running.until(
        lambda: running.ask("POST", "/api/orders", key, {}).body["code"] == code,
        "aware of the revocation",
    )


# Whatever a viewer may try to become somebody who trades, or to make somebody else trade.
ATTEMPTS: list[tuple[str, str, Any]] = [
    ("POST", "/api/orders", SELL),
    ("POST", "/api/trading/order", SELL),
    ("POST", "/api/orders/preview", SELL),
    ("DELETE", "/api/orders/{id}", None),
    ("PATCH", "/api/users/{id}", {"role": "owner"}),
    ("PATCH", "/api/users/{id}", {"role": "trader", "disabled": False}),
    ("PATCH", "/api/users/{id}", {"disabled": True}),
    ("PATCH", "/api/users/{id}", {"plan": "desk", "kyc": "approved"}),
    ("POST", "/api/users", {"email": "friend@example.org", "role": "trader"}),
    ("POST", "/api/users", {"email": "friend@example.org", "role": "viewer"}),
    ("POST", "/api/me/kyc", None),
    ("POST", "/api/keys", {"name": "k", "scopes": ["orders:write"]}),
    ("POST", "/api/keys", {"name": "k", "scopes": ["admin"]}),
    ("POST", "/api/keys", {"name": "k", "scopes": ["market:read", "account:read"]}),
    ("POST", "/api/keys/{id}/rotate", {"overlapS": 60}),
    ("DELETE", "/api/keys/{id}", None),
    ("POST", "/api/auth/refresh", {"refreshToken": "{id}"}),
    ("POST", "/api/auth/ws-ticket", None),
    ("PUT", "/api/limits", {"order_notional_usd_max": "1000000"}),
]
STEP = st.tuples(st.sampled_from(ATTEMPTS), st.integers(0, 50), st.integers(0, 50))
Stage = tuple[Process, Person, str]


@pytest.fixture(scope="module")
def stage(running: Process) -> Iterator[Stage]:
    viewer = person(running, Role.VIEWER)
    resting = running.post(RESTING).body["orderId"]
    yield running, viewer, resting
    running.ask("DELETE", f"/api/orders/{resting}", running.key)


class Viewer:
    """A viewer who uses whatever they are given, from one call to the next."""

    def __init__(self, stage: Stage) -> None:
        self.desk, person, resting = stage
        self.credentials = [person.token, person.keys["all"], person.keys["admin"]]
        self.identifiers = [str(person.account_id), resting]

    def tries(self, attempt: tuple[str, str, Any], credential: str, identifier: str) -> None:
        """Make a call, and keep what it gives."""
        method, path, body = attempt
        if body == {"refreshToken": "{id}"}:
            body = {"refreshToken": identifier}
        answer = self.desk.ask(method, path.replace("{id}", identifier), credential, body)
        assert answer.status < 500, (attempt, answer)
        told = answer.body if isinstance(answer.body, dict) else {}
        self.credentials += [told[name] for name in ("key", "token", "ticket") if told.get(name)]
        self.identifiers += [
            told[name] for name in ("keyId", "userId", "orderId") if told.get(name)
        ]

    def moves_nothing(self) -> None:
        """Fail if anything they hold places an order."""
        for credential in self.credentials:
            tried = self.desk.ask("POST", "/api/orders", credential, SELL)
            assert tried.status in {401, 403}, tried


def test_no_call_lets_a_viewer_move_money(stage: Stage) -> None:
    before = database(stage[0], _standing)
    viewer = Viewer(stage)
    for attempt in ATTEMPTS:
        for credential in viewer.credentials[:4]:
            for identifier in viewer.identifiers[:3]:
                viewer.tries(attempt, credential, identifier)

    viewer.moves_nothing()
    assert database(stage[0], _standing) == before


@settings(max_examples=30)
@given(steps=st.lists(STEP, min_size=2, max_size=20))
def test_no_sequence_of_calls_lets_a_viewer_move_money(
    stage: Stage, steps: list[tuple[tuple[str, str, Any], int, int]]
) -> None:
    before = database(stage[0], _standing)
    viewer = Viewer(stage)
    for attempt, which, target in steps:
        viewer.tries(
            attempt,
            viewer.credentials[-1 - which % len(viewer.credentials)],
            viewer.identifiers[-1 - target % len(viewer.identifiers)],
        )

    viewer.moves_nothing()
    assert database(stage[0], _standing) == before


async def _standing(c: Connection) -> tuple[Any, ...]:
    """Return all that decides who may move money, and all money that was moved."""
    accounts = await c.fetch("select id, role, disabled_at, plan from accounts order by id")
    orders = await c.fetch("select id, account_id, version from orders order by id")
    powerful = await c.fetch(
        """select k.id from api_keys k join accounts a on a.id = k.account_id
           where a.role = 'viewer' and not k.scopes <@
               array['market:read', 'orders:read', 'account:read'] order by k.id"""
    )
    return tuple(map(tuple, accounts)), tuple(map(tuple, orders)), tuple(map(tuple, powerful))
