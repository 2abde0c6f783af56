"""The DLMM program refuses what does not belong together, by the real program's error codes."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from tests.oracles.meteora import pools
from tests.oracles.meteora.chain import PURSE, Chain, Wish
from tests.oracles.meteora.pitch import PROGRAM, U64_MAX, Pitch

from quantdesk.venues.meteora.dlmm import layout

_ELAPSED_S = 60
_NUMBERS = pools.Numbers(seed=1, bin_step=10, active_id=-1_610, below=200, above=200, bits=34)
_SALE = Wish(exact_in=True, sell_x=True, amount=10**9, limit=0, arrays=(-23, -24))


@pytest.fixture
def chain() -> Chain:
    made = Chain(PROGRAM, pools.MARKET, pools.genesis(_NUMBERS), now_s=pools.UPDATED_S)
    made.set_time(pools.UPDATED_S + _ELAPSED_S)
    return made


@pytest.mark.parametrize("sell_x", [True, False])
@pytest.mark.parametrize("exact_in", [True, False])
def test_refuses_bins_without_a_price(chain: Chain, *, sell_x: bool, exact_in: bool) -> None:
    address = layout.bin_array_address(chain.pair, -23)
    array = bytearray(chain.data(address))
    array[56 + 16 : 56 + 32] = bytes(16)
    chain.put(address, bytes(array), owner=layout.PROGRAM)
    wish = Wish(exact_in, sell_x, 1_000, 0 if exact_in else U64_MAX, (-23,))

    assert chain.send(chain.call(wish)).error == 6018


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        (replace(_SALE, amount=0), 6002),
        (replace(_SALE, exact_in=False, limit=0), 6002),
        (replace(_SALE, exact_in=False, amount=0, limit=1), 6039),
        (replace(_SALE, amount=1), 6039),
        (replace(_SALE, amount=1 << 40, arrays=(-23,)), 3005),
        (replace(_SALE, arrays=(-24, -22)), 3005),
        (replace(_SALE, arrays=()), 3005),
        (replace(_SALE, amount=1 << 50, arrays=(-23, -24, -25, -26)), 6036),
        (replace(_SALE, exact_in=False, sell_x=False, amount=1 << 63, limit=U64_MAX,
                 arrays=(-23, -22, -21, -20)), 6036),
    ],
)  # fmt: skip
def test_refuses_swaps_that_cannot_be(chain: Chain, wish: Wish, code: int) -> None:
    assert chain.send(chain.call(wish)).error == code


def test_refuses_amounts_that_overflow() -> None:
    cheap = replace(_NUMBERS, bin_step=4, active_id=-35_000, bits=40)
    place = Pitch(cheap)
    everything = sum(b.amount_y for a in place.model().arrays.values() for b in a.bins)
    wish = Wish(False, True, everything, U64_MAX, place.ahead(sell_x=True))  # noqa: FBT003

    assert place.chain.send(place.chain.call(wish)).error == 6018


def test_refuses_what_the_trader_does_not_hold(chain: Chain) -> None:
    mint = pools.MARKET.base.mint
    poor = pools.token_account(mint, chain.trader.pubkey(), _SALE.amount - 1)
    chain.put(chain.purse(mint), poor)

    assert chain.send(chain.call(_SALE)).error == 1  # the token program's: insufficient funds


def _key(byte: int) -> Pubkey:
    return Pubkey.from_bytes(bytes([byte]) * 32)


def _spoiled(call: Instruction, place: int, meta: AccountMeta) -> Instruction:
    metas = list(call.accounts)
    metas[place] = meta
    return Instruction(call.program_id, bytes(call.data), metas)


# Place, name, and the error for: a copy at another address, another owner, a changed first byte.
_PLACES = [
    (0, "pair", 6027, 3007, 3002),
    (2, "reserve x", 2001, 3007, None),
    (3, "reserve y", 2001, 3007, None),
    (4, "user in", None, 3007, 6010),
    (5, "user out", None, 3007, 6010),
    (6, "mint x", 2001, 3007, None),
    (7, "mint y", 2001, 3007, None),
    (8, "oracle", 2001, 3007, 3002),
    (16, "bin array", None, 3007, 3002),
]


@pytest.mark.parametrize(("place", "name", "copied", "owned", "changed"), _PLACES)
def test_refuses_accounts_that_are_not_the_pools(
    chain: Chain, place: int, name: str, copied: int | None, owned: int, changed: int | None
) -> None:
    call = chain.call(_SALE)
    meta = call.accounts[place]
    address, data = str(meta.pubkey), chain.data(str(meta.pubkey))
    owner = str(chain.svm.get_account(meta.pubkey).owner)  # type: ignore[union-attr]

    if copied:
        chain.put(str(_key(98)), data, owner=owner)
        other = _spoiled(call, place, AccountMeta(_key(98), False, meta.is_writable))  # noqa: FBT003
        assert chain.send(other).error == copied
    chain.put(address, data, owner=str(_key(97)))
    assert chain.send(call).error == owned
    if changed:
        chain.put(address, bytes([data[0] ^ 0xFF]) + data[1:], owner=owner)
        assert chain.send(call).error == changed
    chain.put(address, data[:-1], owner=owner)
    assert chain.send(call).error is not None or name == "oracle"
    chain.put(address, data, owner=owner)
    assert chain.send(call).error is None


@pytest.mark.parametrize(
    ("place", "code"),
    [(1, 6082), (9, 6082), (11, 3008), (12, 3008), (13, 3008), (14, 2006), (15, 3008)],
)
def test_refuses_other_programs(chain: Chain, place: int, code: int) -> None:
    call = chain.call(_SALE)

    stranger = AccountMeta(_key(50), False, False)  # noqa: FBT003
    assert chain.send(_spoiled(call, place, stranger)).error == code


@pytest.mark.parametrize("place", [0, 2, 3, 4, 5, 8, 16])
def test_refuses_accounts_it_may_not_write(chain: Chain, place: int) -> None:
    call = chain.call(_SALE)
    locked = AccountMeta(call.accounts[place].pubkey, False, False)  # noqa: FBT003

    assert chain.send(_spoiled(call, place, locked)).error == 2000


def test_refuses_a_user_who_did_not_sign(chain: Chain) -> None:
    call = chain.call(_SALE)

    assert chain.send(_spoiled(call, 10, AccountMeta(_key(50), False, False))).error == 3010  # noqa: FBT003


def test_refuses_tokens_of_another_owner_or_mint(chain: Chain) -> None:
    call = chain.call(_SALE)
    stolen = AccountMeta(_key(77), False, True)  # noqa: FBT003

    chain.put(str(_key(77)), pools.token_account(pools.MARKET.base.mint, _key(1), PURSE))
    assert chain.send(_spoiled(call, 4, stolen)).error == 4  # the token program's: owner mismatch
    chain.put(str(_key(77)), pools.token_account(str(_key(3)), chain.trader.pubkey(), PURSE))
    assert chain.send(_spoiled(call, 4, stolen)).error == 6010
    assert chain.send(_spoiled(call, 5, stolen)).error == 6010
    assert chain.send(_spoiled(call, 5, call.accounts[4])).error == 6010


@pytest.mark.parametrize(
    ("offset", "value", "code"),
    [
        (82, 1, 6042),  # disabled
        (75, 2, 6043),  # opens at an activation point
        (880, 1, 3007),  # Token-2022, of which these mints are not
        (881, 2, 6082),
    ],
)
def test_refuses_pairs_it_does_not_serve(chain: Chain, offset: int, value: int, code: int) -> None:
    call, data = chain.call(_SALE), bytearray(chain.data(chain.pair))
    data[offset] = value
    chain.put(chain.pair, bytes(data), owner=layout.PROGRAM)

    assert chain.send(call).error == code


def test_refuses_bins_with_limit_orders() -> None:
    place = Pitch(replace(_NUMBERS, orders=1))

    assert place.chain.send(place.chain.call(_SALE)).error == 6082


def test_refuses_the_bin_array_of_another_pair(chain: Chain) -> None:
    address = layout.bin_array_address(chain.pair, -23)
    data = chain.data(address)
    chain.put(address, data[:24] + bytes([data[24] ^ 1]) + data[25:], owner=layout.PROGRAM)

    assert chain.send(chain.call(_SALE)).error == 6027


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda data: b"", 101),
        (lambda data: bytes(8) + data[8:], 101),
        (lambda data: data[:-1], 102),
        (lambda data: data[:-4] + b"\1\0\0\0", 102),
        (lambda data: data + b"\0", None),
    ],
)
def test_reads_its_instruction_as_anchor_does(
    chain: Chain, change: Callable[[bytes], bytes], code: int | None
) -> None:
    call = chain.call(_SALE)

    sent = Instruction(call.program_id, change(bytes(call.data)), list(call.accounts))
    assert chain.send(sent).error == code
