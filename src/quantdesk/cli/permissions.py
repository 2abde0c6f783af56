"""What each command asks of whoever runs it: the permission of what it does, or the machine.

Commands that talk to a desk do so with the owner's key and are allowed by the same table as any
other caller (`access/policy.py`). Those of the machine need nothing but its user: they start a
desk, read its files or ask a source, and touch no running desk's API.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

from quantdesk.access.model import Permission

MACHINE: Final = "machine"

COMMANDS: Final[Mapping[str, Permission | Literal["machine"]]] = MappingProxyType(
    {
        "up": MACHINE,
        "demo": MACHINE,
        "doctor": MACHINE,
        "drill kill": MACHINE,
        "localnet": MACHINE,
        "unlock": MACHINE,
        "run": MACHINE,
        "cache show": MACHINE,
        "cache purge": MACHINE,
        "master rotate": MACHINE,
        "audit verify": MACHINE,
        "audit export": MACHINE,
        "sign-in": MACHINE,
        "record": MACHINE,
        "replay": MACHINE,
        "plot": MACHINE,
        "backfill": MACHINE,
        "forget": MACHINE,
        "gaps": MACHINE,
        "quote buy": Permission.MARKET_READ,
        "quote sell": Permission.MARKET_READ,
        "order buy": Permission.ORDERS_WRITE,
        "order sell": Permission.ORDERS_WRITE,
        "orders": Permission.ORDERS_READ,
        "orders show": Permission.ORDERS_READ,
        "orders cancel": Permission.ORDERS_WRITE,
        "orders evidence": Permission.ORDERS_READ,
        "prices": Permission.MARKET_READ,
        "sources": Permission.MARKET_READ,
        "raw": Permission.MARKET_READ,
        "quality": Permission.ORDERS_READ,
        "audit evidence": Permission.AUDIT_READ,
        "limits": Permission.ACCOUNT_READ,
        "limits set": Permission.LIMITS_WRITE,
        "halt": Permission.LIMITS_WRITE,
        "resume": Permission.LIMITS_WRITE,
        "security events": Permission.SECURITY_READ,
        "security blocks": Permission.SECURITY_READ,
        "security report": Permission.SECURITY_READ,
        "security lift": Permission.SECURITY_WRITE,
        "security test-notice": Permission.SECURITY_WRITE,
        "users": Permission.USERS_READ,
        "users add": Permission.USERS_WRITE,
        "users set": Permission.USERS_WRITE,
        "keys": Permission.ACCOUNT_READ,
        "keys add": Permission.KEYS_WRITE,
        "keys rotate": Permission.KEYS_WRITE,
        "keys revoke": Permission.KEYS_WRITE,
        "sessions": Permission.ACCOUNT_READ,
        "sessions end": Permission.ACCOUNT_WRITE,
    }
)
