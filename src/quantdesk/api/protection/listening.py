"""Whether a desk may listen where it is told to: keys and passwords never cross a network bare."""

from quantdesk.api.protection.proxies import is_loopback
from quantdesk.core.errors import Refused
from quantdesk.settings import ApiSettings


def check(api: ApiSettings) -> None:
    """Return if these settings are safe to listen with.

    Raises `Refused` (`settings.invalid`, `listen.insecure`) with the cure.
    """
    if bool(api.tls_cert) != bool(api.tls_key):
        lacking = "api.tls_key" if api.tls_cert else "api.tls_cert"
        raise Refused(f"TLS also needs {lacking}", code="settings.invalid")
    if is_here(api.host) or api.tls_cert or api.trusted_proxies or api.insecure:
        return
    raise Refused(
        f"api.host = {api.host} is open to the network, and keys would cross it unencrypted: set"
        " api.tls_cert and api.tls_key, or put a reverse proxy before the desk and name it in"
        " api.trusted_proxies (docs/how-to/expose-the-desk.md), or listen on 127.0.0.1;"
        " api.insecure = true overrides this, knowingly",
        code="listen.insecure",
    )


def only_through_proxies(api: ApiSettings) -> bool:
    """Return whether other machines than the trusted proxies are to be turned away."""
    return not (is_here(api.host) or api.tls_cert or api.insecure)


def is_here(host: str) -> bool:
    """Return whether an address to listen on is this machine's own."""
    return host == "localhost" or is_loopback(host)
