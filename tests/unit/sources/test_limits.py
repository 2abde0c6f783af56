"""What a refusal says of waiting is obeyed within bounds; a place not served is told as such."""

import pytest

from quantdesk.sources.limits import WAIT_S, WAIT_S_MAX, Declined, retry_after_s


@pytest.mark.parametrize(
    ("status", "said", "wait_s"),
    [
        (429, "7", 7),
        (418, "120", 120),
        (418, "99999999", WAIT_S_MAX),
        (429, None, WAIT_S),
        (429, "Wed, 21 Oct 2026 07:28:00 GMT", WAIT_S),
        (429, "-5", WAIT_S),
        (429, "²", WAIT_S),
        (503, "3", 3),
        (500, "3", 0),
    ],
)
def test_that_waiting_is_obeyed(status: int, said: str | None, wait_s: float) -> None:
    assert retry_after_s(status, said) == wait_s


@pytest.mark.parametrize(
    ("status", "code", "lasting"),
    [
        (451, "source.barred", True),
        (403, "source.barred", True),
        (429, "source.busy", False),
        (418, "source.busy", False),
        (502, "source.declined", False),
    ],
)
def test_that_the_code_says_what_to_do(status: int, code: str, lasting: bool) -> None:  # noqa: FBT001
    declined = Declined("no", status=status)

    assert (declined.code, declined.lasting) == (code, lasting)
