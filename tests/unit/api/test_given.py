"""Cookies are read as browsers send them, and count only where a page of the desk sent them."""

import pytest
from hypothesis import given as generated
from hypothesis import strategies as st

from quantdesk.api.given import (
    CSRF,
    SESSION,
    Peer,
    check_csrf,
    check_origin,
    cookie,
    given,
    socket_given,
)
from quantdesk.core.errors import Refused

HTTP, HTTPS = Peer("192.0.2.1"), Peer("192.0.2.1", "https")


def headers(**told: str) -> dict[bytes, bytes]:
    return {name.replace("_", "-").encode(): value.encode() for name, value in told.items()}


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        ("qd_session=a", "a"),
        ("x=1; qd_session=a; qd_csrf=b", "a"),
        ("x=1;qd_session=a=b", "a=b"),
        ("xqd_session=b; qd_session=a", "a"),
        ("qd_session", None),
        ("QD_SESSION=a", None),
        ("", None),
    ],
)
def test_a_cookie_is_found_by_its_whole_name(sent: str, found: str | None) -> None:
    assert cookie(headers(cookie=sent), SESSION) == found


@generated(st.binary())
def test_any_header_is_read_without_harm(sent: bytes) -> None:
    everything = dict.fromkeys((b"cookie", b"authorization", b"origin", b"host"), sent)

    assert cookie(everything, CSRF) is None or b"qd_csrf" in sent
    assert given(everything, ip="").authorization is not None
    assert socket_given({b"cookie": sent}, ip="", query=sent).ticket is None or b"ticket=" in sent


def test_a_header_comes_before_a_cookie() -> None:
    both = headers(authorization="Bearer a", cookie="qd_session=b")

    assert (given(both, ip="").authorization, given(both, ip="").cookie) == ("Bearer a", None)
    assert socket_given(both, ip="", query=b"ticket=c").ticket is None


def test_a_ticket_leaves_the_cookie_aside() -> None:
    found = socket_given(headers(cookie="qd_session=b"), ip="", query=b"a=b&ticket=c")

    assert (found.ticket, found.cookie) == ("c", None)
    assert socket_given(headers(cookie="qd_session=b"), ip="", query=b"").cookie == "b"


@pytest.mark.parametrize(
    ("origin", "host", "peer"),
    [
        ("http://desk:4000", "desk:4000", HTTP),
        ("https://desk", "desk", HTTPS),
        ("https://desk", "desk", HTTP),  # TLS ends in front of us
        ("https://DESK", "desk", HTTPS),
    ],
)
def test_our_own_pages_count(origin: str, host: str, peer: Peer) -> None:
    check_origin(headers(origin=origin, host=host), peer, allowed=(), demanded=True)


@pytest.mark.parametrize(
    ("origin", "host", "peer"),
    [
        ("http://desk", "desk", HTTPS),  # somebody on the way could have made that page
        ("https://desk.evil.example", "desk", HTTPS),
        ("https://desk:1", "desk", HTTPS),
        ("https://evil.example", "desk", HTTPS),
        ("ftp://desk", "desk", HTTP),
        ("null", "null", HTTP),
        ("desk", "desk", HTTP),
        ("://desk", "desk", HTTP),
        ("http://", "", HTTP),
    ],
)
def test_other_sites_do_not(origin: str, host: str, peer: Peer) -> None:
    told = headers(origin=origin, host=host) if host else headers(origin=origin)
    with pytest.raises(Refused) as problem:
        check_origin(told, peer, allowed=(), demanded=False)

    assert problem.value.code == "request.origin"


def test_whoever_does_not_say_where_from_is_refused_where_it_is_demanded() -> None:
    check_origin(headers(host="desk"), HTTP, allowed=(), demanded=False)
    with pytest.raises(Refused):
        check_origin(headers(host="desk"), HTTP, allowed=(), demanded=True)


@pytest.mark.parametrize(("sent", "expected"), [("", ""), ("a", "b"), ("", "b"), ("ä", "b")])
def test_the_token_against_forgery_has_to_fit(sent: str, expected: str) -> None:
    with pytest.raises(Refused) as problem:
        check_csrf(headers(x_csrf_token=sent), expected)

    assert problem.value.code == "request.csrf"
    check_csrf(headers(x_csrf_token="b"), "b")
