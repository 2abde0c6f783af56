"""Accounts of the Raydium CPMM program, read from bytes; pure.

Layouts: https://github.com/raydium-io/raydium-cp-swap (states/pool.rs, states/config.rs); token
accounts: https://docs.rs/spl-token-interface (state::Account).
"""

import struct
from dataclasses import dataclass

from solders.pubkey import Pubkey

from quantdesk.core.errors import Corrupt
from quantdesk.venues.raydium.cpmm.curve import RATE_ONE, FeeRates
from quantdesk.venues.reading import address

PROGRAM = "CPMMoo8L3F4NbTegBCKVNunggL7H1ZpdTHKxQB5qKP1C"
AUTHORITY = str(
    Pubkey.find_program_address([b"vault_and_lp_mint_auth_seed"], Pubkey.from_string(PROGRAM))[0]
)
"""The program's own address that holds every pool's vaults."""

POOL_BYTES, CONFIG_BYTES = 637, 236
POOL_DISCRIMINATOR = bytes.fromhex("f7ede3f5d7c3de46")
CONFIG_DISCRIMINATOR = bytes.fromhex("daf42168cbcb2b6f")

_SWAP_DISABLED = 0x04
_CREATOR_ON_INPUT, _CREATOR_ON_TOKEN_0, _CREATOR_ON_TOKEN_1 = 0, 1, 2
_ADDRESSES = 10
_POOL_NUMBERS = struct.Struct("<5B7QBB6x2Q")
_CONFIG_NUMBERS = struct.Struct("<BBHQQQQ32s32sQ")


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool; pairs are (token 0, token 1), `owed` the fees in its vaults that are no reserves."""

    config: str
    vaults: tuple[str, str]
    mints: tuple[str, str]
    token_programs: tuple[str, str]
    observation: str
    decimals: tuple[int, int]
    owed: tuple[int, int]
    swaps_disabled: bool
    open_time_s: int
    creator_fee_on: int
    creator_fee_enabled: bool

    def creator_on_input(self, token: int) -> bool:
        """Return whether the creator's fee is taken from the input when `token` comes in."""
        only = _CREATOR_ON_TOKEN_1 if token else _CREATOR_ON_TOKEN_0
        return self.creator_fee_on in {_CREATOR_ON_INPUT, only}


@dataclass(frozen=True, slots=True)
class Config:
    """Fee rates shared by many pools, in millionths."""

    trade: int
    protocol: int
    fund: int
    creator: int

    def rates(self, pool: Pool, token: int) -> FeeRates:
        """Return the fees of a trade in which `token` of the pool comes in."""
        return FeeRates(
            trade=self.trade,
            creator=self.creator if pool.creator_fee_enabled else 0,
            protocol=self.protocol,
            fund=self.fund,
            creator_on_input=pool.creator_on_input(token),
        )


def pool(data: bytes) -> Pool:
    """Return the pool in an account's data; raise `Corrupt` (`account.unreadable`)."""
    _check(data, "pool", POOL_DISCRIMINATOR, POOL_BYTES)
    keys = [address(data, 8 + 32 * i) for i in range(_ADDRESSES)]
    config, _, vault_0, vault_1, _, mint_0, mint_1, program_0, program_1, observation = keys
    (_, status, _, decimals_0, decimals_1, _, *rest) = _POOL_NUMBERS.unpack_from(data, 328)
    protocol_0, protocol_1, fund_0, fund_1, open_time, _, mode, enabled, *creator = rest
    if mode > _CREATOR_ON_TOKEN_1:
        raise Corrupt(f"unknown creator fee mode {mode}", code="account.unreadable")
    return Pool(
        config=config,
        vaults=(vault_0, vault_1),
        mints=(mint_0, mint_1),
        token_programs=(program_0, program_1),
        observation=observation,
        decimals=(decimals_0, decimals_1),
        owed=(protocol_0 + fund_0 + creator[0], protocol_1 + fund_1 + creator[1]),
        swaps_disabled=bool(status & _SWAP_DISABLED),
        open_time_s=open_time,
        creator_fee_on=mode,
        creator_fee_enabled=bool(enabled),
    )


def config(data: bytes) -> Config:
    """Return the config in an account's data; raise `Corrupt` (`account.unreadable`)."""
    _check(data, "config", CONFIG_DISCRIMINATOR, CONFIG_BYTES)
    _, _, _, trade, protocol, fund, _, _, _, creator = _CONFIG_NUMBERS.unpack_from(data, 8)
    if trade + creator >= RATE_ONE or protocol + fund > RATE_ONE:
        raise Corrupt("fee rates add up to more than the whole", code="account.unreadable")
    return Config(trade=trade, protocol=protocol, fund=fund, creator=creator)


def _check(data: bytes, kind: str, discriminator: bytes, length: int) -> None:
    if not data:
        raise Corrupt(f"the {kind} does not exist", code="account.missing")
    if len(data) != length or not data.startswith(discriminator):
        raise Corrupt(f"{len(data)} bytes are no {kind}", code="account.unreadable")
