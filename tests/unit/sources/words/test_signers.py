"""Sets of signers: those built in, and those an operator writes."""

import pytest

from quantdesk.core.errors import Refused
from quantdesk.sources.words.signers import ROUTERS, WORMHOLE, Network, SignerSet, known

ONE, OTHER = "11" * 20, "aB" * 20


def sets(network: Network, *, guardians: tuple[str, ...] = ()) -> dict[int, SignerSet]:
    return dict(known(guardians)[network.emitter][1])


def test_that_the_sets_of_both_networks_are_built_in() -> None:
    guardians, routers = sets(WORMHOLE), sets(ROUTERS)
    assert list(guardians) == [3, 4, 5, 6, 7]
    assert list(routers) == [0, 1]
    assert {len(one.addresses) for one in guardians.values()} == {19}
    assert {len(one.addresses) for one in routers.values()} == {5}
    for one in (*guardians.values(), *routers.values()):
        assert len(set(one.addresses)) == len(one.addresses)
        assert {len(address) for address in one.addresses} == {20}


def test_that_each_set_but_the_latest_has_an_end() -> None:
    for network in (WORMHOLE, ROUTERS):
        *retired, latest = sets(network).values()
        ends = [one.until_s or 0 for one in retired]
        assert all(ends)
        assert ends == sorted(ends)
        assert latest.until_s is None


@pytest.mark.parametrize(
    ("network", "signers", "quorum"),
    [(WORMHOLE, 19, 13), (WORMHOLE, 1, 1), (WORMHOLE, 3, 3), (WORMHOLE, 4, 3), (WORMHOLE, 6, 5),
     (ROUTERS, 5, 3), (ROUTERS, 4, 3), (ROUTERS, 1, 1)],
)  # fmt: skip
def test_that_a_quorum_is_as_on_chain(network: Network, signers: int, quorum: int) -> None:
    assert network.quorum(signers) == quorum


@pytest.mark.parametrize(
    "text", [f"8:0x{ONE}+0x{OTHER}", f" 8:{ONE}+0X{OTHER} ", f"0008:0x{ONE}+{OTHER.lower()}"]
)
def test_that_a_set_is_written_as_an_index_and_its_addresses(text: str) -> None:
    wanted = SignerSet((bytes.fromhex(ONE), bytes.fromhex(OTHER)))
    assert sets(WORMHOLE, guardians=(text,))[8] == wanted
    assert 8 not in sets(WORMHOLE)
    assert 8 not in sets(ROUTERS, guardians=(text,))


def test_that_a_written_set_takes_the_place_of_a_built_in_one() -> None:
    found = sets(WORMHOLE, guardians=(f"7:{ONE}",))
    assert found[7] == SignerSet((bytes.fromhex(ONE),))
    assert found[6] == sets(WORMHOLE)[6]


@pytest.mark.parametrize(
    "text",
    ["", "8", "8:", ":0x" + ONE, f"-1:{ONE}", f"8:{ONE}+", f"8:{ONE[:-1]}", f"8:{ONE}0",
     f"8:{ONE},{OTHER}", f"8:{'zz' * 20}", f"4294967296:{ONE}", f"8:{ONE}+0x{ONE}",
     "8:" + "+".join(f"{number:040x}" for number in range(256))],
)  # fmt: skip
def test_that_anything_else_is_refused_and_shown(text: str) -> None:
    with pytest.raises(Refused, match="is no set of signers") as caught:
        known([text])
    assert caught.value.code == "source.settings"
    assert len(caught.value.detail) < 200
