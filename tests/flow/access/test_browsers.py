"""Cookies count on the desk's own pages alone; sockets end with the session that opened them."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from tests.flow.access.served import WAIT_S, Browser, Served, served
from tests.flow.access.world import HERE, World

from quantdesk.access.model import Role
from quantdesk.access.sessions.sessions import Ending
from quantdesk.api.edge import Message

pytestmark = pytest.mark.anyio

FOREIGN = ["https://evil.example", "null", "http://127.0.0.1", "http://127.0.0.1:1", "evil"]


@pytest.fixture
async def site(desk: World) -> AsyncIterator[Served]:
    async with served(desk) as serving:
        yield serving


@pytest.fixture
async def browser(site: Served) -> AsyncIterator[Browser]:
    async with site.browser() as opened:
        yield opened


async def code(socket: aiohttp.ClientWebSocketResponse) -> int | None:
    """Return the code that the desk closes with."""
    while (await socket.receive(timeout=WAIT_S)).type is aiohttp.WSMsgType.TEXT:
        pass
    return socket.close_code


async def test_a_browser_gets_a_session_no_script_can_read(browser: Browser, desk: World) -> None:
    answer = await browser.sign_in((await desk.account()).id)

    session, refresh = answer.cookies["qd_session"], answer.cookies["qd_refresh"]
    for hidden in (session, refresh):
        assert hidden["httponly"]
        assert hidden["samesite"] == "strict"
        assert not hidden["domain"]
    assert (session["path"], refresh["path"]) == ("/", "/api/auth/refresh")
    assert not answer.cookies["qd_csrf"]["httponly"]
    assert "refreshToken" not in answer.body
    assert set(answer.body) == {"token", "expiresAt", "user"}


async def test_our_own_page_may_do_what_its_user_may(browser: Browser, desk: World) -> None:
    account = await desk.account()
    await browser.sign_in(account.id)

    assert (await browser.ask("GET", "/api/sessions")).status == 200
    ordered = await browser.ask("POST", "/echo", {}, **browser.own())
    assert (ordered.status, ordered.body["account"]) == (201, str(account.id))


@pytest.mark.parametrize("path", ["/echo", "/api/auth/logout", "/api/auth/ws-ticket"])
@pytest.mark.parametrize("token", [None, "", "wrong", "other"])
async def test_nothing_is_done_without_the_token_against_forgery(
    browser: Browser, site: Served, desk: World, path: str, token: str | None
) -> None:
    account = await desk.account()
    if token == "other":
        async with site.browser() as another:
            await another.sign_in(account.id)
            token = another.cookies["qd_csrf"]
    await browser.sign_in(account.id)
    headers = {} if token is None else {"X_CSRF_Token": token}
    # An attacker may plant a readable cookie; it decides nothing.
    browser.cookies["qd_csrf"] = token or ""

    answer = await browser.ask("POST", path, {}, Origin=browser.url, **headers)

    assert (answer.status, answer.code) == (403, "request.csrf")
    assert (await browser.ask("GET", "/api/sessions")).status == 200
    assert ("request.csrf", path) in site.refused


@pytest.mark.parametrize("origin", FOREIGN)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_a_cookie_does_not_count_from_elsewhere(
    browser: Browser, desk: World, method: str, origin: str
) -> None:
    await browser.sign_in((await desk.account()).id)
    path = "/echo" if method == "POST" else "/api/sessions"

    answer = await browser.ask(method, path, {}, **{**browser.own(), "Origin": origin})

    assert (answer.status, answer.code) == (403, "request.origin")


@pytest.mark.parametrize("said", ["cross-site", "same-site"])
async def test_a_browser_that_says_it_is_elsewhere_is_believed(
    browser: Browser, desk: World, said: str
) -> None:
    await browser.sign_in((await desk.account()).id)

    answer = await browser.ask("GET", "/api/sessions", Sec_Fetch_Site=said)

    assert (answer.status, answer.code) == (403, "request.origin")


async def test_a_listed_site_may_use_the_cookie(desk: World) -> None:
    page = "https://desk.example"
    async with served(desk, origins=frozenset({page})) as site, site.browser() as browser:
        await browser.sign_in((await desk.account()).id)
        own = {**browser.own(), "Origin": page, "Sec_Fetch_Site": "cross-site"}

        assert (await browser.ask("POST", "/echo", {}, **own)).status == 201
        async with browser.socket("/ws", Origin=page) as socket:
            assert (await socket.receive(timeout=WAIT_S)).type is aiohttp.WSMsgType.TEXT


@pytest.mark.parametrize("origin", [*FOREIGN, None])
async def test_a_socket_from_elsewhere_is_closed(
    browser: Browser, desk: World, origin: str | None
) -> None:
    await browser.sign_in((await desk.account()).id)

    async with browser.socket("/ws", **({"Origin": origin} if origin else {})) as socket:
        assert await code(socket) == 4403


async def test_a_socket_of_our_own_page_speaks_for_its_user(browser: Browser, desk: World) -> None:
    account = await desk.account()
    await browser.sign_in(account.id)

    async with browser.socket("/ws", Origin=browser.url) as socket:
        assert (await socket.receive(timeout=WAIT_S)).data == str(account.id)


@pytest.mark.parametrize("how", ["logout", "ended", "disabled", "demoted"])
async def test_an_open_socket_ends_with_what_opened_it(
    browser: Browser, desk: World, how: str
) -> None:
    account = await desk.account(Role.TRADER)
    await browser.sign_in(account.id)
    async with browser.socket("/ws", Origin=browser.url) as socket:
        await socket.receive(timeout=WAIT_S)
        if how == "logout":
            assert (await browser.ask("POST", "/api/auth/logout", **browser.own())).status == 200
        elif how == "ended":
            await desk.sessions.end_all(Ending(account.id, "test"), by=None, origin=HERE)
        else:
            told = "disabled_at = now()" if how == "disabled" else "role = 'viewer'"
            async with desk.pools.write.transaction() as c:
                await c.execute(f"update accounts set {told} where id = $1", account.id)
            await desk.known.catch_up()

        assert await code(socket) == 4401


async def test_a_socket_outlives_the_end_of_somebody_elses_session(
    browser: Browser, desk: World
) -> None:
    account = await desk.account()
    await browser.sign_in(account.id)
    other = await desk.sign_in(account)
    async with browser.socket("/ws", Origin=browser.url) as socket:
        await socket.receive(timeout=WAIT_S)
        ending = Ending(account.id, "test", only=(other.session_id,))
        await desk.sessions.end_all(ending, by=None, origin=HERE)
        await socket.ping()

        assert not socket.closed
        assert len(desk.known.directory) == 1


async def test_a_ticket_opens_one_socket(browser: Browser, site: Served, desk: World) -> None:
    account = await desk.account()
    await browser.sign_in(account.id)
    ticket = (await browser.ask("POST", "/api/auth/ws-ticket", **browser.own())).body["ticket"]
    async with site.browser() as bare:
        async with bare.socket(f"/ws?ticket={ticket}") as socket:
            assert (await socket.receive(timeout=WAIT_S)).data == str(account.id)
        async with bare.socket(f"/ws?ticket={ticket}") as socket:
            assert await code(socket) == 4401


async def test_a_token_in_an_address_is_nothing(site: Served, desk: World) -> None:
    opened = await desk.sign_in(await desk.account())
    async with site.browser() as bare:
        for name in ("token", "access_token", "ticket", "qd_session"):
            async with bare.socket(f"/ws?{name}={opened.token}") as socket:
                assert await code(socket) == 4401
            asked = await bare.ask("GET", f"/api/sessions?{name}={opened.token}")
            assert asked.status == 401


async def test_a_session_planted_before_signing_in_is_not_the_one_after(
    browser: Browser, site: Served, desk: World
) -> None:
    victim, attacker = await desk.account(), await desk.account()
    async with site.browser() as evil:
        await evil.sign_in(attacker.id)
        planted = dict(evil.cookies)
        browser.cookies = dict(planted)
        await browser.sign_in(victim.id)

        assert browser.cookies["qd_session"] != planted["qd_session"]
        assert browser.cookies["qd_csrf"] != planted["qd_csrf"]
        seen = (await evil.ask("POST", "/echo", {}, **evil.own())).body["account"]
        assert seen == str(attacker.id)


async def test_a_header_that_says_nobody_is_not_made_up_for_by_a_cookie(
    browser: Browser, desk: World
) -> None:
    await browser.sign_in((await desk.account()).id)

    for said in ("Bearer nobody", "Basic YTpi", "Bearer", ""):
        assert (await browser.ask("GET", "/api/sessions", Authorization=said)).status == 401


async def test_a_browser_renews_its_session_without_seeing_a_token(
    browser: Browser, desk: World
) -> None:
    await browser.sign_in((await desk.account()).id)
    before = dict(browser.cookies)

    forged = await browser.ask("POST", "/api/auth/refresh", Origin=browser.url)
    foreign = await browser.ask(
        "POST", "/api/auth/refresh", **{**browser.own(), "Origin": "https://evil.example"}
    )
    renewed = await browser.ask("POST", "/api/auth/refresh", **browser.own())

    assert [forged.code, foreign.code] == ["request.csrf", "request.origin"]
    assert renewed.status == 200
    assert set(renewed.body) == {"expiresAt", "user"}
    assert all(browser.cookies[name] != before[name] for name in before)
    assert (await browser.ask("POST", "/echo", {}, **browser.own())).status == 201


async def test_signing_out_takes_the_cookies_and_ends_the_session(
    browser: Browser, desk: World
) -> None:
    answer = await browser.sign_in((await desk.account()).id)
    token = answer.body["token"]

    out = await browser.ask("POST", "/api/auth/logout", **browser.own())

    assert {name for name, morsel in out.cookies.items() if not morsel.value} == {
        "qd_session",
        "qd_csrf",
        "qd_refresh",
    }
    assert (
        await browser.ask("GET", "/api/sessions", Authorization=f"Bearer {token}")
    ).status == 401


async def test_programs_renew_with_what_they_were_given(browser: Browser, desk: World) -> None:
    account = await desk.account()
    opened = (await browser.ask("POST", f"/api/auth/test/{account.id}")).body
    asked = {"refreshToken": opened["refreshToken"]}

    renewed = await browser.ask("POST", "/api/auth/refresh", asked)
    again = await browser.ask("POST", "/api/auth/refresh", asked)

    assert renewed.status == 200
    assert set(renewed.body) == {"token", "refreshToken", "expiresAt", "user"}
    assert (again.status, again.code) == (401, "refresh.invalid")
    bearer = f"Bearer {renewed.body['token']}"
    assert (await browser.ask("GET", "/api/sessions", Authorization=bearer)).status == 401


@pytest.mark.parametrize(
    "body", [{"refreshToken": "x", "more": 1}, {"refreshToken": 1}, {"refreshToken": "\x00"}, []]
)
async def test_a_refresh_that_is_not_one_is_malformed(browser: Browser, body: object) -> None:
    answer = await browser.ask("POST", "/api/auth/refresh", body)

    assert (answer.status, answer.code) == (400, "request.malformed")


async def test_whose_session_it_is_not_finds_none(browser: Browser, desk: World) -> None:
    mine, other = await desk.account(), await desk.account(Role.ADMIN)
    await browser.sign_in(mine.id)
    others = await desk.sign_in(other)

    for path in (others.session_id, desk.new_id(), "nobody", "%2e%2e", "1%20or%201=1"):
        answer = await browser.ask("DELETE", f"/api/sessions/{path}", **browser.own())
        assert (answer.status, answer.code) == (404, "session.unknown"), path
    assert desk.caller(others.token) is not None
    listed = (await browser.ask("GET", "/api/sessions")).body["sessions"]
    assert [session["current"] for session in listed] == [True]


async def test_all_sessions_but_this_one_end(browser: Browser, desk: World) -> None:
    account = await desk.account()
    await browser.sign_in(account.id)
    others = [await desk.sign_in(account) for _ in range(3)]

    ended = await browser.ask("DELETE", "/api/sessions", **browser.own())

    assert ended.body == {"ended": 3}
    assert not any(desk.caller(other.token) for other in others)
    assert (await browser.ask("GET", "/api/sessions")).status == 200


async def test_an_answer_over_tls_sets_cookies_for_tls_alone(desk: World) -> None:
    account = await desk.account()
    async with served(desk) as site:
        got: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b""}

        async def send(message: Message) -> None:
            got.append(message)

        path = f"/api/auth/test/{account.id}"
        scope = {
            "type": "http", "method": "POST", "path": path, "raw_path": path.encode(),
            "query_string": b"cookie=true", "headers": [(b"host", b"desk")], "scheme": "https",
            "client": ("127.0.0.1", 1), "http_version": "1.1", "root_path": "",
        }  # fmt: skip
        await site.edge(scope, receive, send)

    cookies = [value for name, value in got[0]["headers"] if name == b"set-cookie"]
    assert len(cookies) == 3
    assert all(cookie.endswith(b"; Secure") for cookie in cookies)
