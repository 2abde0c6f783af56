"""Letters: whatever is in them, nobody slips a header in; on this machine only its owner reads."""

import email
import email.policy
import stat
from pathlib import Path
from uuid import UUID

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.access.mail.composed import composed
from quantdesk.access.mail.folder import FolderPost
from quantdesk.access.mail.model import Letter
from quantdesk.core.errors import Refused, Unavailable

HEADERS = {
    *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version"),
    *("Content-Type", "Content-Transfer-Encoding"),
}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def letter(
    number: int = 1, *, recipient: str = "anna@example.com", subject: str = "Hello", text: str = "x"
) -> Letter:
    """Return a letter."""
    return Letter(
        id=UUID(int=number),
        recipient=recipient,
        subject=subject,
        text=text,
        at_ms=1_700_000_000_000,
    )


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=200))
def test_that_nothing_in_a_letter_becomes_a_header(recipient: str, subject: str, text: str) -> None:
    about = letter(recipient=f"{recipient}@example.com", subject=subject, text=text)
    try:
        raw = composed(about, sender="desk@example.org")
    except Refused:
        return
    parsed = email.message_from_bytes(raw, policy=email.policy.default)
    assert set(parsed.keys()) <= HEADERS
    assert len(parsed.keys()) == len(set(parsed.keys()))
    assert len(parsed["To"].addresses) == 1


@pytest.mark.parametrize(
    "given_letter",
    [
        letter(recipient="anna@example.com\r\nBcc: all@example.com"),
        letter(recipient="anna@example.com\nBcc: all@example.com"),
        letter(recipient="anna@example.com, all@example.com"),
        letter(subject="Hello\r\nBcc: all@example.com"),
        letter(subject="Hello\nBcc: all@example.com"),
    ],
)
def test_that_line_breaks_in_headers_are_refused(given_letter: Letter) -> None:
    with pytest.raises(Refused) as refused:
        composed(given_letter, sender="desk@example.org")
    assert refused.value.code in {"mail.rejected", "email.malformed"}


def test_that_a_letter_sent_again_is_the_same_to_the_byte() -> None:
    first = composed(letter(text="https://desk.example/reset#token"), sender="desk@example.org")
    again = composed(letter(text="https://desk.example/reset#token"), sender="desk@example.org")
    assert first == again
    assert b"Message-ID: <00000000-0000-0000-0000-000000000001@example.org>" in first
    assert b"https://desk.example/reset#token" in first


@pytest.mark.anyio
async def test_that_kept_letters_are_their_owners_alone(tmp_path: Path) -> None:
    post = FolderPost(tmp_path / "mail", kept_max=3)
    with structlog.testing.capture_logs() as logs:
        for number in range(1, 6):
            await post.send(letter(number, text="a secret link"))
    kept = sorted((tmp_path / "mail").iterdir())
    assert [path.name for path in kept] == [f"{UUID(int=number)}.eml" for number in (3, 4, 5)]
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept} == {0o600}
    assert stat.S_IMODE((tmp_path / "mail").stat().st_mode) == 0o700
    assert logs[-1]["path"] == str(kept[-1])
    assert "secret" not in repr(logs)
    assert b"a secret link" in kept[-1].read_bytes()


@pytest.mark.anyio
async def test_that_a_folder_that_cannot_be_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("in the way")
    with pytest.raises(Unavailable) as away:
        await FolderPost(tmp_path / "mail").send(letter())
    assert away.value.code == "mail.unavailable"
