"""Server text frames, built once however many clients get them.

What a server sends is not masked, so the same bytes serve everybody, and a message in one frame
needs no general machinery (RFC 6455 §5.2, https://www.rfc-editor.org/rfc/rfc6455#section-5.2).
"""

_TEXT = 0x81  # final, text
_SHORT_MAX = 125
_MEDIUM_MAX = 0xFFFF


def frame(payload: bytes) -> bytes:
    """Return a server's text frame of a payload of UTF-8."""
    size = len(payload)
    if size <= _SHORT_MAX:
        return bytes((_TEXT, size)) + payload
    if size <= _MEDIUM_MAX:
        return b"\x81\x7e" + size.to_bytes(2) + payload
    return b"\x81\x7f" + size.to_bytes(8) + payload
