"""Proofs of prices hold where they are right, and nowhere else; real ones and made ones."""

import gzip
import json
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.core.errors import Corrupt
from quantdesk.sources.words import accumulator, hermes
from quantdesk.sources.words.hermes import FEEDS, Proof
from quantdesk.sources.words.signatures import Attestations, Attested
from quantdesk.sources.words.signers import known
from quantdesk.testing.guardians import SETTING
from quantdesk.testing.hermes import accumulator_update, message_of

HERMES = Path(__file__).parents[4].parent / "shared" / "data" / "hermes_messages.jsonl.gz"
SLOT = 188_181_861
MINOR_AT = 5


def update(number: int, *, price: int = 0) -> dict[str, Any]:
    feed = [*FEEDS.values()][number] if number < len(FEEDS) else f"{number:064x}"
    quoted = {"price": str(price or number + 1), "conf": "3", "expo": -8, "publish_time": 1_735_645_930}  # fmt: skip # noqa: E501
    metadata = {"slot": SLOT, "proof_available_time": None, "prev_publish_time": 1_735_645_929}
    return {"id": feed, "price": quoted, "ema_price": quoted, "metadata": metadata}


def binary(updates: Sequence[dict[str, Any]]) -> bytes:
    return accumulator_update([message_of(one) for one in updates], slot=SLOT)


def message(updates: Sequence[dict[str, Any]], data: bytes) -> bytes:
    said = {"binary": {"encoding": "hex", "data": [data.hex()]}, "parsed": list(updates)}
    return json.dumps(said).encode()


def real() -> list[dict[str, Any]]:
    if not HERMES.is_file():
        pytest.skip(f"the real recording {HERMES.name} is not in ../shared/data: NOT TESTED")
    with gzip.open(HERMES, "rb") as file:
        return [json.loads(line)["message"] for line in file]


def test_that_every_proof_of_the_real_messages_holds_and_proves_the_parsed_price() -> None:
    proven = absent = 0
    for said in real():
        data = json.dumps(said).encode()
        for one in said["parsed"]:
            if "binary" not in said:
                with pytest.raises(Corrupt) as caught:
                    hermes.verified(data, one["id"])
                assert caught.value.code == "proof.absent"
                absent += 1
                continue
            found = hermes.verified(data, one["id"])
            quoted = one["price"]
            assert (found.price, found.conf) == (int(quoted["price"]), int(quoted["conf"]))
            assert (found.expo, found.publish_time) == (quoted["expo"], quoted["publish_time"])
            assert found.slot == one["metadata"]["slot"]
            proven += 1
    assert (proven, absent) == (67, 2)


@pytest.mark.parametrize("backend", [None, "eth_keys.backends.NativeECCBackend"])
def test_that_every_real_root_is_signed_by_the_guardians_of_its_time(
    backend: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if backend:
        monkeypatch.setenv("ECC_BACKEND_CLASS", backend)
    attestations, sets = Attestations(known()), Counter[int]()
    for said in real():
        for one in said["parsed"]:
            if "binary" not in said:
                continue
            found = hermes.verified(json.dumps(said).encode(), one["id"])
            by = attestations.of(found.vaa)
            assert isinstance(by, Attested)
            assert (by.network, by.signatures, by.signers) == ("Wormhole guardian", 13, 19)
            assert by.until_s
            assert found.publish_time < by.until_s
            sets[by.set_index] += 1
    assert sets == {3: 18, 4: 49}


def test_that_a_real_message_with_another_number_is_refused() -> None:
    for said in real()[:35]:
        one = said["parsed"][0]
        for field, other in (("price", 1), ("conf", 1), ("expo", 1), ("publish_time", 1)):
            before = one["price"][field]
            one["price"][field] = str(int(before) + other) if isinstance(before, str) else before + 1  # fmt: skip # noqa: E501
            with pytest.raises(Corrupt) as caught:
                hermes.verified(json.dumps(said).encode(), one["id"])
            assert caught.value.code == "proof.invalid"
            one["price"][field] = before


@given(st.data())
def test_that_no_bit_of_a_real_message_or_proof_may_be_flipped(data: st.DataObject) -> None:
    said = data.draw(st.sampled_from(real()[:35]))
    whole = bytes.fromhex(said["binary"]["data"][0])
    signed = accumulator.read(whole)
    body = whole.index(signed.leaves[0].message)
    at = data.draw(st.integers(body * 8, len(whole) * 8 - 1))
    flipped = bytearray(whole)
    flipped[at // 8] ^= 1 << at % 8
    assert not all_proven(bytes(flipped), [one["id"] for one in said["parsed"]])


def all_proven(data: bytes, feeds: Sequence[str]) -> bool:
    try:
        signed = accumulator.read(data)
        return all(accumulator.proven(signed, feed) is not None for feed in feeds)
    except Corrupt:
        return False


@given(st.integers(1, 20))
def test_that_made_trees_of_any_size_prove_each_of_their_messages(count: int) -> None:
    updates = [update(number) for number in range(count)]
    signed = accumulator.read(binary(updates))
    for number, one in enumerate(updates):
        found = accumulator.proven(signed, one["id"])
        assert found is not None
        assert (found.price, found.conf, found.expo) == (number + 1, 3, -8)
        assert (found.publish_time, found.slot) == (1_735_645_930, SLOT)
    assert accumulator.proven(signed, "ff" * 32) is None


def test_that_a_message_of_another_tree_is_refused() -> None:
    honest, forged = [update(0), update(1)], [update(0, price=9), update(1)]
    ours, theirs = accumulator.read(binary(honest)), accumulator.read(binary(forged))
    mixed = accumulator.Signed(ours.slot, ours.root, theirs.leaves, ours.vaa)
    assert accumulator.proven(ours, FEEDS["SOL"]) is not None
    with pytest.raises(Corrupt, match="another root"):
        accumulator.proven(mixed, FEEDS["SOL"])


def test_that_a_node_is_no_message() -> None:
    """A leaf that spells two nodes must not stand for their parent."""
    signed = accumulator.read(binary([update(number) for number in range(4)]))
    first, second = signed.leaves[0], signed.leaves[2]
    left, right = accumulator.climbed(accumulator.Leaf(first.message, first.proof[:1])), second
    parent = accumulator.climbed(accumulator.Leaf(right.message, right.proof[:1]))
    spelled = accumulator.Leaf(min(left, parent) + max(left, parent), ())
    assert accumulator.node_hash(left, parent) == signed.root
    assert accumulator.climbed(spelled) != signed.root


def test_that_a_binary_cut_anywhere_or_longer_is_refused() -> None:
    whole = binary([update(0), update(1)])
    for end in range(len(whole)):
        with pytest.raises(Corrupt) as caught:
            accumulator.read(whole[:end])
        assert caught.value.code == "proof.invalid"
    with pytest.raises(Corrupt, match="behind its end"):
        accumulator.read(whole + b"\0")


def test_that_a_later_minor_version_with_more_header_is_read() -> None:
    whole = binary([update(0)])
    later = whole[:5] + b"\x01\x03abc" + whole[7:]
    assert accumulator.read(later) == accumulator.read(whole)


@pytest.mark.parametrize(("at", "value"), [(0, b"X"), (4, b"\x02"), (7, b"\x01")])
def test_that_another_format_is_refused(at: int, value: bytes) -> None:
    whole = binary([update(0)])
    with pytest.raises(Corrupt) as caught:
        accumulator.read(whole[:at] + value + whole[at + 1 :])
    assert caught.value.code == "proof.invalid"


@given(st.binary(max_size=400))
def test_that_any_bytes_are_read_or_refused(data: bytes) -> None:
    for candidate in (data, b"PNAU\x01\x00\x00\x00" + data):
        with suppress(Corrupt):
            accumulator.read(candidate)


def test_that_a_slot_of_another_message_is_refused() -> None:
    one = update(0)
    data = binary([one])
    one["metadata"]["slot"] = SLOT + 1
    assert hermes.check(message([one], data), ["SOL"]) == {"SOL": Proof.INVALID}
    one["metadata"]["slot"] = None
    assert hermes.check(message([one], data), ["SOL"]) == {"SOL": Proof.MERKLE}


def test_that_every_parsed_price_of_a_feed_must_be_the_proven_one() -> None:
    twice = [update(0), update(0, price=77)]
    assert hermes.check(message(twice, binary(twice[:1])), ["SOL"]) == {"SOL": Proof.INVALID}


@pytest.mark.parametrize(
    ("binaries", "verdict"),
    [
        ([], Proof.ABSENT),
        ([binary([update(1)]).hex()], Proof.ABSENT),
        ([binary([update(1)]).hex(), binary([update(0)]).hex()], Proof.MERKLE),
        (["zz"], Proof.INVALID),
        (["é"], Proof.INVALID),
        ([""], Proof.INVALID),
    ],
)
def test_that_what_is_not_proven_is_told_from_what_is_wrong(
    binaries: list[str], verdict: Proof
) -> None:
    said = {"binary": {"encoding": "hex", "data": binaries}, "parsed": [update(0)]}
    assert hermes.check(json.dumps(said).encode(), ["SOL", "BTC", "DOGE"]) == {
        "SOL": verdict, "BTC": Proof.ABSENT, "DOGE": Proof.ABSENT,
    }  # fmt: skip


@pytest.mark.parametrize("text", ["!!!!", "QQ", "é"])
def test_that_text_that_is_not_base64_is_wrong(text: str) -> None:
    said = {"binary": {"encoding": "base64", "data": [text]}, "parsed": [update(0)]}
    assert hermes.check(json.dumps(said).encode(), ["SOL"]) == {"SOL": Proof.INVALID}


_SIGNED = binary([update(0)])
_KNOWN = Attestations(known([SETTING]))


@given(st.integers(0, len(_SIGNED) * 8 - 1))
def test_that_no_bit_of_what_is_proven_and_signed_may_be_flipped(at: int) -> None:
    """A later minor version may be claimed, nothing else; and nothing is raised."""
    flipped = bytearray(_SIGNED)
    flipped[at // 8] ^= 1 << at % 8
    told = hermes.prove(message([update(0)], bytes(flipped)), "SOL", _KNOWN.of)
    assert (told.proof is Proof.PROVEN) == (at // 8 == MINOR_AT), told.says
    assert told.says


@given(st.binary(max_size=300) | st.builds(message, st.just([update(0)]), st.binary(max_size=300)))
def test_that_any_message_is_told_about_and_none_is_proven(data: bytes) -> None:
    assert hermes.prove(data, "SOL", _KNOWN.of).proof in {Proof.ABSENT, Proof.INVALID}
