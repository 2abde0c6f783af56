"""The five kinds of pools side by side: SOL-USDC of each, and where to spoil its accounts.

What is promised of every kind is tried on all of them by the same test.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import replace as changed
from typing import Final

from msgspec.structs import replace
from solders.pubkey import Pubkey
from tests.oracles.meteora_damm import pools as damm_pools
from tests.oracles.raydium import clmm_pools
from tests.oracles.raydium.amm_v4_accounts import amm_account, token_account
from tests.unit.venues import ground
from tests.unit.venues.meteora.dlmm import world as dlmm_world
from tests.unit.venues.raydium.cpmm import world as cpmm_world

from quantdesk.chains.port import AccountState
from quantdesk.core.markets import MARKETS
from quantdesk.localnet import raydium_pools
from quantdesk.venues.following import Followed, Pools
from quantdesk.venues.meteora.damm_v2 import layout as damm_layout
from quantdesk.venues.meteora.damm_v2.pool import FollowedDammV2
from quantdesk.venues.meteora.dlmm.pool import DlmmFollowed
from quantdesk.venues.raydium.amm_v4 import layout as amm_v4
from quantdesk.venues.raydium.amm_v4.pool import AmmV4Followed
from quantdesk.venues.raydium.clmm.pool import ClmmFollowed
from quantdesk.venues.raydium.cpmm.pool import CpmmFollowed
from quantdesk.venues.reading import TOKEN_2022, TOKEN_PROGRAM

SOL: Final = MARKETS["SOL-USDC"]
BASE, QUOTE = SOL.base.mint, SOL.quote.mint

_BITMAP_AT: Final = 584  # of a DLMM pair

Place = tuple[int, str, int]
"""An offset in the pool's account, the form of a number there, and the number."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Kind:
    """A kind of pool: its accounts by address, and what in its own account says what.

    `counted` are the decimals of SOL where the pool tells them; `flag` makes SOL a token of
    Token-2022; `emptied` are accounts that hold nothing when the pool is empty.
    """

    name: str
    venue: str
    follow: Callable[[str], Followed]
    address: str
    states: Mapping[str, AccountState]
    vaults: Mapping[str, str]
    disabled: Place
    opens: tuple[Place, ...]
    emptied: Mapping[str, AccountState]
    counted: Place | None = None
    flag: tuple[int, bytes] | None = None

    def __repr__(self) -> str:
        return self.name

    def made(self, states: Mapping[str, AccountState] | None = None) -> Pools:
        """Return a venue that has read the pool's accounts, some of them others."""
        venue = Pools(self.venue, [self.follow(self.address)])
        ground.feed(venue, {**self.states, **(states or {})})
        return venue

    def spoiled(self, *places: Place) -> dict[str, AccountState]:
        """Return the pool's account with other numbers in it."""
        own = self.states[self.address]
        for place in places:
            own = ground.changed(own, *place)
        return {self.address: own}

    def token_2022(self, data: bytes) -> dict[str, AccountState]:
        """Return the accounts that change when SOL is a token of Token-2022 with this mint."""
        made = {BASE: AccountState(BASE, data, TOKEN_2022, ground.SLOT)}
        if self.vaults:
            vault = self.states[self.vaults[BASE]]
            made[vault.address] = replace(vault, owner=TOKEN_2022)
        if self.flag:
            offset, value = self.flag
            own = bytearray(self.states[self.address].data)
            own[offset : offset + len(value)] = value
            made[self.address] = replace(self.states[self.address], data=bytes(own))
        return made


def _raw(address: str) -> bytes:
    return bytes(Pubkey.from_string(address))


def _emptied(
    states: Mapping[str, AccountState], vaults: Mapping[str, str]
) -> dict[str, AccountState]:
    return {at: ground.changed(states[at], 64, "<Q", 0) for at in vaults.values()}


def _renamed(
    states: Mapping[str, AccountState], mints_of: tuple[str, str]
) -> dict[str, AccountState]:
    """Return accounts of two made-up tokens as those of SOL and USDC."""
    named = dict(zip(map(_raw, mints_of), map(_raw, (BASE, QUOTE)), strict=True))
    made = {}
    for at, state in states.items():
        data = state.data
        for old, new in named.items():
            data = data.replace(old, new)
        made[at] = replace(state, data=data, slot=ground.SLOT)
    return made


def _cpmm() -> Kind:
    states, pool = cpmm_world.genesis(SOL), cpmm_world.layout_of(SOL)
    token = pool.mints.index(BASE)
    vaults = dict(zip(pool.mints, pool.vaults, strict=True))
    return Kind(
        name="CPMM",
        venue="raydium",
        follow=CpmmFollowed,
        address=raydium_pools.address(SOL),
        states=states,
        vaults=vaults,
        disabled=(329, "<B", 0b100),
        opens=((373, "<Q", ground.NOW_MS // 1_000 + 1),),
        emptied=_emptied(states, vaults),
        counted=(331 + token, "<B", 6),
        flag=(232 + 32 * token, _raw(TOKEN_2022)),
    )


def _amm_v4() -> Kind:
    keys = [Pubkey(bytes([n]) * 32) for n in (21, 22)]
    address, tokens = (
        str(Pubkey(bytes([23]) * 32)),
        [Pubkey.from_string(at) for at in (BASE, QUOTE)],
    )
    own = AccountState(address, amm_account(keys, tokens), amm_v4.PROGRAM, ground.SLOT)
    states = {address: own, **ground.minted(SOL)}
    for key, token, held in zip(keys, tokens, (50 * 10**12, 75 * 10**11), strict=True):
        data = token_account(token, Pubkey.from_string(amm_v4.AUTHORITY), held)
        states[str(key)] = AccountState(str(key), data, TOKEN_PROGRAM, ground.SLOT)
    vaults = dict(zip((BASE, QUOTE), map(str, keys), strict=True))
    return Kind(
        name="AMM v4",
        venue="raydium",
        follow=AmmV4Followed,
        address=address,
        states=states,
        vaults=vaults,
        disabled=(0, "<Q", amm_v4.Status.DISABLED),
        opens=(
            (0, "<Q", amm_v4.Status.WAITING_TRADE),
            (224, "<Q", ground.NOW_MS // 1_000 + 1),
        ),
        emptied=_emptied(states, vaults),
        counted=(32, "<Q", 6),
    )


def _clmm() -> Kind:
    places = range(-420, 420, 30)
    numbers = clmm_pools.of_positions([(at, 30, 10**15) for at in places], tick=-19_000)
    made = clmm_pools.accounts(numbers, held=(10**15, 10**14))
    states = {**_renamed(made, clmm_pools.MINTS), **ground.minted(SOL)}
    own = states[clmm_pools.ADDRESS]
    bare = clmm_pools.accounts(clmm_pools.of_positions([], tick=-19_000), held=(0, 0))
    return Kind(
        name="CLMM",
        venue="raydium",
        follow=ClmmFollowed,
        address=own.address,
        states=states,
        vaults=dict(zip((BASE, QUOTE), clmm_pools.VAULTS, strict=True)),
        disabled=(389, "<B", 0b10000),
        opens=((1080, "<Q", ground.NOW_MS // 1_000),),
        emptied=_renamed(bare, clmm_pools.MINTS),
        counted=(233, "<B", 6),
    )


def _dlmm() -> Kind:
    states, pair = dlmm_world.ACCOUNTS, dlmm_world.PAIR
    return Kind(
        name="DLMM",
        venue="meteora",
        follow=DlmmFollowed,
        address=pair,
        states=states,
        vaults={},
        disabled=(dlmm_world.STATUS, "<B", 1),
        opens=(
            (dlmm_world.PAIR_TYPE, "<B", 1),
            (dlmm_world.ACTIVATION_POINT, "<Q", 1 << 40),
        ),
        emptied=_no_bins(states[pair]),
        flag=(dlmm_world.TOKEN_FLAG, b"\1"),
    )


def _no_bins(own: AccountState) -> dict[str, AccountState]:
    """Return a pair whose bitmap says that no bin array holds anything."""
    data = bytearray(own.data)
    data[_BITMAP_AT : _BITMAP_AT + 128] = bytes(128)
    return {own.address: replace(own, data=bytes(data))}


def _damm() -> Kind:
    numbers = damm_pools.Numbers(seed=1, price_ppm=150_000, bits=46)
    made = damm_pools.pool(numbers)
    listed = {state.address: state for state in damm_pools.states(made)}
    pair = (damm_pools.MINT_A, damm_pools.MINT_B)
    states = {**_renamed(listed, pair), **ground.minted(SOL)}
    none = changed(made, liquidity=0, reserves=(0, 0))
    empty = replace(listed[damm_pools.ADDRESS], data=damm_layout.encode_pool(none))
    return Kind(
        name="DAMM v2",
        venue="meteora",
        follow=FollowedDammV2,
        address=damm_pools.ADDRESS,
        states=states,
        vaults=dict(zip((BASE, QUOTE), damm_pools.VAULTS, strict=True)),
        disabled=(481, "<B", 1),
        opens=((472, "<Q", ground.NOW_MS // 1_000 + 1),),
        emptied=_renamed({empty.address: empty}, pair),
        flag=(482, b"\1"),
    )


KINDS: Final = (_amm_v4(), _cpmm(), _clmm(), _dlmm(), _damm())
"""All of them."""
