"""Second factors over HTTP: every way through, what each refusal answers, what nobody may read."""

from collections.abc import AsyncIterator

import httpx2
import msgspec
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send
from tests.flow.access.factors.ground import HERE, Ground

from quantdesk.access.model import Permission, Principal
from quantdesk.api.pages import pages
from quantdesk.api.sign_in.factor_changes import FactorChangeRoutes
from quantdesk.api.sign_in.factors import FactorRoutes
from quantdesk.telemetry.metrics import Metrics
from quantdesk.testing.authenticator import Authenticator, BadDay

pytestmark = pytest.mark.anyio


class Caller:
    """A client whose requests speak for `principal`, as the edge has found out."""

    def __init__(self, app: ASGIApp) -> None:
        self.principal: Principal | None = None
        self._app = app
        self.http = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=self._serve), base_url="http://desk"
        )

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.update(principal=self.principal, origin=HERE, request_id=1)
        await self._app(scope, receive, send)

    async def post(self, path: str, body: object = None) -> httpx2.Response:
        """Post a JSON body."""
        return await self.http.post(f"/api/auth{path}", json=body)

    async def code(self, path: str, body: object = None) -> tuple[int, str]:
        """Return status and code of a refusal."""
        answer = await self.post(path, body)
        return answer.status_code, answer.json()["code"]


@pytest.fixture
async def caller(desk: Ground) -> AsyncIterator[Caller]:
    """Return a client of the routes on a fresh database."""
    routers = [
        FactorRoutes(
            second_step=desk.second_step,
            passkeys=desk.alone,
            step_up=desk.step_up,
        ).routes(),
        FactorChangeRoutes(known=desk.known, enrolment=desk.enrolment).routes(),
    ]
    client = Caller(pages(routers, version="1", metrics=Metrics()))
    async with client.http:
        yield client


async def test_an_app_is_added_shown_and_removed(desk: Ground, caller: Caller) -> None:
    ann = await desk.user("ann")
    caller.principal = desk.session(ann)
    seed = await caller.post("/factors/totp")
    assert seed.headers["cache-control"] == "no-store"
    code = desk.code(seed.json()["secret"])

    added = await caller.post("/factors/totp/confirm", {"code": code})
    assert len(added.json()["recoveryCodes"]) == 10
    assert added.headers["cache-control"] == "no-store"
    shown = await caller.http.get("/api/auth/factors")
    assert shown.json() == {
        "methods": ["totp", "recovery"],
        "totp": {"addedAt": "2023-11-14T22:13:20.000Z"},
        "passkeys": [],
        "recoveryCodesLeft": 10,
    }
    for secret in (seed.json()["secret"], *added.json()["recoveryCodes"]):
        assert secret not in shown.text, "seen once, never again"

    renewed = await caller.post("/factors/recovery-codes")
    assert not set(renewed.json()["recoveryCodes"]) & set(added.json()["recoveryCodes"])
    assert (await caller.http.delete("/api/auth/factors/totp")).status_code == 204
    assert not await desk.known.methods(ann.id)


async def test_a_passkey_is_added_signs_in_proves_and_is_removed(
    desk: Ground, caller: Caller
) -> None:
    ann = await desk.user("ann")
    authenticator = Authenticator()
    caller.principal = session = desk.session(ann)
    options = (await caller.post("/factors/passkeys/options")).json()["publicKey"]
    made = {"name": "laptop", "passkey": authenticator.create(options)}
    added = await caller.post("/factors/passkeys", made)
    assert (added.status_code, len(added.json()["recoveryCodes"])) == (201, 10)

    options = (await caller.post("/proof/options")).json()["publicKey"]
    proof = await caller.post("/proof", {"passkey": authenticator.get(options)})
    assert proof.json() == {
        "provenAt": "2023-11-14T22:13:20.000Z",
        "freshUntil": "2023-11-14T22:18:20.000Z",
    }
    assert set(desk.door.proofs) == {session.session_id}

    caller.principal = None
    options = (await caller.post("/passkey/options")).json()["publicKey"]
    alone = await caller.post("/passkey", {"passkey": authenticator.get(options), "cookie": True})
    assert alone.json()["user"]["userId"] == str(ann.id)
    assert alone.cookies["qd_session"] == alone.json()["token"] == "t"
    ticket = await desk.ticket(ann)
    options = (await caller.post("/mfa/options", {"ticket": ticket})).json()["publicKey"]
    beside = await caller.post("/mfa", {"ticket": ticket, "passkey": authenticator.get(options)})
    assert (beside.json()["user"]["userId"], beside.json()["token"]) == (str(ann.id), "t")
    assert "set-cookie" not in beside.headers

    caller.principal = session
    path = f"/api/auth/factors/passkeys/{added.json()['passkey']['passkeyId']}"
    assert (await caller.http.delete(path)).status_code == 204
    assert (await caller.http.delete(path)).status_code in {404, 422}
    assert not await desk.known.methods(ann.id)


async def test_a_sign_in_is_finished_by_code_or_recovery_code(desk: Ground, caller: Caller) -> None:
    ann = await desk.user("ann")
    seed, codes = await desk.with_app(ann)

    for shown in ({"code": desk.code(seed)}, {"recoveryCode": codes[0]}):
        body = {"ticket": await desk.ticket(ann), **shown}
        assert (await caller.post("/mfa", body)).json()["user"]["userId"] == str(ann.id)
        refusal = await caller.post("/mfa", {**body, "ticket": await desk.ticket(ann)})
        assert refusal.json()["code"] == "factor.wrong"
        assert next(iter(shown.values())) not in refusal.text


async def test_a_first_factor_proves_presence_with_all_that_its_text_is_bound_to(
    desk: Ground, caller: Caller
) -> None:
    caller.principal = desk.session(await desk.user("ann"))
    wallet = {"address": "a", "message": "m", "signature": "right"}

    assert (await caller.post("/proof", {"password": "right"})).status_code == 200
    caller.http.cookies.set("qd_nonce", "browser")
    assert (await caller.post("/proof", {"wallet": wallet})).status_code == 200

    (shown,) = desk.door.wallets
    assert (shown.address, shown.host, dict(shown.cookies)) == (
        "a",
        "desk",
        {"qd_nonce": "browser"},
    )
    assert (await caller.post("/proof", {"password": "wrong"})).json()["code"] == "proof.wrong"


MALFORMED: list[tuple[str, object]] = [
    ("/mfa", {"ticket": "t"}),
    ("/mfa", {"ticket": "t", "code": "123456", "recoveryCode": "x"}),
    ("/mfa", {"ticket": "t", "code": "12345"}),
    ("/mfa", {"ticket": "t", "code": "12345x"}),
    ("/mfa", {"ticket": "t", "code": "123456\n"}),
    ("/mfa", {"ticket": "t", "code": "１２３４５６"}),  # noqa: RUF001 - digits, but not ours
    ("/mfa", {"ticket": "t", "code": 123456}),
    ("/mfa", {"ticket": "", "code": "123456"}),
    ("/mfa", {"ticket": "t" * 513, "code": "123456"}),
    ("/mfa", {"ticket": "t", "code": "123456", "role": "admin"}),
    ("/mfa", {"ticket": "t", "password": "right"}),
    ("/mfa", {"ticket": "t", "passkey": {}}),
    ("/mfa/options", {}),
    ("/mfa/options", []),
    ("/passkey", {"passkey": {"id": "a", "rawId": "a", "type": "other", "response": {}}}),
    ("/passkey", {}),
    ("/proof", {}),
    ("/proof", {"password": ""}),
    ("/proof", {"password": "x" * 1025}),
    ("/proof", {"password": "x", "code": "123456"}),
    ("/proof", {"wallet": {"address": "a", "message": "m"}}),
    ("/factors/totp/confirm", {}),
    ("/factors/passkeys", {"name": "x"}),
    ("/factors/passkeys", {"name": "a\nb", "passkey": {}}),
]


async def test_what_is_malformed_is_refused(desk: Ground, caller: Caller) -> None:
    caller.principal = desk.session(await desk.user("ann"))

    for path, body in MALFORMED:
        assert await caller.code(path, body) == (400, "request.malformed"), (path, body)
    answer = Authenticator()
    options = (await caller.post("/factors/passkeys/options")).json()["publicKey"]
    made = answer.create(options)
    for name in ("", "x" * 65, "a\x00b"):
        body = {"name": name, "passkey": made}
        assert await caller.code("/factors/passkeys", body) == (400, "request.malformed")
    path = "/api/auth/factors/passkeys/not-an-id"
    assert (await caller.http.delete(path)).json()["code"] == "request.malformed"


async def test_what_a_session_needs_nobody_else_gets(desk: Ground, caller: Caller) -> None:
    ann = await desk.user("ann")
    routes = [
        ("POST", "/factors/totp"),
        ("POST", "/factors/totp/confirm"),
        ("DELETE", "/factors/totp"),
        ("POST", "/factors/recovery-codes"),
        ("POST", "/factors/passkeys/options"),
        ("POST", "/factors/passkeys"),
        ("DELETE", "/factors/passkeys/00000000-0000-0000-0000-000000000001"),
        ("GET", "/factors"),
        ("POST", "/proof/options"),
        ("POST", "/proof"),
    ]
    for method, path in routes:
        answer = await caller.http.request(method, f"/api/auth{path}")
        assert answer.json()["code"] == "request.unauthenticated", path
    caller.principal = msgspec.structs.replace(
        desk.session(ann), may=frozenset({Permission.MARKET_READ})
    )
    for method, path in routes:
        answer = await caller.http.request(method, f"/api/auth{path}")
        assert answer.json()["code"] == "request.forbidden", path
    caller.principal = desk.session(ann, proven=False)
    for path in ("/factors/totp", "/factors/recovery-codes", "/factors/passkeys/options"):
        assert (await caller.post(path)).json()["code"] == "proof.needed", path


async def test_options_for_a_passkey_tell_nothing_of_who_is_there(
    desk: Ground, caller: Caller
) -> None:
    empty = (await caller.post("/passkey/options")).json()["publicKey"]
    await desk.with_passkey(await desk.user("ann"), Authenticator())
    full = (await caller.post("/passkey/options")).json()["publicKey"]

    assert empty.pop("challenge") != full.pop("challenge")
    assert empty == full
    stranger = Authenticator("stranger")
    stranger.create(await desk.enrolment.begin_passkey(desk.session(await desk.user("bob"))))
    unknown = stranger.get((await caller.post("/passkey/options")).json()["publicKey"])
    known = Authenticator()
    known.create({**await desk.enrolment.begin_passkey(desk.session(await desk.user("eve")))})
    bad = known.get(
        (await caller.post("/passkey/options")).json()["publicKey"], BadDay(verified=False)
    )
    answers = [await caller.post("/passkey", {"passkey": one}) for one in (unknown, bad)]

    assert {(one.status_code, one.text) for one in answers} == {
        (answers[0].status_code, answers[0].text)
    }
    assert answers[0].json()["code"] == "factor.wrong"


async def test_every_body_is_in_the_document(caller: Caller) -> None:
    document = (await caller.http.get("/api/openapi.json")).json()

    taken = {
        path: operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
        for path, operations in document["paths"].items()
        for operation in operations.values()
        if "requestBody" in operation
    }
    assert {path: ref.rpartition("/")[2] for path, ref in taken.items() if "auth" in path} == {
        "/api/auth/mfa": "SecondStepRequest",
        "/api/auth/mfa/options": "TicketRequest",
        "/api/auth/passkey": "PasskeyRequest",
        "/api/auth/proof": "ProofRequest",
        "/api/auth/factors/totp/confirm": "CodeRequest",
        "/api/auth/factors/passkeys": "NewPasskeyRequest",
    }
    for path, operations in document["paths"].items():
        if path.startswith("/api/auth/"):
            assert all("x-permission" in operation for operation in operations.values()), path
