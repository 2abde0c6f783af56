"""Promise: the verifier's own Ed25519 and Merkle arithmetic agree with what the desk signs with."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantdesk.access.audit.signing import PREFIX, Signer, Statement, key_id
from quantdesk.access.audit.tree import way
from quantdesk.ops import verify_evidence
from quantdesk.ops.verify_evidence import Wrong, sides, signed_by

# https://www.rfc-editor.org/rfc/rfc8032#section-7.1: public key, message, signature
VECTORS = [
    ("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     ("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b4"
     "6bd25bf5f0595bbe24655141438e7a100b")),
    ("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     ("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d"
     "8c387b2eaeb4302aeeb00d291612bb0c00")),
]  # fmt: skip


@pytest.mark.parametrize(("public", "message", "signature"), VECTORS)
def test_that_the_vectors_of_the_rfc_hold(public: str, message: str, signature: str) -> None:
    key, text, proof = (bytes.fromhex(part) for part in (public, message, signature))
    assert signed_by(key, text, proof)
    assert not signed_by(key, text + b"x", proof)
    assert not signed_by(key, text, proof[:32] + bytes(32))
    assert not signed_by(key, text, proof[:-1])
    # the same point with a scalar beyond the group's order: RFC 8032 §5.1.7 refuses it
    beyond = int.from_bytes(proof[32:], "little") + verify_evidence.L
    assert not signed_by(key, text, proof[:32] + beyond.to_bytes(32, "little"))


@given(st.binary(min_size=32, max_size=32), st.integers(0, 2**40), st.integers(0, 63 * 8 + 7))
@settings(max_examples=15)
def test_that_what_the_desk_signs_holds_and_one_bit_breaks_it(
    seed: bytes, last: int, bit: int
) -> None:
    signer = Signer(seed)
    root = signer.sign(Statement(at=1, day="2026-01-31", first=1, last=last, head="a", tree="b"))
    text = PREFIX + root.statement.encode()
    assert signed_by(signer.public.public, text, root.signature)
    assert signer.public.id == key_id(signer.public.public)
    forged = bytearray(root.signature)
    forged[bit // 8] ^= 1 << bit % 8
    assert not signed_by(signer.public.public, text, bytes(forged))


@given(st.integers(1, 500), st.data())
def test_that_both_know_the_way_to_the_root(count: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, count - 1))
    expected = ["left" if step.left else "right" for step in way(index, count)]
    assert sides(index, count) == expected


@pytest.mark.parametrize("text", ['{"a":1,"a":2}', "", "[]", '{"format":1}', "{", "1e999999"])
def test_that_any_file_is_read_and_most_prove_nothing(text: str) -> None:
    with pytest.raises(verify_evidence.UNPROVEN):
        verify_evidence.verify(verify_evidence.read(text))


def test_that_a_row_outside_of_its_root_is_refused() -> None:
    with pytest.raises(Wrong):
        sides(5, 5)
