"""RPC methods on the chain's course: slots, heights, blockhashes, epochs, the node itself."""

from collections.abc import Callable
from typing import Any

from solders.pubkey import Pubkey

from quantdesk.localnet.bank import SLOTS_PER_EPOCH
from quantdesk.localnet.genesis import faucet, rent_exempt
from quantdesk.localnet.node import API_VERSION, Node, with_context
from quantdesk.localnet.params import Params, items, pubkey
from quantdesk.localnet.refusals import NOT_AVAILABLE, RpcError, invalid, unhealthy
from quantdesk.localnet.timeline import BLOCKHASH_AGE_MAX

Json = Any
Method = Callable[[Node, Params], Json]
FEATURE_SET = 1
SLOT_RANGE_MAX = 500_000
FEES_SLOTS = 150
LEADERS_MAX = 5_000
SAMPLE_SLOTS = 150


def get_health(node: Node, _: Params) -> Json:
    """Answer `ok`, or the error of a node that takes nothing."""
    if node.cluster.health:
        raise unhealthy(node.cluster.health)
    return "ok"


def get_version(_: Node, __: Params) -> Json:
    """Answer the runtime's version."""
    return {"solana-core": API_VERSION, "feature-set": FEATURE_SET}


def get_identity(node: Node, _: Params) -> Json:
    """Answer the node's address."""
    return {"identity": _identity(node)}


def get_genesis_hash(node: Node, _: Params) -> Json:
    """Answer what sets this cluster apart."""
    return str(node.bank.timeline.hash_of(0))


def get_slot(node: Node, params: Params) -> Json:
    """Answer the slot at a commitment."""
    return node.slot(params.config(0))


def get_block_height(node: Node, params: Params) -> Json:
    """Answer the block height at a commitment."""
    return node.bank.timeline.height_of(node.slot(params.config(0)))


def get_latest_blockhash(node: Node, params: Params) -> Json:
    """Answer the newest blockhash at a commitment and the last height it is valid at."""
    slot = node.slot(params.config(0))
    timeline = node.bank.timeline
    value = {
        "blockhash": str(timeline.hash_of(slot)),
        "lastValidBlockHeight": timeline.height_of(slot) + BLOCKHASH_AGE_MAX,
    }
    return with_context(slot, value)


def get_epoch_info(node: Node, params: Params) -> Json:
    """Answer where in its epoch the chain stands."""
    slot = node.slot(params.config(0))
    return {
        "absoluteSlot": slot,
        "blockHeight": node.bank.timeline.height_of(slot),
        "epoch": slot // SLOTS_PER_EPOCH,
        "slotIndex": slot % SLOTS_PER_EPOCH,
        "slotsInEpoch": SLOTS_PER_EPOCH,
        "transactionCount": node.cluster.transaction_count,
    }


def get_epoch_schedule(_: Node, __: Params) -> Json:
    """Answer the epochs' lengths: all the same, no warm-up."""
    return {
        "slotsPerEpoch": SLOTS_PER_EPOCH,
        "leaderScheduleSlotOffset": SLOTS_PER_EPOCH,
        "warmup": False,
        "firstNormalEpoch": 0,
        "firstNormalSlot": 0,
    }


def get_transaction_count(node: Node, params: Params) -> Json:
    """Answer how many transactions landed."""
    node.slot(params.config(0))
    return node.cluster.transaction_count


def get_slot_leader(node: Node, params: Params) -> Json:
    """Answer the leader: always this node."""
    node.slot(params.config(0))
    return _identity(node)


def get_slot_leaders(node: Node, params: Params) -> Json:
    """Answer the leaders of a range of slots."""
    params.number(0)
    count = params.number(1)
    if not 1 <= count <= LEADERS_MAX:
        raise invalid(f"Invalid limit; max {LEADERS_MAX}")
    return [_identity(node)] * count


def get_cluster_nodes(node: Node, _: Params) -> Json:
    """Answer the nodes: this one."""
    return [
        {
            "pubkey": _identity(node),
            "gossip": None,
            "tpu": None,
            "rpc": None,
            "version": API_VERSION,
            "featureSet": FEATURE_SET,
            "shredVersion": 1,
        }
    ]


def get_minimum_balance(_: Node, params: Params) -> Json:
    """Answer the lamports that make an account of this size rent exempt."""
    return rent_exempt(params.number(0))


def get_recent_prioritization_fees(node: Node, params: Params) -> Json:
    """Answer the least priority fee per slot: 0, blocks here are never full."""
    for address in items(params.at(0) or [], most=128):
        pubkey(address)
    slot = node.bank.confirmed_slot
    first = max(0, slot - FEES_SLOTS + 1)
    skipped = node.bank.timeline.is_skipped
    return [
        {"slot": at, "prioritizationFee": 0} for at in range(first, slot + 1) if not skipped(at)
    ]


def get_recent_performance_samples(node: Node, params: Params) -> Json:
    """Answer one sample: the last slots up to now."""
    if params.at(0) is not None:
        params.number(0)
    slot = node.bank.slot
    first = max(0, slot - SAMPLE_SLOTS)
    recent = sum(len(block.landed) for block in node.bank.blocks)
    timeline = node.bank.timeline
    return [
        {
            "slot": slot,
            "numSlots": slot - first,
            "numTransactions": recent,
            "numNonVoteTransactions": recent,
            "samplePeriodSecs": max(1, (timeline.time_ms(slot) - timeline.time_ms(first)) // 1000),
        }
    ]


def get_block_time(node: Node, params: Params) -> Json:
    """Answer when a slot began, in Unix seconds."""
    slot = params.number(0)
    if slot > node.bank.confirmed_slot:
        raise RpcError(NOT_AVAILABLE, f"Block not available for slot {slot}")
    return node.bank.timeline.time_ms(slot) // 1000


def get_first_available_block(node: Node, _: Params) -> Json:
    """Answer the oldest slot whose transactions are all still known."""
    return node.cluster.history.first_slot


def get_supply(node: Node, params: Params) -> Json:
    """Answer all lamports there are; the faucet's do not circulate."""
    slot = node.slot(params.config(0))
    state = node.bank.state
    accounts = [node.account(key, slot) for key in state.touched]
    total = sum(account.lamports for account in accounts if account is not None)
    source = faucet(node.bank.timeline.seed).pubkey()
    own = node.account(source, slot)
    idle = own.lamports if own else 0
    value = {
        "total": total,
        "circulating": total - idle,
        "nonCirculating": idle,
        "nonCirculatingAccounts": [str(source)],
    }
    return with_context(slot, value)


def _identity(node: Node) -> str:
    return str(Pubkey(bytes(node.bank.timeline.hash_of(0))))


METHODS: dict[str, Method] = {
    "getHealth": get_health,
    "getVersion": get_version,
    "getIdentity": get_identity,
    "getGenesisHash": get_genesis_hash,
    "getSlot": get_slot,
    "getBlockHeight": get_block_height,
    "getLatestBlockhash": get_latest_blockhash,
    "getEpochInfo": get_epoch_info,
    "getEpochSchedule": get_epoch_schedule,
    "getTransactionCount": get_transaction_count,
    "getSlotLeader": get_slot_leader,
    "getSlotLeaders": get_slot_leaders,
    "getClusterNodes": get_cluster_nodes,
    "getMinimumBalanceForRentExemption": get_minimum_balance,
    "getRecentPrioritizationFees": get_recent_prioritization_fees,
    "getRecentPerformanceSamples": get_recent_performance_samples,
    "getBlockTime": get_block_time,
    "getFirstAvailableBlock": get_first_available_block,
    "minimumLedgerSlot": get_first_available_block,
    "getSupply": get_supply,
}
