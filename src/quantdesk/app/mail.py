"""What carries the desk's letters: an SMTP server where one is set, else files in its home."""

from pathlib import Path
from typing import Final

from quantdesk.access.mail.folder import FolderPost
from quantdesk.access.mail.port import Post
from quantdesk.access.mail.smtp import SmtpPost, SmtpServer
from quantdesk.core import secret_file
from quantdesk.core.errors import Refused
from quantdesk.settings import MailSettings
from quantdesk.telemetry.log import hide

MAIL: Final = "mail"


def open_post(mail: MailSettings, home: Path) -> Post:
    """Return what carries letters.

    Raises `Refused` (`settings.invalid`, `key.*`, `mail.insecure`).
    """
    if not mail.smtp_host:
        return FolderPost(home / MAIL)
    if not mail.sender:
        raise Refused("mail.sender is missing: who letters are from", code="settings.invalid")
    password = ""
    if mail.smtp_password_file:
        file = Path(mail.smtp_password_file).expanduser()
        password = secret_file.read(file).decode().strip()
        hide(password)
    server = SmtpServer(
        host=mail.smtp_host,
        port=mail.smtp_port,
        security=mail.smtp_security,
        user=mail.smtp_user,
        password=password,
        ca_file=mail.smtp_ca_file,
        timeout_s=mail.smtp_timeout_s,
    )
    return SmtpPost(server, sender=mail.sender)


def kept(mail: MailSettings) -> str:
    """Return why letters stay on this machine, and the cure; empty where they leave it."""
    if mail.smtp_host:
        return ""
    return f"letters stay in the folder {MAIL} of the home: set mail.smtp_host, and they leave"
