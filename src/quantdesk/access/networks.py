"""Addresses and the networks they stand for: whom one bounds, blocks and lets in. Pure."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

_V4_WHOLE: Final = 32
_V4_NETWORK: Final = 24
_V6_NETWORK: Final = 64


@lru_cache(maxsize=8_192)
def whole(ip: str) -> str:
    """Return what one person holds: an IPv4 address, or an IPv6 /64, of which one has all or none.

    An IPv4 address in IPv6's clothes is IPv4; what is no address is "".
    """
    return _cut(ip, _V4_WHOLE)


@lru_cache(maxsize=8_192)
def network(ip: str) -> str:
    """Return the network of an address: an IPv4 /24, an IPv6 /64; "" of what is no address."""
    return _cut(ip, _V4_NETWORK)


@lru_cache(maxsize=4_096)
def within(ip: str, networks: tuple[str, ...]) -> bool:
    """Return whether an address lies in one of these networks; IPv4 in IPv6 counts as IPv4."""
    found = address(ip)
    return found is not None and any(
        found in one for text in networks if (one := ip_network(text)).version == found.version
    )


@lru_cache(maxsize=4_096)
def is_loopback(ip: str) -> bool:
    """Return whether an address is this machine's own."""
    found = address(ip)
    return found is not None and found.is_loopback


def address(ip: str) -> IPv4Address | IPv6Address | None:
    """Return an address, of IPv4 where it only is dressed as IPv6; None for what is none."""
    try:
        found = ip_address(ip.partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def _cut(ip: str, v4: int) -> str:
    found = address(ip)
    if found is None:
        return ""
    prefix = v4 if isinstance(found, IPv4Address) else _V6_NETWORK
    drop = found.max_prefixlen - prefix
    return f"{type(found)(int(found) >> drop << drop)}/{prefix}"
