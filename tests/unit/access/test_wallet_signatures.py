"""Signatures are a wallet's own or none: real ones, official vectors, and every forgery."""

import pytest
from eth_keys.backends.native.main import NativeECCBackend
from eth_keys.constants import SECPK1_N, SECPK1_Gx
from eth_keys.main import KeyAPI
from hypothesis import example, given, settings
from hypothesis import strategies as st
from solders.signature import Signature

from quantdesk.access.wallets.signatures import (
    evm_bytes,
    evm_signer,
    personal_hash,
    signed_on_solana,
)
from quantdesk.access.wallets.texts import Text, eip4361
from quantdesk.localnet import base58
from quantdesk.testing.wallets import EvmWallet, SolanaWallet

MESSAGE = "desk.example.com wants you to sign in with your wallet\nNonce: 0123456789"
SOLANA, EVM = SolanaWallet(), EvmWallet()
ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493
BACKENDS = [KeyAPI(), KeyAPI(NativeECCBackend())]


@pytest.fixture(params=BACKENDS, ids=["fastest", "native"])
def keys(request: pytest.FixtureRequest) -> KeyAPI:
    found: KeyAPI = request.param
    return found


def _raw(signature: str) -> bytes:
    raw = evm_bytes(signature)
    assert raw is not None
    return raw


# https://github.com/spruceid/siwe test/verification_positive.json: text, address and signature
_OFFICIAL = [
    (
        Text(
            domain="login.xyz",
            address="0x9D85ca56217D2bb651b00f15e694EB7E713637D4",
            statement="Sign-In With Ethereum Example Statement",
            uri="https://login.xyz",
            version="1",
            nonce="bTyXgcQxn2htgkjJn",
            issued_at="2022-01-27T17:09:38.578Z",
            chain_id="1",
            expiration_time="2100-01-07T14:31:43.952Z",
        ),
        (
            "0xdc35c7f8ba2720df052e0092556456127f00f7707eaa8e3bbff7e56774e7f2e0"
            "5a093cfc9e02964c33d86e8e066e221b7d153d27e5a2e97ccd5ca7d3f2ce06cb1b"
        ),
    ),
    (
        Text(
            domain="login.xyz",
            address="0xE6D3Aa1F561A215E5eb1f02Ba8705385F03fCaFB",
            statement="Sign-In With Ethereum Example Statement",
            uri="https://login.xyz",
            version="1",
            nonce="lx2nx4so",
            issued_at="2022-01-05T14:27:30.883Z",
            chain_id="1",
            not_before="2100-01-07T14:31:43.952Z",
        ),
        (
            "0xc2539ace78f13c7eb8c0852d38d269a6f97bebd9f7872097d2e3137b541f8bf5"
            "0176062a46eeea83086bd2721423fb5755a932ff6ccc046ed482d14e4576042f1c"
        ),
    ),
    (  # a recovery byte of 1 where most wallets write 28
        Text(
            domain="www.tally.xyz",
            address="0xc95EB884FE852e241D409234bfC7045CB9E31BD7",
            statement="Sign in with Ethereum to Tally",
            uri="https://tally.xyz",
            version="1",
            chain_id="1",
            nonce="15050747",
            issued_at="2022-06-30T14:08:51.382Z",
        ),
        (
            "0x8c46b6eb8505939892d8e9b075f89f8277321b17b993151f37810cdda38cce6f"
            "4a85909d2b53e6a14629c74c0ac38bf4becde78ee5b2529812bf6cceaf7b2a2501"
        ),
    ),
]


@pytest.mark.parametrize(("text", "signature"), _OFFICIAL)
def test_official_signatures_are_of_the_texts_built_here(
    text: Text, signature: str, keys: KeyAPI
) -> None:
    hashed = personal_hash(eip4361(text).encode())

    assert evm_signer(hashed, _raw(signature), keys=keys) == text.address


@given(st.text(max_size=300), st.integers(min_value=1, max_value=2**64))
@settings(max_examples=50)
def test_what_a_wallet_signs_is_its_own(message: str, number: int) -> None:
    evm, solana = EvmWallet(number), SolanaWallet(number)

    assert evm_signer(personal_hash(message.encode()), _raw(evm.sign(message))) == evm.address
    assert signed_on_solana(solana.address, message.encode(), solana.sign(message))


@given(st.integers(min_value=0, max_value=len(MESSAGE) - 1), st.characters(codec="utf-8"))
def test_no_character_of_the_text_can_be_another(at: int, other: str) -> None:
    changed = MESSAGE[:at] + other + MESSAGE[at + 1 :]
    if changed == MESSAGE:
        return

    hashed = personal_hash(changed.encode())
    assert evm_signer(hashed, _raw(EVM.sign(MESSAGE))) != EVM.address
    assert not signed_on_solana(SOLANA.address, changed.encode(), SOLANA.sign(MESSAGE))


@pytest.mark.parametrize("bit", range(64 * 8))
def test_no_bit_of_a_signature_can_be_another(bit: int) -> None:
    solana = bytearray(bytes(Signature.from_string(SOLANA.sign(MESSAGE))))
    solana[bit // 8] ^= 1 << bit % 8
    evm = bytearray(_raw(EVM.sign(MESSAGE)))
    evm[bit // 8] ^= 1 << bit % 8

    text = str(Signature.from_bytes(bytes(solana)))
    assert not signed_on_solana(SOLANA.address, MESSAGE.encode(), text)
    assert evm_signer(personal_hash(MESSAGE.encode()), bytes(evm)) != EVM.address


def test_another_wallets_signature_is_not_its_own() -> None:
    other = SolanaWallet(2)

    assert not signed_on_solana(SOLANA.address, MESSAGE.encode(), other.sign(MESSAGE))
    hashed = personal_hash(MESSAGE.encode())
    assert evm_signer(hashed, _raw(EvmWallet(2).sign(MESSAGE))) != EVM.address


def test_the_twin_of_an_evm_signature_is_refused(keys: KeyAPI) -> None:
    raw = _raw(EVM.sign(MESSAGE))
    s = int.from_bytes(raw[32:64], "big")
    twin = raw[:32] + (SECPK1_N - s).to_bytes(32, "big") + bytes([55 - raw[64]])
    hashed = personal_hash(MESSAGE.encode())
    recovered = keys.ecdsa_recover(
        hashed, keys.Signature(vrs=(twin[64] - 27, int.from_bytes(raw[:32], "big"), SECPK1_N - s))
    )

    assert recovered.to_checksum_address() == EVM.address, "mathematics would take it"
    assert evm_signer(hashed, twin, keys=keys) is None


def test_the_twin_of_a_solana_signature_is_refused() -> None:
    raw = bytes(Signature.from_string(SOLANA.sign(MESSAGE)))
    s = int.from_bytes(raw[32:], "little") + ED25519_ORDER
    twin = str(Signature.from_bytes(raw[:32] + s.to_bytes(32, "little")))

    assert not signed_on_solana(SOLANA.address, MESSAGE.encode(), twin)


# All encodings of points of order 1, 2, 4 and 8: https://eprint.iacr.org/2020/1244, table 6a
_SMALL = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
]


@pytest.mark.parametrize("key", _SMALL)
def test_a_key_of_small_order_signs_nothing(key: str) -> None:
    """Without a strict check such a key takes `R` of small order and `S = 0` for some text."""
    address = base58.encode(bytes.fromhex(key))
    forged = [base58.encode(bytes.fromhex(r) + bytes(32)) for r in _SMALL]

    for number in range(16):
        message = b"text %d" % number
        assert not any(signed_on_solana(address, message, each) for each in forged)


@pytest.mark.parametrize("v", [2, 3, 26, 29, 35, 36, 37, 38, 128, 255])
def test_a_recovery_byte_that_no_wallet_writes_is_refused(v: int, keys: KeyAPI) -> None:
    raw = _raw(EVM.sign(MESSAGE))

    assert evm_signer(personal_hash(MESSAGE.encode()), raw[:64] + bytes([v]), keys=keys) is None


@pytest.mark.parametrize(
    ("r", "s"),
    [
        (0, 1),
        (1, 0),
        (SECPK1_N, 1),
        (1, SECPK1_N),
        (2**256 - 1, 1),
        (1, 2**256 - 1),
        (0, 0),
        (5, 1),
    ],
)
def test_numbers_outside_the_curves_order_are_refused(r: int, s: int, keys: KeyAPI) -> None:
    hashed = personal_hash(MESSAGE.encode())

    for v in (27, 28):
        raw = r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([v])
        assert evm_signer(hashed, raw, keys=keys) is None


def test_a_signature_that_leads_to_the_point_at_infinity_is_nobodys(keys: KeyAPI) -> None:
    """With `R = G` and `s` the hash, `s·R - z·G` is no key: anybody can make that."""
    for number in range(8):
        hashed = personal_hash(b"text %d" % number)
        z = int.from_bytes(hashed, "big") % SECPK1_N
        if z > SECPK1_N // 2:
            continue
        raw = SECPK1_Gx.to_bytes(32, "big") + z.to_bytes(32, "big") + bytes([27])
        assert evm_signer(hashed, raw, keys=keys) is None
        return
    pytest.fail("one of eight hashes is low")


@given(st.binary(max_size=130))
@example(b"")
@example(bytes(64))
@example(bytes(65))
def test_any_bytes_are_nobodys_signature(raw: bytes) -> None:
    hashed = personal_hash(MESSAGE.encode())

    for keys in BACKENDS:
        assert evm_signer(hashed, raw, keys=keys) != EVM.address


@pytest.mark.parametrize(
    "text", ["", "0x", "0x1", "1b", "0x zz", "0x1b ", "0x1b\n", "0X1b", " 0x1b", "0x\uff11b"]
)
def test_what_is_not_hex_is_no_signature(text: str) -> None:
    assert evm_bytes(text) is None


@given(st.text(max_size=120))
@example("1" * 64)
@example("1" * 88)
@example("z" * 88)
def test_any_text_is_nobodys_solana_signature(text: str) -> None:
    assert not signed_on_solana(SOLANA.address, MESSAGE.encode(), text)


def test_a_solana_signature_is_written_in_one_way() -> None:
    signature = SOLANA.sign(MESSAGE)

    for text in (signature + "\n", " " + signature, "1" + signature, "0x" + signature):
        assert not signed_on_solana(SOLANA.address, MESSAGE.encode(), text)
