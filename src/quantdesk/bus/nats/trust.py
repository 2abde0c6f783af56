"""TLS to NATS: whom we believe, who we say we are, and that nothing is said to whoever has none.

A server of NATS greets in the open and asks for TLS there, so whoever sits in between could leave
the question out, and the library would send its password as it is. `SealedClient` says nothing
before TLS stands. Protocol: https://docs.nats.io/reference/reference-protocols/nats-protocol#info.
"""

import ssl
from pathlib import Path
from typing import Final

from nats.aio.client import Client
from nats.errors import Error as NatsError

from quantdesk.core import secret_file
from quantdesk.core.errors import Refused

_OTHER_NAME: Final = "write the name that its certificate is for in nats_url"
_OTHER_AUTHORITY: Final = "set nats_ca_file to the authority that signed its certificate"
_CURES: Final = {62: _OTHER_NAME, 64: _OTHER_NAME}  # X509_V_ERR_HOSTNAME_MISMATCH, …_IP_ADDRESS_…


class TlsError(NatsError):
    """TLS with a server is not what was asked for; its text says what helps."""


class OpenError(TlsError):
    """The server asks for no TLS where TLS is wanted."""

    def __str__(self) -> str:
        return (
            "it asks for no TLS, so it was told nothing: give it a certificate (`tls` of its "
            "configuration), or write nats:// where the network between is your own"
        )


class UnknownToItError(TlsError):
    """The server asks who we are, and hung up on what it was shown."""

    def __str__(self) -> str:
        return (
            "it asks for a certificate and does not trust ours, or was shown none: set "
            "nats_cert_file and nats_key_file to one that its authority signed"
        )


class SealedClient(Client):
    """A client that sends nothing, and no password, before TLS stands."""

    def _connect_command(self) -> bytes:
        if not self._server_info.get("tls_required"):
            raise OpenError
        return super()._connect_command()

    async def _process_connect_init(self) -> None:
        try:
            await super()._process_connect_init()
            if not self.is_connected:
                raise ConnectionResetError("it hung up")
        except ssl.SSLCertVerificationError:
            raise
        except OSError as problem:  # with TLS 1.3, an alert or nothing but the end
            if self._server_info.get("tls_verify"):
                raise UnknownToItError from problem
            raise


def trust(*, ca_file: str = "", cert_file: str = "", key_file: str = "") -> ssl.SSLContext:
    """Return how servers are checked, and what they are shown of us; PEM files, or "" for none.

    Without `ca_file` the machine's authorities are believed. Raises `Refused` (`settings.invalid`,
    `key.missing`, `key.mode`).
    """
    try:
        context = ssl.create_default_context(cafile=ca_file or None)
    except OSError as problem:
        raise Refused(
            f"nats_ca_file: {ca_file} holds no certificates ({problem.strerror or problem})",
            code="settings.invalid",
        ) from problem
    if bool(cert_file) != bool(key_file):
        raise Refused(
            "nats_cert_file and nats_key_file go together: set both or neither",
            code="settings.invalid",
        )
    if cert_file:
        secret_file.read(Path(key_file))  # refuses one that others may read
        try:
            context.load_cert_chain(cert_file, key_file, _no_password)
        except OSError as problem:
            raise Refused(
                f"nats_cert_file and nats_key_file: {cert_file} and {key_file} are no certificate "
                f"and its key in PEM, without a passphrase ({problem.strerror or problem})",
                code="settings.invalid",
            ) from None
    return context


def distrust(problem: BaseException) -> str | None:
    """Return what is wrong with a server's TLS and what helps, None where it is something else."""
    if isinstance(problem, TlsError):
        return str(problem)
    if isinstance(problem, ssl.SSLCertVerificationError):
        cure = _CURES.get(problem.verify_code, _OTHER_AUTHORITY)
        return f"{problem.verify_message.rstrip('.')}: {cure}"
    if isinstance(problem, ssl.SSLError):
        return f"no TLS could be agreed on, {problem.reason or problem}: let it speak 1.2 or newer"
    return None


def _no_password() -> str:
    return ""  # never ask at a terminal that is not there
