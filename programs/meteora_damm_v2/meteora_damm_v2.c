/* Meteora DAMM v2, the part a trader uses: swap and swap2 in its three modes.
 *
 * A stand-in for the real program (release 0.2.1) on the localnet, at its id
 * cpamdpZCGKUy5JxQXB4dcpGPiikHawvSWAd6mEn1sGG, with its instruction and account layouts, rounding,
 * fees, event and error codes. A call goes: entrypoint → check_accounts → open (status, clock) →
 * quote → sums → limits → apply → two transfers → event. The curve sees what reaches and leaves the
 * vaults; of a token whose transfers pay a fee the trader pays more and receives less.
 *
 * Left out: compounding pools, base fees by rate limiter or market capitalization, referrals and
 * transfer hooks. A pool or call that needs one of these is refused, never served wrongly.
 */
#include "checks.h"
#include "quote.h"
#include "sysvars.h"

#define ACCOUNTS_MAX 32
#define SWAP_BYTES 24  /* discriminator, amount, limit */
#define SWAP2_BYTES 25 /* and the mode */
#define VAULT_LEAD_SLOTS 9000
#define VAULT_LEAD_SECONDS 3600

/* Both instructions' arguments. `limit` is the least received or, for exact out, the most paid. */
typedef struct PACKED {
    u64 amount;
    u64 limit;
    u8 mode;
} Arguments;

typedef struct PACKED {
    u64 tag;
    u64 discriminator;
    Pubkey pool;
    u8 buy_a;
    u8 collect_fee_mode;
    u8 has_referral;
    Arguments arguments;
    u64 paid;
    u64 reached;
    u64 left;
    u64 received;
    u64 price_low;
    u64 price_high;
    u64 lp_fee;
    u64 protocol_fee;
    u64 compounding_fee;
    u64 referral_fee;
    u64 transferred_in; /* these differ where transfers pay a fee */
    u64 transferred_out;
    u64 arrived_out;
    u64 timestamp;
    u64 amount_a;
    u64 amount_b;
} SwapEvent;

_Static_assert(sizeof(SwapEvent) == 8 + 8 + 32 + 3 + 17 + 16 * 8, "the program's layout");

/* Whether this payer may swap at this point of time. */
NOINLINE u64 check_open(const Pool *pool, const Pubkey *payer, u64 point) {
    bool by_slot = pool->activation_type == ACTIVATION_SLOT;
    u64 opens = pool->activation_point;
    if (pubkey_equal(payer, &pool->whitelisted_vault)) {
        u64 lead = by_slot ? VAULT_LEAD_SLOTS : VAULT_LEAD_SECONDS;
        opens = opens > lead ? opens - lead : 0;
    }
    REQUIRE(pool->status == STATUS_ENABLED && point >= opens, ERROR_POOL_DISABLED);
    return OK;
}

/* Pools that work in a way this program does not, or that nobody can have made. */
NOINLINE u64 check_served(const Pool *pool) {
    REQUIRE(pool->collect_fee_mode <= FEE_COMPOUNDING, ERROR_TYPE_CAST_FAILED);
    REQUIRE(pool->collect_fee_mode != FEE_COMPOUNDING, ERROR_INVALID_COLLECT_FEE_MODE);
    REQUIRE(!pool->fees.compounding_bps, ERROR_INVALID_COMPOUNDING_FEE_BPS);
    REQUIRE(pool->fees.protocol_percent <= PERCENT, ERROR_MATH_OVERFLOW);
    return OK;
}

/* What transfers of the token paid and of the token received pay. */
typedef struct {
    TransferFee in;
    TransferFee out;
} TransferFees;

/* What the trader sends and what reaches the trader. */
typedef struct {
    u64 paid;
    u64 received;
} Sums;

NOINLINE void read_fees(const Call *call, bool sell_a, u64 epoch, TransferFees *fees) {
    transfer_fee_read(&call->accounts[sell_a ? MINT_A : MINT_B], epoch, &fees->in);
    transfer_fee_read(&call->accounts[sell_a ? MINT_B : MINT_A], epoch, &fees->out);
}

/* *amount = what the swap is to be at the vaults. */
NOINLINE u64 amount_at_vaults(const Arguments *arguments, const TransferFees *fees, u64 *amount) {
    if (arguments->mode == EXACT_OUT) {
        REQUIRE(transfer_fee_before(&fees->out, arguments->amount, amount), ERROR_MATH_OVERFLOW);
        return OK;
    }
    *amount = arguments->amount - transfer_fee_on(&fees->in, arguments->amount);
    REQUIRE(*amount, ERROR_AMOUNT_IS_ZERO);
    return OK;
}

/* *sums = what the swap is for the trader; a whole amount in was sent as it was asked for. */
NOINLINE u64 sum_up(const Arguments *arguments, const Wish *wish, const Result *result,
                    const TransferFees *fees, Sums *sums) {
    bool whole = arguments->mode != EXACT_OUT && result->paid == wish->amount;
    sums->paid = arguments->amount;
    REQUIRE(whole || transfer_fee_before(&fees->in, result->paid, &sums->paid),
            ERROR_MATH_OVERFLOW);
    sums->received = result->received - transfer_fee_on(&fees->out, result->received);
    return OK;
}

/* *wish = the swap as the pool sees it; what changes by time alone is written to the pool. */
NOINLINE u64 open(const Call *call, Pool *pool, const Arguments *arguments, const Clock *clock,
                  Wish *wish) {
    REQUIRE(pool->activation_type <= ACTIVATION_TIMESTAMP, ERROR_INVALID_ACTIVATION_TYPE);
    u64 now = (u64)clock->unix_timestamp;
    u64 point = pool->activation_type == ACTIVATION_SLOT ? clock->slot : now;
    TRY(check_open(pool, call->accounts[PAYER].key, point));
    TRY(check_served(pool));
    TRY(fill_amounts(pool));
    REQUIRE(arguments->mode <= EXACT_OUT, ERROR_INVALID_INPUT);
    REQUIRE(arguments->amount, ERROR_AMOUNT_IS_ZERO);
    const TokenAccount *input = (const TokenAccount *)call->accounts[INPUT_ACCOUNT].data;
    bool sell_a = pubkey_equal(&input->mint, call->accounts[MINT_A].key);
    *wish = (Wish){
        .pool = pool,
        .point = point,
        .amount = arguments->amount,
        .mode = arguments->mode,
        .sell_a = sell_a,
        .fee_on_input = pool->collect_fee_mode == FEE_IN_B && !sell_a,
    };
    return dynamic_before(&pool->fees.dynamic, &pool->sqrt_price, now);
}

INLINE u64 check_limit(const Arguments *arguments, const Sums *sums) {
    bool within = arguments->mode == EXACT_OUT ? sums->paid <= arguments->limit
                                               : sums->received >= arguments->limit;
    REQUIRE(arguments->mode != PARTIAL_FILL || sums->paid, ERROR_AMOUNT_IS_ZERO);
    REQUIRE(within, ERROR_EXCEEDED_SLIPPAGE);
    return OK;
}

/* Token `index` (0: A, 1: B) between the trader and its vault. */
INLINE Transfer transfer_of(const Account *accounts, int index, u64 amount) {
    return (Transfer){
        .token_program = &accounts[PROGRAM_A + index],
        .mint = &accounts[MINT_A + index],
        .amount = amount,
        .decimals = ((const Mint *)accounts[MINT_A + index].data)->decimals,
    };
}

NOINLINE u64 pay_in(const Call *call, int token, u64 amount) {
    const Account *accounts = call->accounts;
    Transfer transfer = transfer_of(accounts, token, amount);
    transfer.from = &accounts[INPUT_ACCOUNT];
    transfer.to = &accounts[VAULT_A + token];
    transfer.authority = &accounts[PAYER];
    transfer.signer = NULL;
    return token_transfer_checked(call, &transfer);
}

NOINLINE u64 pay_out(const Call *call, int token, u64 amount) {
    const Account *accounts = call->accounts;
    const u8 bump = POOL_AUTHORITY_BUMP;
    Seed seeds[2] = {{(const u8 *)POOL_AUTHORITY_SEED, sizeof(POOL_AUTHORITY_SEED) - 1},
                     {&bump, 1}};
    SignerSeeds signer = {seeds, 2};
    Transfer transfer = transfer_of(accounts, token, amount);
    transfer.from = &accounts[VAULT_A + token];
    transfer.to = &accounts[OUTPUT_ACCOUNT];
    transfer.authority = &accounts[AUTHORITY];
    transfer.signer = &signer;
    return token_transfer_checked(call, &transfer);
}

/* Events go out as a call of the program by itself, which its event authority signs. */
NOINLINE u64 send_event(const Call *call, const SwapEvent *event) {
    const u8 bump = EVENT_AUTHORITY_BUMP;
    Seed seeds[2] = {{(const u8 *)EVENT_AUTHORITY_SEED, sizeof(EVENT_AUTHORITY_SEED) - 1},
                     {&bump, 1}};
    SignerSeeds signer = {seeds, 2};
    InvokeAccount account = {call->accounts[EVENTS].key, false, true};
    Invoke invoke = {call->program_id, &account, 1, (const u8 *)event, sizeof(*event)};
    return sol_invoke_signed_c(&invoke, call->accounts, call->account_count, &signer, 1);
}

NOINLINE u64 report(const Call *call, const Arguments *arguments, const Result *result,
                    const Sums *sums, i64 now) {
    const Pool *pool = (const Pool *)call->accounts[POOL].data;
    bool sell_a = pubkey_equal(
        &((const TokenAccount *)call->accounts[INPUT_ACCOUNT].data)->mint, &pool->mint[0]);
    SwapEvent event = {
        .tag = EVENT_TAG,
        .discriminator = SWAP_EVENT_DISCRIMINATOR,
        .pool = *call->accounts[POOL].key,
        .buy_a = !sell_a,
        .collect_fee_mode = pool->collect_fee_mode,
        .arguments = *arguments,
        .paid = result->paid,
        .reached = result->reached,
        .left = result->left,
        .received = result->received,
        .price_low = low_half(result->price),
        .price_high = high_half(result->price),
        .lp_fee = result->shares.lp,
        .protocol_fee = result->shares.protocol,
        .transferred_in = sums->paid,
        .transferred_out = result->received,
        .arrived_out = sums->received,
        .timestamp = (u64)now,
        .amount_a = pool->amount[0],
        .amount_b = pool->amount[1],
    };
    return send_event(call, &event);
}

NOINLINE u64 execute(const Call *call, const Arguments *arguments) {
    Pool *pool = (Pool *)call->accounts[POOL].data;
    Clock clock;
    Wish wish;
    Result result;
    TransferFees fees;
    Sums sums;
    TRY(clock_read(&clock));
    TRY(open(call, pool, arguments, &clock, &wish));
    read_fees(call, wish.sell_a, clock.epoch, &fees);
    TRY(amount_at_vaults(arguments, &fees, &wish.amount));
    TRY(quote(&wish, &result));
    TRY(sum_up(arguments, &wish, &result, &fees, &sums));
    TRY(check_limit(arguments, &sums));
    TRY(apply(pool, &wish, &result, (u64)clock.unix_timestamp));
    int in = wish.sell_a ? 0 : 1;
    TRY(pay_in(call, in, sums.paid));
    TRY(pay_out(call, 1 - in, result.received));
    return report(call, arguments, &result, &sums, clock.unix_timestamp);
}

/* The program's call of itself; the runtime has it on record, there is nothing else to do. */
INLINE u64 receive_event(const Call *call) {
    REQUIRE(call->account_count, ANCHOR_ACCOUNT_NOT_ENOUGH_KEYS);
    REQUIRE(call->accounts[0].is_signer, ANCHOR_CONSTRAINT_SIGNER);
    REQUIRE(pubkey_equal(call->accounts[0].key, &EVENT_AUTHORITY), ANCHOR_CONSTRAINT_SEEDS);
    return OK;
}

u64 entrypoint(const u8 *input) {
    Account accounts[ACCOUNTS_MAX];
    Call call;
    TRY(call_read(input, &call, accounts, ACCOUNTS_MAX));
    REQUIRE(call.data_length >= 8, ANCHOR_INSTRUCTION_FALLBACK_NOT_FOUND);
    u64 instruction = load_u64(call.data);
    if (instruction == EVENT_TAG) {
        return receive_event(&call);
    }
    bool has_mode = instruction == SWAP2_DISCRIMINATOR;
    REQUIRE(has_mode || instruction == SWAP_DISCRIMINATOR, ANCHOR_INSTRUCTION_FALLBACK_NOT_FOUND);
    REQUIRE(call.account_count >= SWAP_ACCOUNTS, ANCHOR_ACCOUNT_NOT_ENOUGH_KEYS);
    REQUIRE(call.data_length >= (has_mode ? SWAP2_BYTES : SWAP_BYTES),
            ANCHOR_INSTRUCTION_DID_NOT_DESERIALIZE);
    TRY(check_accounts(&call));
    Arguments arguments = {
        .amount = load_u64(call.data + 8),
        .limit = load_u64(call.data + 16),
        .mode = has_mode ? call.data[24] : EXACT_IN,
    };
    u64 error = execute(&call, &arguments);
    return error == PANIC ? panic() : error;
}
