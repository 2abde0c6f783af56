"""Keccak-256 gives the digests its authors and Ethereum publish."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.sources.words import keccak
from quantdesk.sources.words.keccak import keccak256

# https://github.com/XKCP/XKCP, ShortMsgKAT_Keccak-256 (lengths 0, 8 and 16 bits); the others are
# well known of Ethereum: the empty code, an event's signature, the empty RLP string.
VECTORS = {
    b"": "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470",
    b"\xcc": "eead6dbfc7340a56caedc044696a168870549a6a7f6f56961e84a54bd9970b8a",
    b"\x80": "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
    b"abc": "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45",
    b"Transfer(address,address,uint256)": (
        "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
    ),
}


@pytest.mark.parametrize(("data", "digest"), VECTORS.items(), ids=lambda one: repr(one)[:20])
def test_that_the_published_digests_come_out(data: bytes, digest: str) -> None:
    assert keccak256(data).hex() == digest


@given(st.binary(max_size=3 * 136 + 1))
def test_that_with_the_other_padding_it_is_the_sha3_of_the_standard_library(data: bytes) -> None:
    """SHA-3 differs in one byte of padding: all else is compared at every length by it."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(keccak, "_PAD_FIRST", 0x06)
        assert keccak256(data) == hashlib.sha3_256(data).digest()
    assert keccak256(data) != hashlib.sha3_256(data).digest()
