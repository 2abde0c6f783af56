"""Settings of the terminal: an object as it was written, and nothing that could be in the way."""

import json

import pytest

from quantdesk.access.preferences.preferences import BYTES_MAX, DEPTH_MAX, checked
from quantdesk.core.errors import Refused


def nested(depth: int) -> bytes:
    return b'{"a":' * (depth - 1) + b"{}" + b"}" * (depth - 1)


@pytest.mark.parametrize(
    "document",
    [
        b"{}",
        b' {"theme" : "dark"}\n',
        b'{"a":1e3,"b":0.10,"c":null,"d":[true,{"e":"\\u0000\\ud83d\\ude00"}]}',
        json.dumps({"text": "ü" * 100}, ensure_ascii=False).encode(),
        nested(DEPTH_MAX),
        b'{"a":"' + b"x" * (BYTES_MAX - 8) + b'"}',
    ],
)
def test_that_a_document_is_kept_as_it_was_written(document: bytes) -> None:
    assert checked(document).encode() == document


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (b"", "request.malformed"),
        (b"[]", "request.malformed"),
        (b'"dark"', "request.malformed"),
        (b"null", "request.malformed"),
        (b"{", "request.malformed"),
        (b'{"a":NaN}', "request.malformed"),
        (b"{}{}", "request.malformed"),
        (b'{"a":"\xff"}', "request.malformed"),
        (b"\x00{}", "request.malformed"),
        (nested(DEPTH_MAX + 1), "request.malformed"),
        (b'{"a":' + b"[" * 8_000 + b"]" * 8_000 + b"}", "request.malformed"),
        (b'{"a":"' + b"x" * (BYTES_MAX - 7) + b'"}', "request.too_large"),
    ],
)
def test_that_whatever_else_is_refused(document: bytes, code: str) -> None:
    with pytest.raises(Refused) as refused:
        checked(document)

    assert refused.value.code == code
