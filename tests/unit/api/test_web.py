"""The page's files: served whole, cached rightly, with their policy, and nothing beside them."""

import gzip
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.unit.api.protection.served import HOST, Answer, Front, front

from quantdesk.api import web
from quantdesk.api.web import BYTES_MAX, FILES_MAX, Site, is_built, load

FIRST = b'<!doctype html><title>QuantDesk</title><script src="/assets/a-1.js"></script>'
SCRIPT = b"const price = 1;\n" * 500
STYLE = b"b{}"
ICON = b"<svg xmlns='http://www.w3.org/2000/svg'/>"
PICTURE = b"\x89PNG" + bytes(4000)
FILES = {
    "index.html": FIRST,
    "assets/a-1.js": SCRIPT,
    "assets/a-1.css": STYLE,
    "assets/p-1.png": PICTURE,
    "icon.svg": ICON,
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self';"
    " frame-ancestors 'none'"
)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


pytestmark = pytest.mark.anyio


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        path = tmp_path / "dist" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "dist"


@pytest.fixture
async def page(folder: Path) -> AsyncIterator[Front]:
    async with front(files=load(folder)) as opened:
        yield opened


async def ask(page: Front, path: str, *headers: str, method: str = "GET") -> Answer:
    """Return the answer to somebody without a credential."""
    more = "".join(f"{line}\r\n" for line in headers)
    return await page.say(f"{method} {path} HTTP/1.1\r\n{HOST}{more}Connection: close\r\n\r\n")


async def test_that_a_browser_gets_the_page_and_its_policy_without_a_key(page: Front) -> None:
    answer = await ask(page, "/")

    assert (answer.status, answer.body) == (200, FIRST)
    told = answer.headers
    assert told["content-type"] == "text/html; charset=utf-8"
    assert told["content-security-policy"] == POLICY
    assert told["cache-control"] == "no-cache"
    assert told["vary"] == "Accept-Encoding, Origin"
    assert (told["x-content-type-options"], told["referrer-policy"]) == ("nosniff", "no-referrer")
    assert "strict-transport-security" not in told


@pytest.mark.parametrize(
    "path",
    ["/trade/SOL-USDC", "/orders/0199", "/sign-in?next=/trade", "/apis", "/wsx", "//api/orders",
     "/API/orders", "/reset", "/..", "/%2e%2e/%2e%2e/etc/passwd", "/a%00b", "/trade/../api/keys"],
)  # fmt: skip
async def test_that_places_on_the_page_are_its_first_document(page: Front, path: str) -> None:
    answer = await ask(page, path)

    assert (answer.status, answer.body) == (200, FIRST)
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    ("path", "kind", "content"),
    [
        ("/assets/a-1.js", "text/javascript; charset=utf-8", SCRIPT),
        ("/assets/a-1.css", "text/css; charset=utf-8", STYLE),
        ("/assets/p-1.png", "image/png", PICTURE),
    ],
)
async def test_that_hashed_files_are_kept_for_a_year(
    page: Front, path: str, kind: str, content: bytes
) -> None:
    answer = await ask(page, path)

    assert (answer.status, answer.body) == (200, content)
    assert answer.headers["content-type"] == kind
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; frame")


async def test_that_other_files_are_asked_for_again(page: Front) -> None:
    answer = await ask(page, "/icon.svg")

    assert (answer.status, answer.body) == (200, ICON)
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    [
        "/assets/gone-2.js",
        "/assets/",
        "/assets/../index.html",
        "/assets/%2e%2e/%2e%2e/web.py",
        "/assets/..%2f..%2fweb.css",
        "/favicon.ico",
        "/robots.txt",
        "/src/main.js.map",
        "/.env.json",
    ],
)
async def test_that_a_file_that_is_not_there_is_a_problem(page: Front, path: str) -> None:
    answer = await ask(page, path)

    assert answer.status == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert b"request.not_found" in answer.body
    assert answer.headers["cache-control"] == "no-store", "it may be there tomorrow"


@pytest.mark.parametrize(
    ("path", "status"),
    [("/api/orders", 401), ("/api", 401), ("/ws/x", 401), ("/readyz/x", 401), ("/metrics/x", 401),
     ("/healthz/", 401)],
)  # fmt: skip
async def test_that_the_page_takes_nothing_from_the_api(
    page: Front, path: str, status: int
) -> None:
    answer = await ask(page, path)

    assert answer.status == status
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE"])
async def test_that_it_is_only_looked_at(page: Front, method: str) -> None:
    assert (await ask(page, "/", method=method)).status == 401
    assert (await ask(page, "/assets/a-1.js", method=method)).status == 401


async def test_that_a_head_says_what_a_get_would(page: Front) -> None:
    for path in ("/", "/assets/a-1.js", "/trade/SOL-USDC"):
        got, head = await ask(page, path), await ask(page, path, method="HEAD")
        assert (head.status, head.body) == (200, b"")
        assert head.headers == got.headers


@pytest.mark.parametrize(
    "accepted",
    ["gzip", "gzip, deflate, br, zstd", "br;q=1.0, GZIP;q=0.8", "*", "gzip; q=0.001"],
)
async def test_that_text_goes_packed_to_whoever_takes_it(page: Front, accepted: str) -> None:
    answer = await ask(page, "/assets/a-1.js", f"Accept-Encoding: {accepted}")

    assert answer.headers["content-encoding"] == "gzip"
    assert gzip.decompress(answer.body) == SCRIPT
    assert int(answer.headers["content-length"]) == len(answer.body) < len(SCRIPT) / 10
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"


@pytest.mark.parametrize(
    "accepted",
    ["identity", "gzip;q=0", "gzip; q=0.000, *", "*;q=0", "xgzip", "", "gzip;q=", ";q=1", ","],
)
async def test_that_it_goes_as_it_is_to_all_others(page: Front, accepted: str) -> None:
    answer = await ask(page, "/assets/a-1.js", f"Accept-Encoding: {accepted}")

    assert "content-encoding" not in answer.headers
    assert answer.body == SCRIPT
    assert "Accept-Encoding" in answer.headers["vary"]


@pytest.mark.parametrize("path", ["/assets/p-1.png", "/assets/a-1.css"])
async def test_that_what_would_not_be_shorter_goes_as_it_is(page: Front, path: str) -> None:
    answer = await ask(page, path, "Accept-Encoding: gzip")

    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize("accepted", ["gzip", "identity"])
async def test_that_what_a_browser_has_is_not_sent_again(page: Front, accepted: str) -> None:
    coding = f"Accept-Encoding: {accepted}"
    etag = (await ask(page, "/", coding)).headers["etag"]

    for known in (etag, f'"x", {etag}', f"W/{etag}", "*"):
        again = await ask(page, "/trade/SOL-USDC", coding, f"If-None-Match: {known}")
        assert (again.status, again.body) == (304, b"")
        assert again.headers["etag"] == etag
        assert again.headers["content-security-policy"] == POLICY
        assert not {"content-length", "content-type"} & set(again.headers)
    for other in ('"x"', etag.strip('"'), "W/*", ""):
        assert (await ask(page, "/", coding, f"If-None-Match: {other}")).status == 200


async def test_that_each_coding_has_a_name_of_its_own(page: Front) -> None:
    plain = await ask(page, "/assets/a-1.js")
    packed = await ask(page, "/assets/a-1.js", "Accept-Encoding: gzip")

    assert plain.headers["etag"] != packed.headers["etag"]


async def test_that_a_foreign_name_gets_no_page(page: Front) -> None:
    answer = await page.say("GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")

    assert answer.status == 421
    assert FIRST not in answer.body


async def test_that_another_sites_page_may_not_read_it(page: Front) -> None:
    answer = await ask(page, "/", "Origin: https://evil.example")

    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("credential", ["Authorization: Bearer qd_gone", "Cookie: qd_session=x.y"])
async def test_that_a_session_that_is_over_still_gets_the_page(
    page: Front, credential: str
) -> None:
    assert (await ask(page, "/", credential)).status == 200


async def test_that_a_page_that_is_not_built_says_how(tmp_path: Path) -> None:
    assert not is_built(tmp_path)
    async with front(files=load(tmp_path / "nothing")) as page:
        answer = await ask(page, "/trade/SOL-USDC")
        api = await page.get("/api/docs")

    assert answer.status == 503
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert b"make web" in answer.body
    assert api.status == 200


def test_that_only_files_of_the_folder_are_read(folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "owner.txt"
    secret.write_text("qd_secret")
    (folder / "linked.txt").symlink_to(secret)
    (folder / "up").symlink_to(tmp_path)
    (folder / ".built.json").write_text("hidden")
    (folder / "notes.md").write_text("no kind that a page is made of")

    site = load(folder)

    assert site.built
    assert sorted(site.paths) == sorted(f"/{name}" for name in FILES)


def test_that_what_is_read_is_bounded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (FILES_MAX, BYTES_MAX) == (500, 32 * 1024 * 1024)
    monkeypatch.setattr(web, "BYTES_MAX", sum(map(len, FILES.values())))
    monkeypatch.setattr(web, "FILES_MAX", len(FILES))
    assert load(folder).built
    (folder / "one.txt").write_text("")
    assert not load(folder).built, "a file too many"
    (folder / "one.txt").unlink()
    (folder / "icon.svg").write_bytes(ICON + b" ")
    assert not load(folder).built, "a byte too many"


def test_that_a_pipe_does_not_hold_the_start_up(folder: Path) -> None:
    (folder / "icon.svg").unlink()
    os.mkfifo(folder / "icon.svg")

    assert "/icon.svg" not in load(folder).paths


def test_that_an_empty_site_is_not_built() -> None:
    assert not Site({}).built
    assert not Site({"/icon.svg": ICON}).built
