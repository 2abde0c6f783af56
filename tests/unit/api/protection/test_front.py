"""Who may call the desk, by which name and from which page; and what every answer carries."""

import re
from collections.abc import AsyncIterator

import aiohttp
import pytest
from tests.unit.api.protection.served import HOST, KEY, SIGNED, Answer, Front, front

from quantdesk.api import docs

pytestmark = pytest.mark.anyio

EVERYWHERE = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
APP = "https://app.example.com"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def plain() -> AsyncIterator[Front]:
    async with front() as opened:
        yield opened


@pytest.fixture
async def listed() -> AsyncIterator[Front]:
    async with front(cors_origins=(APP, "http://localhost:5173")) as opened:
        yield opened


def secure(answer: Answer) -> bool:
    told = answer.headers
    return (
        told.items() >= EVERYWHERE.items()
        and "camera=()" in told["permissions-policy"]
        and told["content-security-policy"].startswith("default-src 'none'; frame-ancestors 'none'")
        and told["cache-control"] == "no-store"
        and told["vary"] == "Origin"
        and "server" not in told
    )


async def test_that_every_kind_of_answer_is_protected(plain: Front) -> None:
    answers = {
        "hot": await plain.post(),
        "hot by ASGI": await plain.post(HOST + "X-A: 1\r\nX-A: 2\r\n"),
        "refused hot": await plain.say(
            f"POST /hot HTTP/1.1\r\n{HOST}Content-Type: application/json\r\nContent-Length: 2\r\n"
            "Connection: close\r\n\r\n{}"
        ),
        "page": await plain.get(),
        "unknown": await plain.get("/nothing"),
        "wrong method": await plain.post(path="/who"),
        "openapi": await plain.get("/api/openapi.json"),
        "docs": await plain.get("/api/docs"),
        "foreign host": await plain.get(headers="Host: evil.example\r\n"),
        "foreign page": await plain.post(HOST + "Origin: https://evil.example\r\n"),
    }
    statuses = [answer.status for answer in answers.values()]
    assert statuses == [201, 201, 401, 200, 404, 405, 200, 200, 421, 403]
    assert {name for name, answer in answers.items() if not secure(answer)} == set()


async def test_that_what_is_no_http_is_answered_with_the_servers_own_headers(plain: Front) -> None:
    answer = await plain.say("NONSENSE\r\n\r\n")
    assert answer.status == 400
    assert answer.headers.items() >= EVERYWHERE.items()


async def test_that_only_the_scripts_of_our_own_page_run(plain: Front) -> None:
    answer = await plain.get("/api/docs")
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "connect-src 'self'" in policy
    assert len(re.findall(r"(?:script|style)-src 'sha256-[\w+/=]{44}'", policy)) == 2
    assert answer.body.decode() == docs.PAGE


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:4000", "127.0.0.1", "localhost", "LOCALHOST:1", "localhost.:4000", "[::1]:4000",
     "192.168.1.7:4000", "[fe80::1]"],
)  # fmt: skip
async def test_that_the_desk_answers_to_its_own_names(plain: Front, host: str) -> None:
    assert (await plain.get(headers=f"Host: {host}\r\n")).status == 200
    assert (await plain.post(f"Host: {host}\r\n")).status == 201


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:4000", "localhost.evil.example", "127.0.0.1.evil.example",
     "evil-localhost", "", "127.0.0.1@evil.example", "127.0.0.1:4000, evil.example", "2130706433",
     "0x7f000001", "127.1", "[::1", "[::1].evil.example", "localhost/x", "localhost evil.example"],
)  # fmt: skip
async def test_that_a_name_that_was_rebound_is_refused(plain: Front, host: str) -> None:
    answers = [await plain.get(headers=f"Host: {host}\r\n"), await plain.post(f"Host: {host}\r\n")]
    assert {answer.status for answer in answers} == {421}
    assert b'"code":"host.foreign"' in answers[0].body
    assert plain.placed == 0


async def test_that_two_hosts_are_one_too_many(plain: Front) -> None:
    evil, own = "Host: evil.example\r\n", "Host: localhost\r\n"
    for both in (own + evil, evil + own, own + own):
        answers = [await plain.get(headers=both), await plain.post(both)]
        assert [answer.status for answer in answers] == [421, 421]
    assert (await plain.say(f"GET /who HTTP/1.0\r\n{SIGNED}\r\n")).status == 421


async def test_that_names_of_the_settings_and_the_certificate_are_ours() -> None:
    async with front(hosts=("Desk.example.com",), names=("other.example.com",)) as opened:
        for host, status in (
            ("desk.example.com", 200),
            ("OTHER.example.com:443", 200),
            ("x.desk.example.com", 421),
            ("esk.example.com", 421),
        ):
            assert (await opened.get(headers=f"Host: {host}\r\n")).status == status


@pytest.mark.parametrize("origin", [APP, "http://localhost:5173"])
async def test_that_a_listed_page_may_read_and_write(listed: Front, origin: str) -> None:
    for answer in (
        await listed.get(headers=f"{HOST}Origin: {origin}\r\n"),
        await listed.post(f"{HOST}Origin: {origin}\r\n"),
        await listed.get("/nothing", f"{HOST}Origin: {origin}\r\n"),
    ):
        assert answer.headers["access-control-allow-origin"] == origin
        assert answer.headers["access-control-allow-credentials"] == "true"
        assert "Retry-After" in answer.headers["access-control-expose-headers"]
        assert secure(answer)
    assert listed.placed == 1


FOREIGN = (
    "null", "https://evil.example", "https://app.example.com.evil.example", APP + ":444",
    "https://evilapp.example.com", "http://app.example.com", "https://APP.example.com",
    "https://app.example.com/", "https://app.example.co", f"{APP} https://evil.example", "*", "",
    "http://127.0.0.1:4001", "https://127.0.0.1:4000", "http://localhost:5174",
)  # fmt: skip


@pytest.mark.parametrize("origin", FOREIGN)
async def test_that_a_foreign_page_neither_reads_nor_writes(listed: Front, origin: str) -> None:
    headers = f"{HOST}Origin: {origin}\r\n"
    read = await listed.get(headers=headers)
    assert (read.status, "access-control-allow-origin" in read.headers) == (200, False)
    for answer in (
        await listed.post(headers),
        await listed.post(headers, path="/page"),
        await listed.post(headers, path="/page", method="DELETE"),
        await listed.say(
            f"OPTIONS /hot HTTP/1.1\r\n{headers}Access-Control-Request-Method: POST\r\n"
            "Connection: close\r\n\r\n"
        ),
    ):
        assert answer.status == 403
        assert b'"code":"origin.foreign"' in answer.body
        assert not [name for name in answer.headers if name.startswith("access-control")]
    assert listed.placed == 0


async def test_that_the_desks_own_pages_write(plain: Front) -> None:
    assert (await plain.post(f"{HOST}Origin: http://127.0.0.1:4000\r\n")).status == 201
    bare = "Host: localhost\r\nOrigin: http://localhost\r\n"
    assert (await plain.post(bare, path="/page")).status == 200
    rebound = "Host: evil.example\r\nOrigin: http://evil.example\r\n"
    assert (await plain.post(rebound)).status == 421


async def test_that_a_preflight_is_answered(listed: Front) -> None:
    answer = await listed.say(
        f"OPTIONS /hot HTTP/1.1\r\n{HOST}Origin: {APP}\r\nAccess-Control-Request-Method: POST\r\n"
        "Access-Control-Request-Headers: authorization\r\nConnection: close\r\n\r\n"
    )
    told = answer.headers
    assert (answer.status, answer.body) == (204, b"")
    assert told["access-control-allow-origin"] == APP
    assert "POST" in told["access-control-allow-methods"]
    assert "X-CSRF-Token" in told["access-control-allow-headers"]
    assert told["access-control-max-age"] == "600"
    assert secure(answer)


async def test_that_a_foreign_page_opens_no_socket(listed: Front) -> None:
    async def code(**headers: str) -> int | None:
        sent = {"Authorization": f"Bearer {KEY}", **headers}
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"ws://127.0.0.1:{listed.port}/ws", headers=sent) as socket,
        ):
            await socket.receive()
            return socket.close_code

    assert await code() == 1000
    assert await code(Origin=APP) == 1000
    assert await code(Origin=f"http://127.0.0.1:{listed.port}") == 1000
    for origin in ("https://evil.example", "null", APP + ".evil.example"):
        assert await code(Origin=origin) == 4403
    assert await code(Host="evil.example") == 4403
    assert len(listed.seen) == 3


SPLITTING = (
    "%0d%0aSet-Cookie:%20a=b",
    "%0aX-Evil:1",
    "\u010d\u010aX-Evil:1",
    "%00",
    "\x85X-Evil:1",
)


@pytest.mark.parametrize("said", SPLITTING)
async def test_that_nothing_echoed_splits_a_header(listed: Front, said: str) -> None:
    wire = said.encode().decode("latin-1")
    for answer in (
        await listed.get(f"/nothing/{wire}"),
        await listed.get(f"/who?{wire}"),
        await listed.get(headers=f"{HOST}X-Request-Id: {wire}\r\nOrigin: {APP}{wire}\r\n"),
        await listed.post(f"{HOST}Idempotency-Key: {wire}\r\nOrigin: {APP}{wire}\r\n"),
    ):
        names = {name for name, _ in answer.fields}
        assert not {"set-cookie", "x-evil"} & names
        assert all("\n" not in value and "\r" not in value for _, value in answer.fields)
