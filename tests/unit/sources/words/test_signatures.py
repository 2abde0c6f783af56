"""A VAA proves something when enough of the right signers signed it, and in no other case."""

from collections.abc import Sequence
from contextlib import suppress

import pytest
from eth_keys.backends.native.jacobian import fast_multiply
from eth_keys.constants import SECPK1_G, SECPK1_N, SECPK1_P
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.core.errors import Corrupt
from quantdesk.sources.words import signatures, vaa
from quantdesk.sources.words.signatures import Attestations, Attested, Unknown, attested
from quantdesk.sources.words.signers import ROUTERS, WORMHOLE, known
from quantdesk.sources.words.vaa import BODY, HEAD, SIGNATURE, Emitter
from quantdesk.testing import guardians
from quantdesk.testing.guardians import SET_INDEX, SETTING, Form, sign

KNOWN = known([SETTING])
SAID = guardians.body(b"a root")
FORMS = [(place, sign(SAID, place)) for place in range(4)]
PYTHON = "eth_keys.backends.NativeECCBackend"


@pytest.fixture(params=[None, PYTHON])
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Recover by whatever library is there, and by what a desk always has."""
    if request.param:
        monkeypatch.setenv("ECC_BACKEND_CLASS", request.param)


def judged(
    forms: Sequence[tuple[int, Form]], said: bytes = SAID, *, set_index: int = SET_INDEX
) -> Attested | Unknown:
    return attested(vaa.read(guardians.vaa(said, forms, set_index=set_index)), KNOWN)


def refusal(forms: Sequence[tuple[int, Form]], said: bytes = SAID) -> str:
    with pytest.raises(Corrupt) as caught:
        judged(forms, said)
    assert caught.value.code == "proof.invalid"
    return caught.value.detail


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("places", [(0, 1, 2), (0, 1, 3), (1, 2, 3), (0, 1, 2, 3)])
def test_that_a_quorum_of_a_known_set_is_told(places: Sequence[int]) -> None:
    found = judged([FORMS[place] for place in places])
    assert found == Attested("Wormhole guardian", SET_INDEX, len(places), 4, None)
    assert str(found) == f"{len(places)} of 4 of Wormhole guardian set 1000"


@pytest.mark.parametrize("places", [(), (0,), (0, 1), (2, 3)])
def test_that_one_signature_short_of_a_quorum_is_refused(places: Sequence[int]) -> None:
    assert "of the 3 it needs" in refusal([FORMS[place] for place in places])


@pytest.mark.parametrize("places", [(0, 0, 1), (0, 1, 1), (1, 1, 1)])
def test_that_nobody_counts_twice(places: Sequence[int]) -> None:
    assert "comes after signer" in refusal([FORMS[place] for place in places])


@pytest.mark.parametrize("places", [(1, 0, 2), (0, 2, 1), (2, 1, 0)])
def test_that_signers_must_rise(places: Sequence[int]) -> None:
    assert "comes after signer" in refusal([FORMS[place] for place in places])


@pytest.mark.parametrize("place", [4, 255])
def test_that_a_signer_beyond_the_set_is_refused(place: int) -> None:
    assert f"signer {place} of 4" in refusal([*FORMS[:2], (place, FORMS[2][1])])


@pytest.mark.usefixtures("backend")
def test_that_a_signature_in_another_signer_s_place_is_refused() -> None:
    """Three of the four signed; the last claims to be another."""
    assert "not by signer 3" in refusal([*FORMS[:2], (3, FORMS[2][1])])


def test_that_one_bad_signature_beyond_the_quorum_is_refused_as_on_chain() -> None:
    assert "not by signer 3" in refusal([*FORMS[:3], (3, FORMS[0][1])])


@given(st.integers(0, len(SAID) * 8 - 1))
def test_that_no_bit_of_the_body_may_be_flipped(at: int) -> None:
    tampered = bytearray(SAID)
    tampered[at // 8] ^= 1 << at % 8
    refusal(FORMS[:3], bytes(tampered))


@given(st.integers(0, SIGNATURE.size * 3 * 8 - 1))
def test_that_no_bit_of_a_signature_may_be_flipped(at: int) -> None:
    whole = bytearray(guardians.vaa(SAID, FORMS[:3]))
    whole[HEAD.size + at // 8] ^= 1 << at % 8
    with pytest.raises(Corrupt):
        attested(vaa.read(bytes(whole)), KNOWN)


def _at_infinity() -> Form:
    """Return a signature that the point at infinity recovers from, a key that everybody has."""
    z = int.from_bytes(vaa.read(guardians.vaa(SAID, [])).digest)
    x, y = fast_multiply(SECPK1_G, z % SECPK1_N)
    return y & 1, x, 1


def _off_the_curve() -> Form:
    x = next(x for x in range(1, 99) if pow(x**3 + 7, SECPK1_P // 2, SECPK1_P) != 1)
    return 0, x, 1


V, R, S = FORMS[2][1]


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize(
    "form",
    [
        pytest.param((0, 0, 0), id="all zeros"),
        pytest.param((V, 0, S), id="r zero"),
        pytest.param((V, R, 0), id="s zero"),
        pytest.param((V, R + SECPK1_N if R + SECPK1_N < 1 << 256 else SECPK1_N, S), id="r too big"),
        pytest.param((V, R, SECPK1_N), id="s the order"),
        pytest.param((V ^ 1, R, SECPK1_N - S), id="malleable: s in the upper half"),
        pytest.param((V ^ 1, R, S), id="the other recovery id"),
        pytest.param((V + 2, R, S), id="r beyond the order"),
        pytest.param((V + 27, R, S), id="recovery id as Ethereum writes it"),
        pytest.param((255, R, S), id="any recovery id"),
        pytest.param(_at_infinity(), id="the point at infinity"),
        pytest.param(_off_the_curve(), id="no point of the curve"),
    ],
)
def test_that_a_signature_has_one_form(form: Form) -> None:
    assert "not by signer 2" in refusal([*FORMS[:2], (2, form)])


def test_that_the_upper_half_of_s_is_a_signature_everywhere_else() -> None:
    """Else the test above would show nothing of the half."""
    found = judged([*FORMS[:2], (2, (V, R, S))])
    assert isinstance(found, Attested)
    assert S <= SECPK1_N // 2


@pytest.mark.parametrize(
    "emitter",
    [
        Emitter(1, WORMHOLE.emitter.address),
        Emitter(WORMHOLE.emitter.chain, bytes(32)),
        Emitter(27, ROUTERS.emitter.address),
    ],
)
def test_that_a_foreign_emitter_is_refused_whoever_signed_it(emitter: Emitter) -> None:
    said = guardians.body(b"a root", emitter=emitter)
    forms = [(place, sign(said, place)) for place in range(4)]
    assert "does not emit Pyth's roots" in refusal(forms, said)


@pytest.mark.parametrize("set_index", [0, 2, 8, 999, 1001, (1 << 32) - 1])
def test_that_an_unknown_set_is_neither_proven_nor_refused(set_index: int) -> None:
    found = judged(FORMS, set_index=set_index)
    assert found == Unknown("Wormhole guardian", set_index)
    assert str(found) == f"Wormhole guardian set {set_index}, which this desk does not know"


@pytest.mark.parametrize("set_index", [3, 4, 5, 6, 7])
def test_that_signers_of_one_set_do_not_sign_for_another(set_index: int) -> None:
    forms = [(place, FORMS[place % 4][1]) for place in range(13)]
    with pytest.raises(Corrupt, match=f"not by signer 0 of Wormhole guardian set {set_index}"):
        judged(forms, set_index=set_index)


def test_that_sets_of_one_network_are_not_sets_of_the_other() -> None:
    """The emitter says whose set an index is of: guardians of tests are no routers."""
    said = guardians.body(b"a root", emitter=ROUTERS.emitter)
    forms = [(place, sign(said, place)) for place in range(3)]
    assert judged(forms, said) == Unknown("Pyth router", SET_INDEX)


def test_that_routers_need_half_of_them_and_one() -> None:
    routers = known((), [SETTING])
    said = guardians.body(b"a root", emitter=ROUTERS.emitter)
    forms = [(place, sign(said, place)) for place in range(4)]
    found = attested(vaa.read(guardians.vaa(said, forms[1:])), routers)
    assert found == Attested("Pyth router", SET_INDEX, 3, 4, None)
    with pytest.raises(Corrupt, match="2 signatures of the 3"):
        attested(vaa.read(guardians.vaa(said, forms[:2])), routers)


def test_that_a_vaa_is_judged_once_and_a_forged_one_not_by_the_true_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[bytes] = []
    recover = signatures._recovered

    def counted(digest: bytes, signature: vaa.Signature) -> bytes:
        asked.append(digest)
        return recover(digest, signature)

    monkeypatch.setattr(signatures, "_recovered", counted)
    attestations = Attestations(KNOWN)
    true = vaa.read(guardians.vaa(SAID, FORMS[:3]))
    forged = vaa.read(guardians.vaa(SAID, [*FORMS[:2], (2, FORMS[3][1])]))
    for _ in range(3):
        assert isinstance(attestations.of(true), Attested)
        with pytest.raises(Corrupt, match="not by signer 2"):
            attestations.of(forged)
    assert len(asked) == 6


@given(st.binary(max_size=600))
def test_that_any_bytes_are_judged_or_refused(data: bytes) -> None:
    head = HEAD.pack(1, SET_INDEX, len(data) // SIGNATURE.size)
    for candidate in (data, head + data + SAID):
        with suppress(Corrupt):
            attested(vaa.read(candidate), KNOWN)


_BYTE = st.integers(0, 255)
_WORD = st.integers(0, (1 << 256) - 1) | st.sampled_from([0, 1, R, S, SECPK1_N, SECPK1_P])


@given(st.lists(st.tuples(_BYTE, _WORD, _WORD), min_size=1, max_size=4))
def test_that_any_numbers_in_a_signer_s_place_are_refused(forms: list[Form]) -> None:
    tampered = [*enumerate(forms), *FORMS[len(forms) :]]
    if tampered != FORMS:
        refusal(tampered)


@pytest.mark.parametrize("version", [0, 2, 255])
def test_that_another_version_is_refused(version: int) -> None:
    whole = guardians.vaa(SAID, FORMS[:3])
    with pytest.raises(Corrupt, match=f"version {version}"):
        vaa.read(bytes([version]) + whole[1:])


def test_that_a_vaa_cut_before_its_payload_is_refused() -> None:
    whole = guardians.vaa(SAID, FORMS[:3])
    least = HEAD.size + 3 * SIGNATURE.size + BODY.size
    for end in range(least):
        with pytest.raises(Corrupt, match="too early"):
            vaa.read(whole[:end])
    assert vaa.read(whole[:least]).payload == b""
    assert vaa.read(whole).payload == b"a root"
