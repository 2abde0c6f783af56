"""TLS of the web server: 1.2 and 1.3, ciphers with forward secrecy, renewed without a restart.

Ciphers of TLS 1.2: the intermediate configuration of https://ssl-config.mozilla.org; those of 1.3
are OpenSSL's own. A renewed certificate is noticed by its files' times; connections that are open
keep the one they began with.
"""

import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import structlog
from cryptography import x509

from quantdesk.core import secret_file
from quantdesk.core.errors import DeskError, Refused

log = structlog.get_logger()

LOOK_S: Final = 30.0
"""How often the files are looked at."""
_CIPHERS: Final = (
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
)


class Tls:
    """A certificate and its key, from files; raises `Refused` (`tls.unreadable`, `key.*`)."""

    def __init__(self, cert: Path, key: Path) -> None:
        self._cert = cert
        self._key = key
        self._seen = self._times()
        self.context = self._loaded()

    @property
    def cert(self) -> Path:
        """Return where the certificate is."""
        return self._cert

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names the certificate is for, without those with a wildcard."""
        try:
            certificate = x509.load_pem_x509_certificate(self._cert.read_bytes())
            told = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        except (OSError, ValueError, x509.ExtensionNotFound):
            return ()
        names = told.value.get_values_for_type(x509.DNSName)
        return tuple(name for name in names if not name.startswith("*"))

    def look(self) -> bool:
        """Take renewed files; return whether there were any.

        Raises `Refused` (`tls.unreadable`, `key.*`); the certificate then stays as it was.
        """
        if (times := self._times()) == self._seen:
            return False
        self._loaded()  # a pair that does not fit together must not replace one that does
        self.context.load_cert_chain(self._cert, self._key, _no_password)
        self._seen = times
        return True

    async def run(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Look for renewed files for as long as the desk runs."""
        while True:
            await sleep(LOOK_S)
            try:
                if self.look():
                    log.info("tls.renewed", cert=str(self._cert))
            except DeskError as problem:
                log.warning("tls.stale", code=problem.code, detail=problem.detail)

    def _loaded(self) -> ssl.SSLContext:
        secret_file.read(self._key)  # refuses one that others may read
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(_CIPHERS)
        context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
        try:
            context.load_cert_chain(self._cert, self._key, _no_password)
        except (OSError, ssl.SSLError) as problem:
            raise Refused(
                f"{self._cert} and {self._key} are no certificate and its key in PEM, without a"
                f" passphrase ({problem.strerror or problem})",
                code="tls.unreadable",
            ) from None
        return context

    def _times(self) -> tuple[int, ...]:
        try:
            return tuple(path.stat().st_mtime_ns for path in (self._cert, self._key))
        except OSError as problem:
            raise Refused(
                f"no TLS certificate: {problem.filename}: {problem.strerror}", code="tls.unreadable"
            ) from None


def _no_password() -> str:
    return ""  # never ask at a terminal that is not there
