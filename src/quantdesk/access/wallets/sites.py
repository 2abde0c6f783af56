"""The names this desk is reached by; a text is good at the one it was written for. Pure.

Whoever reads a text must be able to trust its domain, so it is one of these and never just what a
client says; a wallet warns when it is not that of the page that asks.
"""

from collections.abc import Sequence
from urllib.parse import urlsplit

from quantdesk.access.wallets.model import Site
from quantdesk.core.errors import Refused

_PORTS = {"http": 80, "https": 443}


class Sites:
    """The sites of a desk, by the Host that requests name."""

    def __init__(self, origins: Sequence[str]) -> None:
        """Take origins, such as `https://desk.example.com`.

        Raises `Refused` (`settings.invalid`).
        """
        assert origins, "a desk is somewhere"
        parsed = [_site(origin) for origin in origins]
        self._by_domain = {site.domain: site for site in parsed}

    def at(self, host: str) -> Site:
        """Return the site of a Host header; raise `Refused` (`site.unknown`)."""
        name = host.strip().lower()
        for known in (name, name.removesuffix(":443"), name.removesuffix(":80")):
            if known in self._by_domain:
                return self._by_domain[known]
        listed = ", ".join(self._by_domain)
        raise Refused(
            f"wallets sign in at {listed}; if this desk has another name, put it into access.sites",
            code="site.unknown",
        )


def _site(origin: str) -> Site:
    refused = Refused(
        f"access.sites: write {origin[:100]!r} like https://desk.example.com",
        code="settings.invalid",
    )
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        raise refused from None
    host = parts.hostname or ""
    if parts.scheme not in _PORTS or not host.isascii() or "@" in parts.netloc or " " in host:
        raise refused
    if not host or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise refused
    written = f"[{host}]" if ":" in host else host
    if port is not None and port != _PORTS[parts.scheme]:
        written = f"{written}:{port}"
    return Site(written, f"{parts.scheme}://{written}")
