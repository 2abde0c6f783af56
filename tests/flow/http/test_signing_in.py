"""Every way into a running desk, as its users take it; and what stays shut."""

import email
import email.policy
import json
import re
import time
import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pyotp
import pytest
from solders.keypair import Keypair
from tests.flow.http.client import SELL, WAIT_S
from tests.flow.process.running import PAPER, Process, desk, homes

from quantdesk.cli import sign_in
from quantdesk.core.clock import SystemClock

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of the provider's own dependencies
    import oidc_provider_mock

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
PASSWORD = "a long way to Tipperary 7"


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """Run a real OpenID Connect provider; its address."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with oidc_provider_mock.run_server_in_thread() as server:
            yield f"http://localhost:{server.server_port}"


@pytest.fixture(scope="module")
def running(provider: str) -> Iterator[Process]:
    with homes() as folder:
        secret = folder / "acme.secret"
        secret.write_text("known to both")
        secret.chmod(0o600)
        told = {"issuer": provider, "client_id": "desk", "client_secret_file": str(secret)}
        flags = [f"access.oauth.acme.{name}={value}" for name, value in told.items()]
        with desk(folder / "home", *PAPER, *(f for flag in flags for f in ("--set", flag))) as it:
            yield from _served(it)


def _served(started: Process) -> Iterator[Process]:
    started.start()
    yield started
    assert '"event": "http.unexpected"' not in started.said()
    assert started.stop() == 0


class Browser:
    """Somebody with a cookie jar, and a token where they asked for one."""

    def __init__(self, desk: Process, session: aiohttp.ClientSession) -> None:
        self.desk = desk
        self.session = session
        self.token = ""

    async def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Return status and body of an answer, asked with the token there is."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        async with self.session.request(
            method, self.desk.url + path, json=body, headers=headers, allow_redirects=False
        ) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if text else None

    async def post(self, path: str, body: object = None) -> tuple[int, Any]:
        """Return status and body of the answer to a POST."""
        return await self.ask("POST", path, body if body is not None else {})

    async def signed(self, wallet: Keypair, purpose: str = "sign-in") -> dict[str, str]:
        """Return a wallet's answer to the desk's text."""
        asked = {"address": str(wallet.pubkey()), "chain": "solana", "purpose": purpose}
        status, given = await self.post("/api/auth/nonce", asked)
        assert status == 200, given
        signature = str(wallet.sign_message(given["message"].encode()))
        return {
            "address": asked["address"], "signature": signature, "message": given["message"],
        }  # fmt: skip

    async def enter(self, wallet: Keypair) -> dict[str, Any]:
        """Sign in with a wallet; return what was answered."""
        status, answer = await self.post("/api/auth/wallet", await self.signed(wallet))
        assert status == 200, answer
        self.token = answer.get("token", "")
        told: dict[str, Any] = answer
        return told


@pytest.fixture
async def browser(running: Process) -> AsyncIterator[Browser]:
    timeout = aiohttp.ClientTimeout(total=WAIT_S)
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(timeout=timeout, cookie_jar=jar) as session:
        yield Browser(running, session)


@pytest.fixture
async def owner(running: Process) -> AsyncIterator[Browser]:
    async with aiohttp.ClientSession() as session:
        made = Browser(running, session)
        made.token = running.key
        yield made


def letter(desk: Process, to: str, subject: str) -> str:
    """Return the text of the newest letter to somebody."""
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        found = [
            message
            for path in sorted((desk.home / "mail").glob("*.eml"), key=_age)
            for message in [
                email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            ]
            if message["To"] == to and subject in message["Subject"]
        ]
        if found:
            body = found[-1].get_body()
            assert body is not None
            return str(body.get_content())
        time.sleep(0.05)
    pytest.fail(f"no letter about {subject} to {to}")


def _age(path: Path) -> int:
    return path.stat().st_mtime_ns


def token_of(text: str) -> str:
    (found,) = re.findall(r"#([A-Za-z0-9_-]{43})", text)
    return str(found)


async def test_the_owner_comes_in_with_the_key_of_the_desk(
    running: Process, browser: Browser
) -> None:
    status, told = await browser.post("/api/auth/key", {"key": "qd_" + "x" * 43})
    assert (status, told["code"]) == (401, "sign_in.failed")
    status, answer = await browser.post("/api/auth/key", {"key": running.key, "cookie": True})

    assert (status, answer["user"]["role"]) == (200, "owner")
    cookies = {cookie.key for cookie in browser.session.cookie_jar}
    assert cookies == {"qd_session", "qd_csrf", "qd_refresh"}
    assert (await browser.ask("GET", "/api/me"))[0] == 200, "by its cookie"
    browser.session.cookie_jar.clear()
    browser.token = answer["token"]
    status, proof = await browser.post("/api/auth/proof", {"key": running.key})
    assert (status, set(proof)) == (200, {"provenAt", "freshUntil"})
    assert (await browser.post("/api/orders", SELL))[0] == 201


async def test_a_wallet_signs_in_trades_and_signs_out(browser: Browser) -> None:
    wallet = Keypair()
    proof = await browser.signed(wallet)
    status, answer = await browser.post("/api/auth/wallet", proof)
    assert (status, answer["user"]["role"]) == (200, "trader")
    assert {"token", "refreshToken", "expiresAt", "balances"} <= answer.keys()
    assert (await browser.post("/api/auth/wallet", proof))[0] == 401, "once only"

    browser.token = answer["token"]
    status, placed = await browser.post("/api/orders", SELL)
    assert status == 201
    status, me = await browser.ask("GET", "/api/me")
    assert (status, me["user"]["userId"]) == (200, answer["user"]["userId"])
    assert (await browser.post("/api/auth/logout"))[0] in {200, 204}
    assert (await browser.ask("GET", "/api/me"))[0] == 401, "felt at once"

    again = await browser.enter(wallet)
    assert again["user"]["userId"] == answer["user"]["userId"]
    assert (await browser.ask("GET", f"/api/orders/{placed['orderId']}"))[0] == 200


async def test_the_owner_of_a_new_desk_signs_in_by_wallet(
    browser: Browser, running: Process, tmp_path: Path
) -> None:
    wallet = Keypair()
    file = tmp_path / "id.json"
    file.write_text(str(list(bytes(wallet))))
    file.chmod(0o600)
    assert await sign_in._linked(running.home, file) == str(wallet.pubkey())
    assert (await browser.enter(wallet))["user"]["role"] == "owner"
    assert (await browser.ask("GET", "/api/audit"))[0] == 200


async def test_nobody_sees_what_is_anothers(browser: Browser, owner: Browser) -> None:
    status, placed = await owner.post("/api/orders", SELL)
    assert status == 201
    await browser.enter(Keypair())
    for path in ("", "/evidence", "/evidence/pack"):
        status, problem = await browser.ask("GET", f"/api/orders/{placed['orderId']}{path}")
        assert status in {403, 404}, (path, problem)
    assert (await browser.ask("GET", "/api/orders"))[1]["orders"] == []
    for path in ("/api/users", "/api/audit", "/api/security/events"):
        assert (await browser.ask("GET", path))[0] == 403, path
    status, problem = await browser.post("/api/trading/halt", {"scope": "all", "reason": "me"})
    assert (status, problem["code"]) == (403, "request.wider")


async def test_an_address_and_a_password(browser: Browser, running: Process) -> None:
    who = {"email": "ann@example.com", "password": PASSWORD}
    assert (await browser.post("/api/auth/register", who))[0] == 202
    proof = {"token": token_of(letter(running, "ann@example.com", "onfirm"))}
    assert (await browser.post("/api/auth/verify", proof))[0] == 200
    assert (await browser.post("/api/auth/verify", proof))[0] == 400, "once only"

    wrong = {**who, "password": PASSWORD + "8"}
    nobody = {**who, "email": "nobody@example.com"}
    for one in (wrong, nobody):
        status, problem = await browser.post("/api/auth/login", one)
        assert (status, problem["code"]) == (401, "sign_in.failed")
    status, answer = await browser.post("/api/auth/login", who)
    assert (status, answer["user"]["emailVerified"]) == (200, True)

    browser.token = answer["token"]
    assert (await browser.post("/api/auth/reset", {"email": who["email"]}))[0] == 202
    reset = {
        "token": token_of(letter(running, who["email"], "assword")),
        "password": "otherwise 42 now",
    }
    assert (await browser.post("/api/auth/reset/confirm", reset))[0] == 200
    assert (await browser.ask("GET", "/api/me"))[0] == 401, "all sessions are over"


async def test_a_provider_that_speaks_openid_connect(browser: Browser) -> None:
    people = []
    for _ in range(2):
        async with browser.session.get(
            f"{browser.desk.url}/api/auth/oauth/acme?cookie=false", allow_redirects=False
        ) as answer:
            assert answer.status == 303
            there = answer.headers["location"]
        async with browser.session.post(
            there, data={"sub": "carol"}, allow_redirects=False
        ) as answer:
            assert answer.status in {302, 303}, await answer.text()
            back = answer.headers["location"]
        async with browser.session.get(back) as answer:
            assert answer.status == 200, await answer.text()
            people.append(await answer.json())
        async with browser.session.get(back) as answer:
            assert answer.status == 401, "once only"
        async with browser.session.get(
            back, headers={"Accept": "text/html,*/*;q=0.8"}, allow_redirects=False
        ) as answer:
            assert answer.status == 303, "a person is told by the page"
            assert answer.headers["location"] == "/sign-in#refused=oauth.state"
    assert people[0]["user"]["userId"] == people[1]["user"]["userId"]
    assert [one["newAccount"] for one in people] == [True, False]
    browser.token = people[0]["token"]
    _, known = await browser.ask("GET", "/api/identities")
    assert [one["provider"] for one in known["identities"]] == ["acme"]


async def test_a_second_factor_and_what_it_guards(browser: Browser) -> None:
    wallet = Keypair()
    await browser.enter(wallet)
    status, seed = await browser.post("/api/auth/factors/totp")
    assert status == 200, seed
    app = pyotp.TOTP(seed["secret"])
    now = SystemClock().now_ms() // 1000
    status, made = await browser.post("/api/auth/factors/totp/confirm", {"code": app.at(now)})
    assert status == 200, made
    assert len(made["recoveryCodes"]) == 10

    browser.token = ""
    answer = await browser.enter(wallet)
    needed = answer["factorNeeded"]
    assert "totp" in needed["methods"]
    step = {"ticket": needed["ticket"]}
    assert (await browser.post("/api/auth/mfa", {**step, "code": app.at(now)}))[0] == 401, "used"
    status, answer = await browser.post("/api/auth/mfa", {**step, "code": app.at(now + 30)})
    assert (status, "token" in answer) == (200, True)
    code = {"recoveryCode": made["recoveryCodes"][0]}
    again = (await browser.enter(wallet))["factorNeeded"]["ticket"]
    assert (await browser.post("/api/auth/mfa", {"ticket": again, **code}))[0] == 200
    again = (await browser.enter(wallet))["factorNeeded"]["ticket"]
    assert (await browser.post("/api/auth/mfa", {"ticket": again, **code}))[0] == 401, "used"


async def test_a_key_does_what_its_scopes_say_and_no_more(browser: Browser) -> None:
    await browser.enter(Keypair())
    status, made = await browser.post("/api/keys", {"name": "watcher", "scopes": ["market:read"]})
    assert status == 201, made
    session, browser.token = browser.token, made["key"]
    assert (await browser.ask("GET", "/api/prices"))[0] == 200
    assert (await browser.post("/api/orders", SELL))[0] == 403
    assert (await browser.ask("GET", "/api/orders"))[0] == 403
    assert (await browser.post("/api/keys", {"name": "more", "scopes": ["admin"]}))[0] == 403
    browser.token = session
    assert (await browser.ask("DELETE", f"/api/keys/{made['keyId']}"))[0] in {200, 204}
    browser.token = made["key"]
    assert (await browser.ask("GET", "/api/prices"))[0] == 401


async def test_a_browser_holds_its_session_in_a_cookie_no_other_site_can_use(
    browser: Browser,
) -> None:
    proof = await browser.signed(Keypair())
    status, answer = await browser.post("/api/auth/wallet", {**proof, "cookie": True})
    assert status == 200
    assert "refreshToken" not in answer
    jar = {cookie.key: cookie for cookie in browser.session.cookie_jar}
    assert jar["qd_session"]["httponly"]
    assert jar["qd_session"]["samesite"].lower() == "strict"
    assert (await browser.ask("GET", "/api/me"))[0] == 200
    status, problem = await browser.post("/api/orders", SELL)
    assert (status, problem["code"]) == (403, "request.csrf")
    url, csrf = browser.desk.url, {"X-CSRF-Token": jar["qd_csrf"].value}
    for origin, expected in ((url, 201), ("https://evil.example", 403)):
        headers = {**csrf, "Origin": origin}
        async with browser.session.post(f"{url}/api/orders", json=SELL, headers=headers) as done:
            assert done.status == expected, await done.text()
    async with browser.session.ws_connect(f"{url}/ws", headers={"Origin": url}) as socket:
        assert (await socket.receive()).type is aiohttp.WSMsgType.TEXT
    evil = {"Origin": "https://evil.example"}
    async with browser.session.ws_connect(f"{url}/ws", headers=evil) as socket:
        assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
        assert socket.close_code == 4403


async def test_what_was_done_is_in_the_audit_and_verifies(browser: Browser, owner: Browser) -> None:
    answer = await browser.enter(Keypair())
    browser.token = "nonsense"
    assert (await browser.ask("GET", "/api/me"))[0] == 401
    account = answer["user"]["userId"]
    deadline = time.monotonic() + WAIT_S
    actions: list[str] = []
    while "session.opened" not in actions:
        assert time.monotonic() < deadline, actions
        _, told = await owner.ask("GET", f"/api/audit?account={account}")
        actions = [row["action"] for row in told["rows"]]
