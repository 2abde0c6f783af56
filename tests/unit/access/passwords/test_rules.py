"""What a password may be: long, and not what is tried first, in whatever disguise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.access.mail.addresses import address, words
from quantdesk.access.passwords.notorious import NOTORIOUS
from quantdesk.access.passwords.rules import CHARS_MAX, check, effort, normalized
from quantdesk.core.errors import Refused

OWN = words("anna.karenina@steppe-trading.example")


def code(password: str) -> str:
    """Return the code with which a password is refused, empty if it is not."""
    try:
        check(password, own=OWN)
    except Refused as refused:
        return refused.code
    return ""


@pytest.mark.parametrize(
    "password",
    [
        "password1234",
        "PASSWORD1234",
        "Passw0rd2026!!",
        "P@ssw0rdP@ssw0rd",
        "p4$$w0rd_p4$$w0rd",
        "\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff441234",  # fullwidth letters
        "aaaaaaaaaaaa",
        "abcabcabcabcab",
        "abcdefghijklmn",
        "nmlkjihgfedcba",
        "123456789012",
        "314159265358",
        "qwertyuiop[]",
        "1qaz2wsx3edc4rfv",
        "zaq12wsxcde3",
        "qwertyqwertyq",
        "iloveyou1234",
        "Summer2026!!!!",
        "JohnSmith1985!",
        "letmein-letmein!",
        "correcthorsebatterystaple",
        "quantdesk-trader",
        "anna-karenina-1",
        "Steppe.Trading.26",
        "   password   ",
        "11111111111111111111111111111112",
    ],
)
def test_that_what_is_tried_first_is_refused(password: str) -> None:
    assert code(password) == "password.common"


@pytest.mark.parametrize(
    "password",
    [
        "tundra violin kettle",
        "x7Kq!9mVt2Lp",
        "gravel umbrella sixpence",
        "пламя вокзал утюг",
        "\u96fb\u8eca\u304c\u9045\u308c\u3066\u56f0\u308b\u306d\u3001\u672c\u5f53",
        "\U0001f98a reads at dawn",
        "I have 3 grey herons",
    ],
)
def test_that_what_nobody_would_guess_is_taken(password: str) -> None:
    assert code(password) == ""


@given(st.sampled_from(sorted(NOTORIOUS)), st.integers(0, 99_999), st.sampled_from(["", "!", "!!"]))
def test_that_a_notorious_word_and_a_number_never_do(word: str, number: int, end: str) -> None:
    assert code(f"{word.title()}{number:05d}{end}") in {"password.short", "password.common"}


@given(st.text(alphabet="abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ!?%&", min_size=24))
def test_that_effort_is_at_most_the_length(password: str) -> None:
    assert 1 <= effort(normalized(password), own=OWN) <= len(password)


@given(st.binary(min_size=16, max_size=16))
def test_that_a_random_password_is_taken(noise: bytes) -> None:
    letters = "abdefgikmnpqrtuvxyz235689BDEFGH"
    password = "".join(letters[byte % len(letters)] for byte in noise)
    if len(set(password)) > 11:  # what chance made regular is not meant
        assert code(password) in {"", "password.common"}
        assert (code(password) == "") == (effort(password, own=OWN) >= 7)


def test_that_length_is_counted_as_people_read_it() -> None:
    assert code("x7Kq!9mVt2L") == "password.short"
    assert code("cafe\u0301 vent\u0301u") == "password.short"  # 12 code points, 11 once composed
    long = "".join(chr(0x4E00 + 7 * at) for at in range(CHARS_MAX))
    assert code(long) == ""
    assert code(long + "\u4e8c") == "password.long"
    assert code("\ufdfa" * 12) == "password.long"  # one sign that is eighteen letters


@pytest.mark.parametrize("sign", ["\0", "\n", "\r", "\x1b", "\x7f", "\x85"])
def test_that_control_characters_are_refused(sign: str) -> None:
    assert code(f"tundra violin{sign}kettle") == "password.malformed"


def test_that_addresses_have_one_spelling() -> None:
    assert address("Anna.Karenina+Desk@EXAMPLE.com") == "anna.karenina+desk@example.com"
    assert address("a@xn--bcher-kva.example") == "a@xn--bcher-kva.example"


@given(st.text(max_size=300))
def test_that_no_text_is_an_address_by_accident(text: str) -> None:
    try:
        spelled = address(text)
    except Refused:
        return
    assert address(spelled) == spelled
    assert not set(spelled) & set('\r\n\0 ,;<>"()[]:\\')
