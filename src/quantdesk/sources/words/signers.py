"""Who signs Pyth's Merkle roots: sets of signers by the emitter of the VAA and their index; pure.

Two networks have signed them. Wormhole's guardians signed what Pythnet emitted, two thirds and one
of 19. Since Pyth Core was upgraded, on 26 August 2026, Pyth's own five routers sign, half and one
of them, in the same envelope with another emitter. Operators add sets by settings, so that a new
one needs no release. `words/signatures.py` asks here.

Guardians, each set signed for by the one before:
https://github.com/wormhole-foundation/wormhole/tree/main/guardianset/mainnetv2/canonical_sets
Routers and both emitters: https://github.com/pyth-network/pyth-crosschain, contract_manager/src,
"stable" and "pro-compatible-production" in core/base.ts, and store/guardian_sets
The upgrade: https://docs.pyth.network/price-feeds/core/upgrade/how-it-works
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import msgspec

from quantdesk.core.errors import Refused
from quantdesk.sources.words.vaa import Emitter

PYTHNET: Final = 26
"""Its chain, by Wormhole's numbers."""
ADDRESS_BYTES: Final = 20
SET_MAX: Final = 255
"""Signers of a set: their place in it is a byte."""
_INDEX_MAX: Final = (1 << 32) - 1
_SHOWN_MAX: Final = 60
_GRACE_S: Final = 30 * 86_400
"""A set is voted out before contracts take the next one, and they honor it for a day after that."""


class Network(msgspec.Struct, frozen=True):
    """Who signs for one emitter; `two_thirds` of a set and one more, else half and one more."""

    name: str
    emitter: Emitter
    two_thirds: bool

    def quorum(self, signers: int) -> int:
        """Return how many of a set must have signed."""
        return signers * 2 // 3 + 1 if self.two_thirds else signers // 2 + 1


class SignerSet(msgspec.Struct, frozen=True):
    """Addresses that sign together, in their order; `until_s` in Unix seconds, None while current.

    A price published after `until_s` is not proven by them: keys that were retired may leak.
    """

    addresses: tuple[bytes, ...]
    until_s: int | None = None


Known = Mapping[Emitter, tuple[Network, Mapping[int, SignerSet]]]
"""Networks by their emitter, each with its sets by index."""


def _emitter(address: str) -> Emitter:
    return Emitter(PYTHNET, bytes.fromhex(address))


WORMHOLE: Final = Network(
    "Wormhole guardian",
    _emitter("e101faedac5851e32b9b23b5f9411a8c2bac4aae3ed4dd7b811dd1a72ea4aa71"),
    two_thirds=True,
)
ROUTERS: Final = Network(
    "Pyth router",
    _emitter("507974686e6574507974686e6574507974686e6574507974686e657450797468"),
    two_thirds=False,
)

_GUARDIANS_3: Final = (
    "58cc3ae5c097b213ce3c81979e1b9f9570746aa5",
    "ff6cb952589bde862c25ef4392132fb9d4a42157",
    "114de8460193bdf3a2fcf81f86a09765f4762fd1",
    "107a0086b32d7a0977926a205131d8731d39cbeb",
    "8c82b2fd82faed2711d59af0f2499d16e726f6b2",
    "11b39756c042441be6d8650b69b54ebe715e2343",
    "54ce5b4d348fb74b958e8966e2ec3dbd4958a7cd",
    "15e7caf07c4e3dc8e7c469f92c8cd88fb8005a20",
    "74a3bf913953d695260d88bc1aa25a4eee363ef0",
    "000ac0076727b35fbea2dac28fee5ccb0fea768e",
    "af45ced136b9d9e24903464ae889f5c8a723fc14",
    "f93124b7c738843cbb89e864c862c38cddcccf95",
    "d2cc37a4dc036a8d232b48f62cdd4731412f4890",
    "da798f6896a3331f64b48c12d1d57fd9cbe70811",
    "71aa1be1d36cafe3867910f99c09e347899c19c3",
    "8192b6e7387ccd768277c17dab1b7a5027c0b3cf",
    "178e21ad2e77ae06711549cfbb1f9c7a9d8096e8",
    "5e1487f35515d02a92753504a8d75471b9f49edb",
    "6fbebc898f403e4773e95feb15e80c9a99c8348d",
)

_ROUTERS_0: Final = (
    "41534bb176e461a3fb30479400f210549ecce638",
    "6502987b62f21cab7eb5ccd8f0173084b60d5b41",
    "44a3e8f6a382412cf6bb90a3f8106e68977476c9",
    "d9d7d4529577864352c9a6539a48238fcd447052",
    "1663a5a822336ece48559b1dfb1e93a017a7dac3",
)

_Change = tuple[int, Mapping[int, str]]
"""When a set was followed by the next, in Unix seconds, and whom that put in whose place."""

_GUARDIANS_4_TO_7: Final[Sequence[_Change]] = (
    (1_713_281_400, {0: "5893b5a76c3f739645648885bdccc06cd70a3cd3"}),
    (
        1_773_580_004,
        {
            6: "938f104aeb5581293216ce97d771e0cb721221b1",
            14: "d1f64e26238811de5553c40f64af41ee1b6057cc",
            15: "43ac8f567a31e7850da532b361988bfe0d3ae11b",
        },
    ),
    (
        1_777_981_932,
        {
            5: "42579bffbcf4276e290ab8e4c162bd4052b97970",
            7: "18e41674ccf26329cd111406c1d05c6c80b23edc",
            8: "9d16870160e703324d057c3361c34c5befba2c34",
            15: "3f851ad586a47cef8d04748f33ab0d71395f06b4",
            17: "7899ceab1dc961dae9defdb7a4f521269a5448fc",
        },
    ),
    (
        1_783_669_263,
        {
            7: "f3ea0ad4ffb5a178ae4ebc21861651b25bdcbb91",
            14: "ae565927bb8db25cd8bf3e7bb663d70023e4ea78",
            18: "61d9800f9fcb4160fb0c6cf3a0902592bac2b434",
        },
    ),
)
_ROUTERS_1: Final[Sequence[_Change]] = (
    # The vote tells no time: first seen to sign on 5 September 2026.
    (
        1_788_608_447,
        {
            3: "13edc776d3063549fdb0702af182edc905a539d4",
            4: "3af088854bb768065f4929e5bbdfa4cbb04c9af9",
        },
    ),
)


def _sets(index: int, signers: Iterable[str], changes: Iterable[_Change]) -> dict[int, SignerSet]:
    """Return a first set, of an index, and those that followed it."""
    seated, sets = [bytes.fromhex(address) for address in signers], {}
    for changed_s, replaced in changes:
        sets[index] = SignerSet(tuple(seated), changed_s + _GRACE_S)
        for place, address in replaced.items():
            seated[place] = bytes.fromhex(address)
        index += 1
    return sets | {index: SignerSet(tuple(seated))}


_BUILT_IN: Final = (
    (WORMHOLE, _sets(3, _GUARDIANS_3, _GUARDIANS_4_TO_7)),
    (ROUTERS, _sets(0, _ROUTERS_0, _ROUTERS_1)),
)
_SET = re.compile(r"(\d{1,10}):((?:0x)?[0-9a-f]{40}(?:\+(?:0x)?[0-9a-f]{40})*)", re.IGNORECASE)


def known(guardians: Iterable[str] = (), routers: Iterable[str] = ()) -> Known:
    """Return all sets this desk knows: the built-in ones, and those an operator wrote.

    Each is written like `8:0xaddress+0xaddress`: its index and its signers in their order. One of
    an index that is built in takes its place. Raises `Refused` (`source.settings`).
    """
    written = {WORMHOLE: guardians, ROUTERS: routers}
    return MappingProxyType(
        {
            network.emitter: (
                network,
                MappingProxyType(sets | dict(_read(text) for text in written[network])),
            )
            for network, sets in _BUILT_IN
        }
    )


def _read(text: str) -> tuple[int, SignerSet]:
    found = _SET.fullmatch(text.strip())
    if found is None or int(found[1]) > _INDEX_MAX:
        raise _unreadable(text, "write it like 8:0xaddress+0xaddress, 20 bytes in hex each")
    addresses = tuple(
        bytes.fromhex(address.lower().removeprefix("0x")) for address in found[2].split("+")
    )
    if len(addresses) > SET_MAX or len(set(addresses)) < len(addresses):
        raise _unreadable(text, f"it needs up to {SET_MAX} signers that differ")
    return int(found[1]), SignerSet(addresses)


def _unreadable(text: str, why: str) -> Refused:
    shown = text if len(text) <= _SHOWN_MAX else text[:_SHOWN_MAX] + "…"
    return Refused(f"{shown!r} is no set of signers: {why}", code="source.settings")
