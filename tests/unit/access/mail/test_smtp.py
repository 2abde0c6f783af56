"""A real SMTP server on this machine, on its good and its bad days."""

import asyncio
import datetime as dt
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from quantdesk.access.mail.model import Letter
from quantdesk.access.mail.smtp import SmtpPost, SmtpServer
from quantdesk.core.errors import DeskError, Refused, Unavailable

pytestmark = [
    pytest.mark.anyio,
    # The server's library warns of what these tests do on purpose, and of its own old ways.
    pytest.mark.filterwarnings("ignore::DeprecationWarning:aiosmtpd"),
    pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning"),
]

LETTER = Letter(
    id=UUID(int=7),
    recipient="anna@example.com",
    subject="Choose a new password",
    text="https://desk.example/reset#token\n.\nMAIL FROM:<evil@example.com>\n",
    at_ms=1_700_000_000_000,
)
SENDER = "desk@example.org"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Server:
    """What the server answers: `at` a command, this line instead of doing it."""

    def __init__(self, **at: str) -> None:
        self.at = at
        self.got: list[Envelope] = []
        self.over_tls: list[bool] = []

    async def handle_MAIL(  # noqa: N802 - the library's name
        self, _: SMTP, __: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take a sender, or do not."""
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return self.at.get("mail", "250 OK")

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]
    ) -> str:
        """Take a recipient, or do not."""
        said = self.at.get("rcpt", "250 OK")
        if said.startswith("2"):
            envelope.rcpt_tos.append(address)
        return said

    async def handle_DATA(  # noqa: N802 - the library's name
        self, _: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Take the letter, or do not, or say nothing."""
        if self.at.get("data") == "hang":
            await asyncio.Event().wait()
        said = self.at.get("data", "250 OK")
        if said.startswith("2"):
            self.got.append(envelope)
            self.over_tls.append(session.ssl is not None)
        return said


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a certificate of localhost that is its own authority; key and certificate in a file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(2120, 1, 1, tzinfo=dt.UTC))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


Who = Callable[[SMTP, Session, Envelope, str, Any], AuthResult]


class Start(Protocol):
    """Starts a server."""

    async def __call__(
        self, server: Server, *, tls: ssl.SSLContext | None = None, who: Who | None = None
    ) -> int:
        """Return its port."""


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Start servers; they end with the test."""
    started: list[asyncio.Server] = []

    async def begin(
        server: Server, *, tls: ssl.SSLContext | None = None, who: Who | None = None
    ) -> int:
        made = await asyncio.get_running_loop().create_server(
            lambda: SMTP(
                server,
                tls_context=tls,
                require_starttls=tls is not None,
                authenticator=who,
                auth_required=who is not None,
            ),
            "127.0.0.1",
            0,
        )
        started.append(made)
        port: int = made.sockets[0].getsockname()[1]
        return port

    yield begin
    for made in started:
        made.close()


def tls_of(certificate: Path) -> ssl.SSLContext:
    """Return what a server speaks TLS with."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def plain(port: int, *, timeout_s: float = 5.0) -> SmtpPost:
    """Return a post to a server of this machine that speaks no TLS."""
    server = SmtpServer(host="127.0.0.1", port=port, security="off", timeout_s=timeout_s)
    return SmtpPost(server, sender=SENDER)


async def failure(post: SmtpPost) -> DeskError:
    """Return how sending fails."""
    with pytest.raises(DeskError) as failed:
        await post.send(LETTER)
    return failed.value


async def test_that_a_letter_arrives_whole_and_with_nothing_slipped_in(start: Start) -> None:
    server = Server()
    await plain(await start(server)).send(LETTER)
    (got,) = server.got
    assert (got.mail_from, got.rcpt_tos) == (SENDER, [LETTER.recipient])
    assert isinstance(got.content, bytes)
    content = got.content.decode()
    assert "https://desk.example/reset#token\r\n.\r\nMAIL FROM:<evil@example.com>" in content


@pytest.mark.parametrize(
    ("at", "kind"),
    [
        ({"rcpt": "450 mailbox busy"}, Unavailable),
        ({"rcpt": "550 no such mailbox"}, Refused),
        ({"data": "451 try later"}, Unavailable),
        ({"data": "554 looks like spam"}, Refused),
        ({"mail": "421 closing"}, Unavailable),
        ({"mail": "550 you may not send"}, Unavailable),  # ours to mend, not the letter's fault
    ],
)
async def test_that_a_reply_says_whether_to_try_again(
    start: Start, at: dict[str, str], kind: type[DeskError]
) -> None:
    server = Server(**at)
    assert type(await failure(plain(await start(server)))) is kind
    assert server.got == []


async def test_that_a_server_that_hangs_is_left(start: Start) -> None:
    problem = await failure(plain(await start(Server(data="hang")), timeout_s=0.3))
    assert type(problem) is Unavailable


async def test_that_nobody_at_the_port_is_tried_again() -> None:
    with socket.socket() as bound:  # and not listening
        bound.bind(("127.0.0.1", 0))
        assert type(await failure(plain(bound.getsockname()[1]))) is Unavailable


def encrypted(port: int, certificate: Path | None, *, password: str = "") -> SmtpPost:
    """Return a post that insists on STARTTLS."""
    server = SmtpServer(
        host="localhost",
        port=port,
        user="desk" if password else "",
        password=password,
        ca_file="" if certificate is None else str(certificate),
        timeout_s=5.0,
    )
    return SmtpPost(server, sender=SENDER)


async def test_that_starttls_encrypts(start: Start, certificate: Path) -> None:
    server = Server()
    port = await start(server, tls=tls_of(certificate))
    await encrypted(port, certificate).send(LETTER)
    assert server.over_tls == [True]


async def test_that_starttls_is_never_given_up(start: Start, certificate: Path) -> None:
    server = Server()
    assert type(await failure(encrypted(await start(server), certificate))) is Unavailable
    assert server.got == []


async def test_that_a_certificate_nobody_vouches_for_is_not_believed(
    start: Start, certificate: Path
) -> None:
    server = Server()
    port = await start(server, tls=tls_of(certificate))
    assert type(await failure(encrypted(port, None))) is Unavailable
    assert server.got == []


async def test_that_the_desk_signs_in_and_a_wrong_password_loses_no_letter(
    start: Start, certificate: Path
) -> None:
    def who(_: SMTP, __: Session, ___: Envelope, ____: str, data: LoginPassword) -> AuthResult:
        return AuthResult(success=data.password == b"right", handled=False)

    server = Server()
    port = await start(server, tls=tls_of(certificate), who=who)
    wrong = encrypted(port, certificate, password="wrong")
    problem = await failure(wrong)
    assert (type(problem), problem.detail) == (Unavailable, "the mail server answered 535")
    assert "wrong" not in repr(wrong._server)
    await encrypted(port, certificate, password="right").send(LETTER)
    assert len(server.got) == 1


@pytest.mark.parametrize(
    "server",
    [
        SmtpServer(host="mail.example.com", security="off"),
        SmtpServer(host="mail.example.com", ca_file="/nowhere.pem"),
    ],
)
def test_that_mail_never_travels_in_the_open(server: SmtpServer) -> None:
    with pytest.raises(Refused) as refused:
        SmtpPost(server, sender=SENDER)
    assert refused.value.code == "mail.insecure"
