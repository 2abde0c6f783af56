"""A pool on a chain beside the model of it: every swap is made by both and compared."""

from tests.oracles.meteora import aftermath, pools
from tests.oracles.meteora.chain import PURSE, Chain, Landed, Wish

from quantdesk.core.errors import Refused
from quantdesk.localnet import meteora_pools
from quantdesk.venues.meteora.dlmm import layout
from quantdesk.venues.meteora.dlmm.swap import Fill, Pool, swap_exact_in, swap_exact_out

PROGRAM = meteora_pools.program()[1]
U64_MAX = (1 << 64) - 1


class Pitch:
    """A pool on a chain, beside the model of it."""

    def __init__(self, numbers: pools.Numbers) -> None:
        self.genesis = pools.genesis(numbers)
        self.now_s = pools.UPDATED_S
        self.chain = Chain(PROGRAM, pools.MARKET, self.genesis, now_s=self.now_s)
        self.indexes = list(pools.accounts(numbers)[1])

    def reset(self) -> None:
        """Put the pool and the trader's purses back to where they started."""
        self.now_s = pools.UPDATED_S
        self.chain.set_time(self.now_s)
        for account in self.genesis:
            self.chain.put(account.address, account.data, owner=account.owner)
        for asset in (pools.MARKET.base, pools.MARKET.quote):
            trader = self.chain.trader.pubkey()
            purse = pools.token_account(asset.mint, trader, PURSE)
            self.chain.put(self.chain.purse(asset.mint), purse)

    def wait(self, seconds: int) -> None:
        """Let time pass on the chain."""
        self.now_s += seconds
        self.chain.set_time(self.now_s)

    def model(self) -> Pool:
        """Return the pool as it now stands on the chain."""
        return self.chain.pool(self.indexes)

    def arrays(self) -> dict[int, bytes]:
        """Return the bin array accounts by index."""
        addresses = {i: layout.bin_array_address(self.chain.pair, i) for i in self.indexes}
        return {index: self.chain.data(address) for index, address in addresses.items()}

    def ahead(self, *, sell_x: bool) -> tuple[int, ...]:
        """Return the bin arrays a swap may run through, nearest first."""
        own = layout.array_index(self.model().pair.active_id)
        ahead = [i for i in self.indexes if (i <= own if sell_x else i >= own)]
        return tuple(sorted(ahead, reverse=sell_x))

    def swap(self, *, exact_in: bool, sell_x: bool, amount: int) -> tuple[Fill | None, Landed]:
        """Swap on the chain and in the model, and compare every byte they leave."""
        pair, arrays = self.chain.data(self.chain.pair), self.arrays()
        fill = self._fill(exact_in=exact_in, sell_x=sell_x, amount=amount)
        limit = 0 if exact_in else U64_MAX
        wish = Wish(exact_in, sell_x, amount, limit, self.ahead(sell_x=sell_x))
        landed = self.chain.send(self.chain.call(wish))
        if fill is not None and landed.error is None:
            assert (landed.paid, landed.received) == (fill.amount_in, fill.amount_out)
            pair = aftermath.pair_after(pair, fill, sell_x=sell_x)
            arrays = aftermath.arrays_after(arrays, fill, sell_x=sell_x)
        assert self.chain.data(self.chain.pair) == pair
        assert self.arrays() == arrays
        return fill, landed

    def _fill(self, *, exact_in: bool, sell_x: bool, amount: int) -> Fill | None:
        swap = swap_exact_in if exact_in else swap_exact_out
        try:
            return swap(self.model(), amount, sell_x=sell_x, now_s=self.now_s)
        except Refused:
            return None

    def unowned(self) -> list[int]:
        """Return what each reserve holds beyond the bins' amounts and the program's fees."""
        pair = self.model().pair
        owed = [
            int.from_bytes(self.chain.data(self.chain.pair)[at : at + 8], "little")
            for at in (216, 224)
        ]
        bins = [bin_ for array in self.model().arrays.values() for bin_ in array.bins]
        held = (sum(bin_.amount_x for bin_ in bins), sum(bin_.amount_y for bin_ in bins))
        reserves = (pair.reserve_x, pair.reserve_y)
        return [
            self.chain.balance(reserve) - amount - fee
            for reserve, amount, fee in zip(reserves, held, owed, strict=True)
        ]
