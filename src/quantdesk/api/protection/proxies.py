"""Reverse proxies: whose word on where a request came from is believed. Pure.

Only a peer of `api.trusted_proxies` is; from anybody else the fields mean nothing. Each proxy
appends the address it saw, so the list is read from its end: the first hop that is no trusted proxy
is the client, and what stands before it is the client's own invention.
Source: https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/X-Forwarded-For
"""

import ipaddress
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

import msgspec

from quantdesk.core.errors import Refused

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_FOR: Final = b"x-forwarded-for"
_PROTO: Final = b"x-forwarded-proto"
_HOST: Final = b"x-forwarded-host"
_HOPS_MAX: Final = 32
_KEPT_MAX: Final = 1024
_SCHEMES: Final = {b"http": "http", b"https": "https"}


class Seen(msgspec.Struct, frozen=True):
    """A request as its client made it: from where, how, and by which name."""

    ip: str
    scheme: str
    host: bytes


class Proxies:
    """The networks of the proxies before this desk."""

    def __init__(self, networks: Iterable[str]) -> None:
        self._networks = tuple(_network(text) for text in networks)
        # A proxy's own address, and the lists of those who come again, are read once.
        self.trusts = lru_cache(_KEPT_MAX)(self._trusts)
        """Says whether an address is that of a trusted proxy."""
        self._client = lru_cache(_KEPT_MAX)(self._last_hop)

    def __bool__(self) -> bool:
        return bool(self._networks)

    def seen(self, peer: str, headers: Mapping[bytes, bytes], *, scheme: str) -> Seen:
        """Return a request as its client made it; `scheme` is how the peer reached us."""
        host = headers.get(b"host", b"")
        if not self.trusts(peer):
            return Seen(peer, scheme, host)
        told = _SCHEMES.get(_last(headers.get(_PROTO, b"")), scheme)
        return Seen(
            self._client(peer, headers.get(_FOR, b"")), told, _last(headers.get(_HOST, b"")) or host
        )

    def _last_hop(self, peer: str, told: bytes) -> str:
        client = peer
        for hop in reversed(told.decode("latin-1").rsplit(",", _HOPS_MAX)[-_HOPS_MAX:]):
            address = _address(hop)
            if address is None:
                return (
                    client  # a word nobody can check: the hop that passed it on is the last known
                )
            client = str(address)
            if not self.trusts(client):
                return client
        return client

    def _trusts(self, peer: str) -> bool:
        address = _address(peer)
        return address is not None and any(
            address.version == network.version and address in network for network in self._networks
        )


def joined(headers: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Return headers by name; those sent several times are one list (RFC 9110 §5.3)."""
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        found[name] = b"%b, %b" % (found[name], value) if name in found else value
    return found


def is_loopback(ip: str) -> bool:
    """Return whether an address is this machine's own."""
    address = _address(ip)
    return address is not None and address.is_loopback


def _address(text: str) -> Address | None:
    bare = text.strip()
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]  # some proxies tell the port too
    try:
        address = ipaddress.ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _last(value: bytes) -> bytes:
    return value.rpartition(b",")[2].strip().lower()


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text.strip())
    except ValueError as problem:
        raise Refused(f"api.trusted_proxies: {problem}", code="settings.invalid") from None
