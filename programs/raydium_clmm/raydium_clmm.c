/* Raydium CLMM, the part a trader uses: swap_v2, a stand-in that the localnet deploys at the real
 * program's id CAMMCzo5YL8w4VFF8KVHrK22GGUsp5VTaW7grrKgrWqK, with its accounts, rounding, fees,
 * event and errors.
 *
 * A call goes: entrypoint → check_accounts → begin (clock, transfer fees, direction) → read_arrays →
 * swap_run (arrays → steps) → apply → settle (event, two transfers, limits). The ticks see what
 * reaches and leaves the vaults; of a token whose transfers pay a fee the trader pays more and
 * receives less.
 *
 * Left out: rewards and the older `swap`. A pool that has rewards is refused, never served wrongly.
 */
#include "checks.h"
#include "swap.h"
#include "sysvars.h"

#define ACCOUNTS_MAX (SWAP_ACCOUNTS + 1 + ARRAYS_MAX)
#define SWAP_BYTES 41

/* `limit` is the least received or, for exact out, the most paid. */
typedef struct PACKED {
    u64 discriminator;
    u64 amount;
    u64 limit;
    u128 sqrt_price_limit; /* zero for none; then nothing is filled in part */
    u8 exact_in;
} Arguments;

_Static_assert(sizeof(Arguments) == SWAP_BYTES, "the program's layout");

typedef struct PACKED {
    u64 discriminator;
    Pubkey pool;
    Pubkey sender;
    Pubkey account[2];
    struct PACKED {
        u64 amount;
        u64 transfer_fee;
    } moved[2];
    bool down;
    u128 sqrt_price;
    u128 liquidity;
    i32 tick;
    u64 fees[2];
} SwapEvent;

_Static_assert(sizeof(SwapEvent) == 8 + 4 * 32 + 4 * 8 + 1 + 2 * 16 + 4 + 2 * 8,
               "the program's layout");

/* What the vaults and the trader give and get, and what transfers take of it. */
typedef struct {
    u64 at_vaults; /* the exact amount, as the pool sees it */
    u64 in;
    u64 out;
    u64 paid;
    u64 received;
    TransferFee fee_in;
    TransferFee fee_out;
} Sums;

/* The token of a pool that a vault holds comes in. */
NOINLINE u64 find_direction(const Account *accounts, const Pool *pool, bool *down) {
    const TokenAccount *vault = (const TokenAccount *)accounts[INPUT_VAULT].data;
    *down = pubkey_equal(&vault->mint, &pool->mint[0]);
    int in = *down ? 0 : 1;
    REQUIRE(pubkey_equal(accounts[INPUT_VAULT].key, &pool->vault[in]) &&
                pubkey_equal(accounts[OUTPUT_VAULT].key, &pool->vault[1 - in]),
            InvalidInputPoolVault);
    return OK;
}

/* Pools that do what this program leaves out. */
NOINLINE u64 check_served(const Pool *pool) {
    static const Pubkey nobody;
    for (int i = 0; i < REWARDS; i++) {
        REQUIRE(pubkey_equal(&pool->rewards[i].mint, &nobody), InvalidRewardIndex);
    }
    return OK;
}

INLINE u64 check_limit(const Arguments *arguments, bool down, u128 price, u128 *limit) {
    *limit = arguments->sqrt_price_limit;
    if (!*limit) {
        *limit = down ? SQRT_PRICE_MIN + 1 : SQRT_PRICE_MAX - 1;
    }
    REQUIRE(down ? *limit < price && *limit > SQRT_PRICE_MIN
                 : *limit > price && *limit < SQRT_PRICE_MAX,
            SqrtPriceLimitOverflow);
    return OK;
}

INLINE int fee_token_of(const Pool *pool, bool down) {
    if (pool->fee_on == FEE_ON_TOKEN_0 || pool->fee_on == FEE_ON_TOKEN_1) {
        return pool->fee_on == FEE_ON_TOKEN_0 ? 0 : 1;
    }
    return down ? 0 : 1;
}

/* sums->at_vaults = what the swap is to be there. */
NOINLINE u64 measure(const Call *call, const Arguments *arguments, u64 epoch, Sums *sums) {
    transfer_fee_read(&call->accounts[INPUT_MINT], epoch, &sums->fee_in);
    transfer_fee_read(&call->accounts[OUTPUT_MINT], epoch, &sums->fee_out);
    if (arguments->exact_in) {
        sums->at_vaults = arguments->amount - transfer_fee_on(&sums->fee_in, arguments->amount);
        return OK;
    }
    REQUIRE(transfer_fee_before(&sums->fee_out, arguments->amount, &sums->at_vaults),
            CalculateOverflow);
    return OK;
}

/* *swap = the swap before its first step. */
NOINLINE u64 begin(const Call *call, const Arguments *arguments, const Clock *clock, u64 amount,
                   Swap *swap) {
    const Account *accounts = call->accounts;
    Pool *pool = (Pool *)accounts[POOL].data;
    const Config *config = (const Config *)accounts[CONFIG].data;
    bool down;
    TRY(find_direction(accounts, pool, &down));
    REQUIRE((u64)clock->unix_timestamp > pool->open_time, ANCHOR_REQUIRE_GT_VIOLATED);
    TRY(read_arrays(call, &swap->arrays));
    REQUIRE(amount, ZeroAmountSpecified);
    REQUIRE(!(pool->status & STATUS_SWAP_DISABLED), NotApproved);
    TRY(check_limit(arguments, down, pool->sqrt_price, &swap->limit));
    TRY(check_served(pool));
    REQUIRE(config->trade_rate < RATE_ONE, panic());
    const ObservationState *observation = (const ObservationState *)accounts[OBSERVATION].data;
    REQUIRE(pubkey_equal(&observation->pool, accounts[POOL].key), ANCHOR_REQUIRE_KEYS_EQ_VIOLATED);
    swap->pool = pool;
    swap->config = config;
    swap->fee_token = fee_token_of(pool, down);
    swap->terms = (Terms){down, arguments->exact_in, swap->fee_token == (down ? 0 : 1),
                          config->trade_rate};
    fee_begin(&swap->fee, pool, config->trade_rate, (u64)clock->unix_timestamp);
    swap->left = amount;
    swap->price = pool->sqrt_price;
    swap->tick = pool->tick;
    swap->liquidity = pool->liquidity;
    swap->fee_growth = pool->fee_growth[swap->fee_token];
    swap->other = swap->lp_fee = swap->protocol_fee = swap->fund_fee = 0;
    swap->epoch = clock->epoch;
    return OK;
}

/* What the swap is at the vaults and for the trader; a whole amount in was sent as asked for. */
NOINLINE u64 sum_up(const Swap *swap, const Arguments *arguments, Sums *sums) {
    u64 exact = sums->at_vaults - swap->left;
    sums->in = arguments->exact_in ? exact : swap->other;
    sums->out = arguments->exact_in ? swap->other : exact;
    REQUIRE(sums->in && sums->out, TooSmallInputOrOutputAmount);
    sums->paid = arguments->amount;
    bool whole = arguments->exact_in && !swap->left;
    REQUIRE(whole || transfer_fee_before(&sums->fee_in, sums->in, &sums->paid),
            CalculateOverflow);
    sums->received = sums->out - transfer_fee_on(&sums->fee_out, sums->out);
    return OK;
}

/* What indexers read from the transaction's log. */
NOINLINE void log_event(const Call *call, const Swap *swap, const Sums *sums) {
    const Account *accounts = call->accounts;
    int in = swap->terms.down ? 0 : 1, out = 1 - in;
    SwapEvent event = {
        .discriminator = SWAP_EVENT_DISCRIMINATOR,
        .pool = *accounts[POOL].key,
        .sender = *accounts[PAYER].key,
        .down = swap->terms.down,
        .sqrt_price = swap->price,
        .liquidity = swap->liquidity,
        .tick = swap->tick,
    };
    event.account[in] = *accounts[INPUT_ACCOUNT].key;
    event.account[out] = *accounts[OUTPUT_ACCOUNT].key;
    event.moved[in].amount = sums->in;
    event.moved[in].transfer_fee = sums->paid - sums->in;
    event.moved[out].amount = sums->received;
    event.moved[out].transfer_fee = sums->out - sums->received;
    event.fees[swap->fee_token] = swap->lp_fee + swap->protocol_fee + swap->fund_fee;
    Seed slice = {(const u8 *)&event, sizeof(event)};
    sol_log_data(&slice, 1);
}

/* The token program that owns the account tokens come from. */
INLINE const Account *mover(const Account *accounts, int from) {
    bool newer = pubkey_equal(accounts[from].owner, &TOKEN_2022_PROGRAM);
    return &accounts[TOKEN_PROGRAMS + newer];
}

NOINLINE u64 pay_in(const Call *call, u64 amount) {
    const Account *accounts = call->accounts;
    Transfer transfer = {
        .token_program = mover(accounts, INPUT_ACCOUNT),
        .from = &accounts[INPUT_ACCOUNT],
        .mint = &accounts[INPUT_MINT],
        .to = &accounts[INPUT_VAULT],
        .authority = &accounts[PAYER],
        .signer = NULL,
        .amount = amount,
        .decimals = ((const Mint *)accounts[INPUT_MINT].data)->decimals,
    };
    return token_transfer_checked(call, &transfer);
}

/* The pool signs for its vaults. */
NOINLINE u64 pay_out(const Call *call, u64 amount) {
    const Account *accounts = call->accounts;
    const Pool *pool = (const Pool *)accounts[POOL].data;
    Seed seeds[5] = {
        {(const u8 *)POOL_SEED, sizeof(POOL_SEED) - 1},
        {pool->config.bytes, sizeof(Pubkey)},
        {pool->mint[0].bytes, sizeof(Pubkey)},
        {pool->mint[1].bytes, sizeof(Pubkey)},
        {&pool->bump, 1},
    };
    SignerSeeds signer = {seeds, 5};
    Transfer transfer = {
        .token_program = mover(accounts, OUTPUT_VAULT),
        .from = &accounts[OUTPUT_VAULT],
        .mint = &accounts[OUTPUT_MINT],
        .to = &accounts[OUTPUT_ACCOUNT],
        .authority = &accounts[POOL],
        .signer = &signer,
        .amount = amount,
        .decimals = ((const Mint *)accounts[OUTPUT_MINT].data)->decimals,
    };
    return token_transfer_checked(call, &transfer);
}

NOINLINE u64 settle(const Call *call, const Arguments *arguments, const Swap *swap,
                    const Sums *sums) {
    log_event(call, swap, sums);
    TRY(pay_in(call, sums->paid));
    TRY(pay_out(call, sums->out));
    REQUIRE(arguments->sqrt_price_limit || !swap->left, ANCHOR_REQUIRE_EQ_VIOLATED);
    if (arguments->exact_in) {
        REQUIRE(sums->received >= arguments->limit, TooLittleOutputReceived);
    } else {
        REQUIRE(sums->paid <= arguments->limit, TooMuchInputPaid);
    }
    return OK;
}

NOINLINE u64 execute(const Call *call, const Arguments *arguments) {
    Clock clock;
    Sums sums;
    Swap swap;
    TRY(clock_read(&clock));
    TRY(measure(call, arguments, clock.epoch, &sums));
    TRY(begin(call, arguments, &clock, sums.at_vaults, &swap));
    TRY(swap_run(&swap));
    if (swap.tick != swap.pool->tick) {
        ObservationState *observation = (ObservationState *)call->accounts[OBSERVATION].data;
        TRY(observation_update(observation, (u32)clock.unix_timestamp, swap.pool->tick));
    }
    TRY(apply(&swap));
    TRY(sum_up(&swap, arguments, &sums));
    return settle(call, arguments, &swap, &sums);
}

u64 entrypoint(const u8 *input) {
    Account accounts[ACCOUNTS_MAX];
    Call call;
    TRY(call_read(input, &call, accounts, ACCOUNTS_MAX));
    REQUIRE(call.data_length >= 8 && load_u64(call.data) == SWAP_V2_DISCRIMINATOR,
            ANCHOR_INSTRUCTION_FALLBACK_NOT_FOUND);
    const Arguments *arguments = (const Arguments *)call.data;
    REQUIRE(call.data_length >= SWAP_BYTES && arguments->exact_in <= 1,
            ANCHOR_INSTRUCTION_DID_NOT_DESERIALIZE);
    TRY(check_accounts(&call));
    return said(execute(&call, arguments));
}
