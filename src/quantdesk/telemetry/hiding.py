"""The secrets among the settings: kept out of every line by their value, whatever their form."""

from urllib.parse import unquote, urlsplit

from pydantic import BaseModel

from quantdesk.settings import Settings
from quantdesk.telemetry.redaction import is_secret, redaction

_ADDRESSES = frozenset({"webhook_url", "slack_url"})
"""Whoever knows one of these can post there."""


def hide(settings: Settings) -> None:
    """Keep the secrets of these settings out of every line from now on."""
    redaction.hide(*secrets_of(settings))


def secrets_of(section: BaseModel) -> set[str]:
    """Return the values that are secret by their setting's name, and the passwords in addresses."""
    found: set[str] = set()
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            found |= secrets_of(value)
        elif isinstance(value, str) and value:
            found |= _passwords(value) | ({value} if _is_secret(name) else set())
    return found


def _is_secret(name: str) -> bool:
    if name in _ADDRESSES:
        return True
    return is_secret(name) or name == "key" or (name.endswith("_key") and name != "tls_key")


def _passwords(value: str) -> set[str]:
    if "://" not in value:
        return set()
    try:
        password = urlsplit(value).password
    except ValueError:
        return {value}  # an address that cannot be read may hold anything anywhere
    return {password, unquote(password)} if password else set()
