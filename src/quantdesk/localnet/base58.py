"""Base 58 of any bytes; addresses and signatures have their own in the binding."""

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
DIGITS = {letter: value for value, letter in enumerate(ALPHABET)}


def encode(data: bytes) -> str:
    """Return the text of these bytes. Quadratic: for at most a few kilobytes."""
    value = int.from_bytes(data, "big")
    letters = []
    while value:
        value, digit = divmod(value, 58)
        letters.append(ALPHABET[digit])
    zeros = len(data) - len(data.lstrip(b"\0"))
    return ALPHABET[0] * zeros + "".join(reversed(letters))


def decode(text: str) -> bytes:
    """Return the bytes of this text; raises ValueError for a letter outside the alphabet."""
    value = 0
    for letter in text:
        digit = DIGITS.get(letter)
        if digit is None:
            raise ValueError(f"{letter!r} is not base 58")
        value = value * 58 + digit
    zeros = len(text) - len(text.lstrip(ALPHABET[0]))
    return b"\0" * zeros + value.to_bytes((value.bit_length() + 7) // 8, "big")
