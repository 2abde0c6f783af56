"""What is known of a provider by configuration, and what it says of a person. Pure.

OpenID Connect providers need their issuer alone: the rest is discovered. Others (such as GitHub)
name their three addresses and the field of the user's number.
"""

from typing import Final

import msgspec

from quantdesk.core.errors import Refused

_NAME_MAX: Final = 40


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """A provider and this desk's registration there; `secret` is empty for public clients."""

    name: str
    issuer: str
    client_id: str
    secret: str = ""
    scope: str = "openid email profile"
    authorize_url: str = ""
    token_url: str = ""
    userinfo_url: str = ""
    subject_field: str = "id"

    @property
    def discovered(self) -> bool:
        """Return whether it speaks OpenID Connect, so that its issuer says the rest."""
        return not self.userinfo_url


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who a provider says somebody is; `issuer` and `subject` name them for ever."""

    issuer: str
    subject: str
    email: str | None = None
    email_verified: bool = False
    name: str = ""


def checked(provider: Provider) -> Provider:
    """Return a provider that can be used; raise `Refused` (`oauth.settings`) with what is wrong."""
    name, urls = provider.name, (provider.authorize_url, provider.token_url, provider.userinfo_url)
    if not (name.isascii() and name.replace("-", "").isalnum() and len(name) <= _NAME_MAX):
        raise _wrong(f"{name!r} is no name: letters, digits and hyphens")
    if not provider.client_id:
        raise _wrong(f"{name}: client_id is missing")
    if any(urls) and not all(urls):
        raise _wrong(f"{name}: authorize_url, token_url and userinfo_url come together or not")
    for url in (provider.issuer, *filter(None, urls)):
        if not _trusted(url):
            raise _wrong(f"{name}: {url!r} is no https address")
    return provider


def _trusted(url: str) -> bool:
    loopback = ("http://127.0.0.1:", "http://localhost:", "http://[::1]:")
    return url.startswith(("https://", *loopback)) and "@" not in url and "#" not in url


def _wrong(what: str) -> Refused:
    return Refused(f"access.oauth: {what}", code="oauth.settings")
