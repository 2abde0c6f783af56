"""A desk signs wallets in under its own names only."""

import pytest

from quantdesk.access.wallets.model import Site
from quantdesk.access.wallets.sites import Sites
from quantdesk.core.errors import Refused


@pytest.mark.parametrize(
    ("origin", "host", "site"),
    [
        ("https://desk.example.com", "desk.example.com", "https://desk.example.com"),
        ("https://desk.example.com/", "DESK.example.com", "https://desk.example.com"),
        ("https://desk.example.com:443", "desk.example.com:443", "https://desk.example.com"),
        ("https://desk.example.com:8443", "desk.example.com:8443", "https://desk.example.com:8443"),
        ("http://127.0.0.1:4000", "127.0.0.1:4000", "http://127.0.0.1:4000"),
        ("http://[::1]:4000", "[::1]:4000", "http://[::1]:4000"),
        ("HTTP://LOCALHOST:80", "localhost:80", "http://localhost"),
    ],
)
def test_a_host_names_its_site(origin: str, host: str, site: str) -> None:
    assert Sites(["https://other.example", origin]).at(host) == Site(site.split("//")[1], site)


@pytest.mark.parametrize(
    "host",
    ["", "evil.example", "desk.example.com.evil.example", "desk.example.com:8443", "@", "a b"],
)
def test_another_host_is_refused(host: str) -> None:
    with pytest.raises(Refused) as refused:
        Sites(["https://desk.example.com"]).at(host)
    assert refused.value.code == "site.unknown"
    assert "desk.example.com" in refused.value.detail


@pytest.mark.parametrize(
    "origin",
    ["", "desk.example.com", "ftp://a", "https://", "https://a/path", "https://a?b", "https://a#b",
     "https://user@a", "https://a:port", "https://a:99999", "https://dësk.example", "https://a b",
     "https://[::1"],
)  # fmt: skip
def test_what_is_no_origin_is_refused(origin: str) -> None:
    with pytest.raises(Refused) as refused:
        Sites([origin])
    assert refused.value.code == "settings.invalid"
