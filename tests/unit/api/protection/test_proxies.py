"""Whose word on a request's origin is believed: that of trusted proxies, and nobody else's."""

from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.api.protection.served import HOST, Front, front

from quantdesk.api.protection import listening
from quantdesk.api.protection.hosts import Origins
from quantdesk.api.protection.protection import Protection
from quantdesk.api.protection.proxies import Proxies, joined
from quantdesk.core.errors import Refused
from quantdesk.settings import ApiSettings

PROXY, CLIENT = "10.0.0.1", "203.0.113.9"
TRUSTING = Proxies(["10.0.0.0/8", "fd00::/8"])


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def ip(peer: str, told: str) -> str:
    return TRUSTING.seen(peer, {b"x-forwarded-for": told.encode()}, scheme="http").ip


@pytest.mark.parametrize(
    ("peer", "told", "client"),
    [
        (PROXY, CLIENT, CLIENT),
        (PROXY, f"{CLIENT}:1234", CLIENT),
        (PROXY, "[2001:db8::1]:99", "2001:db8::1"),
        (PROXY, "2001:DB8::0001", "2001:db8::1"),
        (PROXY, f"1.1.1.1, {CLIENT}", CLIENT),
        (PROXY, f"1.1.1.1, {CLIENT}, 10.0.0.2", CLIENT),
        (PROXY, f"127.0.0.1, {CLIENT},10.9.9.9 ,  10.0.0.2", CLIENT),
        (PROXY, "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        (PROXY, "", PROXY),
        (PROXY, "unknown", PROXY),
        (PROXY, f"{CLIENT}, unknown", PROXY),
        (PROXY, f"{CLIENT}, _hidden, 10.0.0.2", "10.0.0.2"),
        (PROXY, f"::ffff:{CLIENT}", CLIENT),
        ("::ffff:10.0.0.1", CLIENT, CLIENT),
        ("fd00::1", CLIENT, CLIENT),
        (CLIENT, "1.1.1.1", CLIENT),
        ("127.0.0.1", "1.1.1.1", "127.0.0.1"),
        ("11.0.0.1", "127.0.0.1", "11.0.0.1"),
        ("", "127.0.0.1", ""),
        (PROXY, ",".join(["1.1.1.1", *["10.0.0.2"] * 100]), "10.0.0.2"),
    ],
)
def test_that_the_last_hop_nobody_trusts_is_the_client(peer: str, told: str, client: str) -> None:
    assert ip(peer, told) == client


@given(st.ip_addresses(), st.text(st.characters(max_codepoint=255)))
def test_that_a_peer_nobody_trusts_is_taken_for_itself(peer: object, told: str) -> None:
    headers = {
        b"x-forwarded-for": told.encode("latin-1"),
        b"x-forwarded-proto": b"https",
        b"x-forwarded-host": b"evil.example",
        b"host": b"desk",
    }
    seen = Proxies(["192.0.2.1"]).seen(str(peer), headers, scheme="http")
    assert str(peer) == "192.0.2.1" or (seen.ip, seen.scheme, seen.host) == (
        str(peer), "http", b"desk",
    )  # fmt: skip


@given(st.text(st.characters(max_codepoint=255)))
def test_that_whatever_a_client_writes_before_its_address_changes_nothing(told: str) -> None:
    assert ip(PROXY, f"{CLIENT}") == CLIENT
    seen = TRUSTING.seen(
        PROXY, {b"x-forwarded-for": told.encode("latin-1") + b", " + CLIENT.encode()}, scheme="http"
    )
    assert seen.ip == CLIENT


def test_that_fields_sent_twice_are_one_list() -> None:
    sent = [(b"x-forwarded-for", b"1.1.1.1"), (b"a", b"b"), (b"x-forwarded-for", CLIENT.encode())]
    assert joined(sent) == {b"x-forwarded-for": b"1.1.1.1, " + CLIENT.encode(), b"a": b"b"}


@pytest.fixture
async def behind() -> AsyncIterator[Front]:
    async with front(trusted_proxies=("127.0.0.1",), hosts=("desk.example.com",)) as opened:
        yield opened


@pytest.fixture
async def alone() -> AsyncIterator[Front]:
    async with front(hosts=("desk.example.com",)) as opened:
        yield opened


TOLD = (
    f"X-Forwarded-For: 1.1.1.1, {CLIENT}\r\nX-Forwarded-Proto: https\r\n"
    "X-Forwarded-Host: desk.example.com\r\n"
)


@pytest.mark.anyio
async def test_that_a_trusted_proxy_is_believed(behind: Front) -> None:
    answers = [await behind.get(headers=HOST + TOLD), await behind.post(HOST + TOLD)]

    assert [answer.status for answer in answers] == [200, 201]
    assert all("strict-transport-security" in answer.headers for answer in answers)
    [scope] = behind.seen
    assert (scope["client"][0], scope["scheme"]) == (CLIENT, "https")
    assert scope["origin"].ip == CLIENT
    assert [value for name, value in scope["headers"] if name == b"host"] == [b"desk.example.com"]
    own = f"{HOST}{TOLD}Origin: https://desk.example.com\r\n"
    assert (await behind.post(own)).status == 201
    foreign = TOLD.replace("desk.example.com", "evil.example")
    assert (await behind.get(headers=HOST + foreign)).status == 421
    assert (await behind.post(HOST + foreign)).status == 421


@pytest.mark.anyio
async def test_that_anybody_else_is_not(alone: Front) -> None:
    answers = [await alone.get(headers=HOST + TOLD), await alone.post(HOST + TOLD)]

    assert [answer.status for answer in answers] == [200, 201]
    assert not any("strict-transport-security" in answer.headers for answer in answers)
    [scope] = alone.seen
    assert (scope["client"][0], scope["scheme"]) == ("127.0.0.1", "http")
    assert scope["origin"].ip == "127.0.0.1"
    own = f"{HOST}{TOLD}Origin: https://desk.example.com\r\n"
    assert (await alone.post(own)).status == 403


@pytest.mark.anyio
async def test_that_metrics_stay_with_this_machine_behind_a_proxy(behind: Front) -> None:
    def ask(more: str) -> str:
        return f"GET /metrics HTTP/1.1\r\n{HOST}{more}Connection: close\r\n\r\n"

    assert (await behind.say(ask(""))).status == 404, "let through: this desk has no such page"
    assert (await behind.say(ask(TOLD))).status == 401
    assert (await behind.say(ask("X-Forwarded-For: 127.0.0.1, 9.9.9.9\r\n"))).status == 401


def test_that_an_open_desk_behind_proxies_is_reached_through_them_only() -> None:
    protection = Protection(ApiSettings(host="0.0.0.0", trusted_proxies=("10.0.0.1",)))
    headers = {b"host": b"10.0.0.5:4000"}

    for peer in ("10.0.0.1", "127.0.0.1"):
        assert protection.judge(peer, headers, scheme="http").ip == peer
        passage = protection.passage(peer, headers, tls=False)
        assert passage is not None
        assert passage.ip == peer
    assert protection.passage(CLIENT, headers, tls=False) is None
    with pytest.raises(Refused) as caught:
        protection.judge(CLIENT, headers, scheme="http")
    assert caught.value.code == "proxy.bypassed"


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"host": "localhost"},
        {"host": "127.0.0.7"},
        {"host": "::1"},
        {"host": "0.0.0.0", "tls_cert": "a", "tls_key": "b"},
        {"host": "192.168.1.2", "trusted_proxies": ("192.168.1.1",)},
        {"host": "::", "insecure": True},
    ],
)
def test_that_a_safe_way_to_listen_is_taken(told: dict[str, object]) -> None:
    listening.check(ApiSettings.model_validate(told))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "desk.example.com", ""])
def test_that_an_open_desk_is_refused_with_the_cure(host: str) -> None:
    with pytest.raises(Refused) as caught:
        listening.check(ApiSettings(host=host))
    assert caught.value.code == "listen.insecure"
    for cure in ("api.tls_cert", "api.trusted_proxies", "127.0.0.1", "api.insecure"):
        assert cure in caught.value.detail


@pytest.mark.parametrize(
    "told",
    [
        {"tls_cert": "a"},
        {"tls_key": "a"},
    ],
)
def test_that_half_a_certificate_is_refused(told: dict[str, object]) -> None:
    with pytest.raises(Refused) as caught:
        listening.check(ApiSettings.model_validate(told))
    assert caught.value.code == "settings.invalid"


@pytest.mark.parametrize(
    "origin",
    ["*", "null", "https://*.example.com", "https://app.example.com/", "app.example.com",
     "https://app.example.com:443", "http://a:80", "ftp://a", "https://APP.example.com",
     "https://a b", "https://ann@a", ""],
)  # fmt: skip
def test_that_what_is_no_origin_is_refused_at_the_start(origin: str) -> None:
    with pytest.raises(Refused) as caught:
        Origins([origin])
    assert caught.value.code == "settings.invalid"


@pytest.mark.parametrize("told", [{"trusted_proxies": ("x",)}, {"trusted_proxies": ("10.0.0.1/8",)},
                                  {"hosts": ("a b",)}, {"hosts": ("*",)}])  # fmt: skip
def test_that_wrong_settings_are_refused_at_the_start(told: dict[str, object]) -> None:
    with pytest.raises(Refused) as caught:
        Protection(ApiSettings.model_validate(told))
    assert caught.value.code == "settings.invalid"
