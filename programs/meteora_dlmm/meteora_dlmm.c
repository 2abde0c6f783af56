/* Meteora DLMM, the part a trader uses: swap2 and swap_exact_out2.
 *
 * A stand-in for the real program on the localnet, with its id, instruction and account layouts,
 * roundings, fees and error codes. Left out: limit orders, bitmap extensions, host fees, Token-2022
 * mints, pairs with an activation point, events, and the oracle, which is checked but not written.
 * A pool that needs one of these is refused, never served wrongly.
 */

#include "swap.h"
#include "sysvars.h"
#include "token.h"

#define ACCOUNTS_MAX 40
#define ARGUMENT_BYTES 28 /* discriminator, two amounts, number of account slices */
#define ORACLE_BYTES_MIN 32

static const u8 SWAP_EXACT_IN[8] = {65, 75, 63, 76, 235, 91, 91, 136};
static const u8 SWAP_EXACT_OUT[8] = {43, 215, 247, 132, 137, 60, 243, 81};

/* MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr */
static const Pubkey MEMO_PROGRAM = {{
    0x05, 0x4a, 0x53, 0x5a, 0x99, 0x29, 0x21, 0x06, 0x4d, 0x24, 0xe8, 0x71, 0x60, 0xda, 0x38, 0x7c,
    0x7c, 0x35, 0xb5, 0xdd, 0xbc, 0x92, 0xbb, 0x81, 0xe4, 0x1f, 0xa8, 0x40, 0x41, 0x05, 0x44, 0x8d,
}};

/* Derived from "__event_authority": D1ZN9Wj1fRSUQfCjhvnu1hqDMT7hzjzBBpi12nVniYD6 */
static const Pubkey EVENT_AUTHORITY = {{
    0xb2, 0x70, 0xd6, 0x7f, 0xa9, 0x8c, 0x51, 0xcf, 0x02, 0x13, 0x05, 0x13, 0x58, 0x96, 0x2b, 0xaf,
    0x35, 0x74, 0x2b, 0xed, 0x59, 0xc9, 0xd9, 0x44, 0x5e, 0x9c, 0x0d, 0x0c, 0x85, 0xc7, 0xcd, 0x91,
}};

static const Pubkey NO_KEY;

/* The accounts of both instructions, in order; bin arrays follow. */
enum {
    PAIR,
    BITMAP_EXTENSION,
    RESERVE_X,
    RESERVE_Y,
    USER_IN,
    USER_OUT,
    MINT_X,
    MINT_Y,
    ORACLE,
    HOST_FEE,
    USER,
    PROGRAM_X,
    PROGRAM_Y,
    MEMO,
    EVENTS,
    PROGRAM,
    NAMED_ACCOUNTS,
};

NOINLINE u64 check_pair(const Call *call, const Pair **pair) {
    const Account *account = &call->accounts[PAIR];
    REQUIRE(pubkey_equal(account->owner, call->program_id), ANCHOR_ACCOUNT_OWNED_BY_WRONG_PROGRAM);
    REQUIRE(account->data_length == sizeof(Pair), ANCHOR_ACCOUNT_DID_NOT_DESERIALIZE);
    *pair = (const Pair *)account->data;
    REQUIRE(load_u64((*pair)->discriminator) == load_u64(PAIR_DISCRIMINATOR),
            ANCHOR_ACCOUNT_DISCRIMINATOR_MISMATCH);
    REQUIRE(account->is_writable, ANCHOR_CONSTRAINT_MUT);
    REQUIRE((*pair)->status == STATUS_ENABLED, POOL_DISABLED);
    REQUIRE((*pair)->pair_type == PAIR_PERMISSIONLESS, INVALID_POOL_TYPE);
    REQUIRE(!(*pair)->token_2022_x && !(*pair)->token_2022_y, NOT_SUPPORTED_AT_THE_MOMENT);
    return OK;
}

/* An account the pair names, owned as it must be. */
NOINLINE u64 check_named(const Account *account, const Pubkey *named, const Pubkey *owner) {
    REQUIRE(pubkey_equal(account->owner, owner), ANCHOR_ACCOUNT_OWNED_BY_WRONG_PROGRAM);
    REQUIRE(pubkey_equal(account->key, named), ANCHOR_CONSTRAINT_HAS_ONE);
    return OK;
}

NOINLINE u64 check_pool_accounts(const Call *call, const Pair *pair) {
    const Account *accounts = call->accounts;
    TRY(check_named(&accounts[RESERVE_X], &pair->reserve_x, &TOKEN_PROGRAM));
    TRY(check_named(&accounts[RESERVE_Y], &pair->reserve_y, &TOKEN_PROGRAM));
    TRY(check_named(&accounts[MINT_X], &pair->mint_x, &TOKEN_PROGRAM));
    TRY(check_named(&accounts[MINT_Y], &pair->mint_y, &TOKEN_PROGRAM));
    TRY(check_named(&accounts[ORACLE], &pair->oracle, call->program_id));
    REQUIRE(accounts[ORACLE].data_length >= ORACLE_BYTES_MIN &&
                load_u64(accounts[ORACLE].data) == load_u64(ORACLE_DISCRIMINATOR),
            ANCHOR_ACCOUNT_DISCRIMINATOR_MISMATCH);
    for (u64 i = RESERVE_X; i <= USER_OUT; i++) {
        REQUIRE(accounts[i].is_writable, ANCHOR_CONSTRAINT_MUT);
    }
    REQUIRE(accounts[ORACLE].is_writable, ANCHOR_CONSTRAINT_MUT);
    return OK;
}

NOINLINE u64 check_programs(const Call *call) {
    const Account *accounts = call->accounts;
    REQUIRE(accounts[USER].is_signer, ANCHOR_ACCOUNT_NOT_SIGNER);
    REQUIRE(pubkey_equal(accounts[PROGRAM_X].key, &TOKEN_PROGRAM), ANCHOR_INVALID_PROGRAM_ID);
    REQUIRE(pubkey_equal(accounts[PROGRAM_Y].key, &TOKEN_PROGRAM), ANCHOR_INVALID_PROGRAM_ID);
    REQUIRE(pubkey_equal(accounts[MEMO].key, &MEMO_PROGRAM), ANCHOR_INVALID_PROGRAM_ID);
    REQUIRE(pubkey_equal(accounts[EVENTS].key, &EVENT_AUTHORITY), ANCHOR_CONSTRAINT_SEEDS);
    REQUIRE(pubkey_equal(accounts[PROGRAM].key, call->program_id), ANCHOR_INVALID_PROGRAM_ID);
    /* The program's own id stands for an optional account that is absent. */
    REQUIRE(pubkey_equal(accounts[BITMAP_EXTENSION].key, call->program_id),
            NOT_SUPPORTED_AT_THE_MOMENT);
    REQUIRE(pubkey_equal(accounts[HOST_FEE].key, call->program_id), NOT_SUPPORTED_AT_THE_MOMENT);
    return OK;
}

/* The mints of the user's accounts say which way the swap goes. */
NOINLINE u64 swap_direction(const Call *call, const Pair *pair, bool *sell_x) {
    const TokenAccount *in, *out;
    TRY(token_account_read(&call->accounts[USER_IN], &in));
    TRY(token_account_read(&call->accounts[USER_OUT], &out));
    *sell_x = pubkey_equal(&in->mint, &pair->mint_x);
    const Pubkey *mint_in = *sell_x ? &pair->mint_x : &pair->mint_y;
    const Pubkey *mint_out = *sell_x ? &pair->mint_y : &pair->mint_x;
    REQUIRE(pubkey_equal(&in->mint, mint_in), INVALID_TOKEN_MINT);
    REQUIRE(pubkey_equal(&out->mint, mint_out), INVALID_TOKEN_MINT);
    return OK;
}

INLINE bool takes_limit_orders(const Pair *pair) {
    if (pair->fees.function_type == FUNCTION_UNDETERMINED) {
        return pubkey_equal(&pair->rewards[0].mint, &NO_KEY) &&
               pubkey_equal(&pair->rewards[1].mint, &NO_KEY);
    }
    return pair->fees.function_type == FUNCTION_LIMIT_ORDER;
}

NOINLINE u64 pay_in(const Call *call, const Swap *swap) {
    const Account *accounts = call->accounts;
    const Account *mint_account = &accounts[swap->sell_x ? MINT_X : MINT_Y];
    const Mint *mint;
    TRY(mint_read(mint_account, &mint));
    Transfer transfer = {
        .token_program = &accounts[PROGRAM_X],
        .from = &accounts[USER_IN],
        .mint = mint_account,
        .to = &accounts[swap->sell_x ? RESERVE_X : RESERVE_Y],
        .authority = &accounts[USER],
        .signer = NULL,
        .amount = swap->amount_in,
        .decimals = mint->decimals,
    };
    return token_transfer_checked(call, &transfer);
}

INLINE bool is_before(const Pubkey *a, const Pubkey *b) {
    i32 order;
    sol_memcmp_(a, b, sizeof(Pubkey), &order);
    return order < 0;
}

/* The reserve belongs to the pair, which signs with the seeds of its address. */
NOINLINE u64 pay_out(const Call *call, const Swap *swap) {
    const Account *accounts = call->accounts;
    const Pair *pair = swap->pair;
    const Account *mint_account = &accounts[swap->sell_x ? MINT_Y : MINT_X];
    const Mint *mint;
    TRY(mint_read(mint_account, &mint));
    bool in_order = is_before(&pair->mint_x, &pair->mint_y);
    const Pubkey *lower = in_order ? &pair->mint_x : &pair->mint_y;
    const Pubkey *higher = in_order ? &pair->mint_y : &pair->mint_x;
    Seed seeds[5] = {{lower->bytes, sizeof(Pubkey)},
                     {higher->bytes, sizeof(Pubkey)},
                     {pair->bin_step_seed, 2}};
    u64 count = 3;
    if (pair->has_base_factor_seed) {
        seeds[count++] = (Seed){pair->base_factor_seed, 2};
    }
    seeds[count++] = (Seed){&pair->bump, 1};
    SignerSeeds signer = {seeds, count};
    Transfer transfer = {
        .token_program = &accounts[PROGRAM_X],
        .from = &accounts[swap->sell_x ? RESERVE_Y : RESERVE_X],
        .mint = mint_account,
        .to = &accounts[USER_OUT],
        .authority = &accounts[PAIR],
        .signer = &signer,
        .amount = swap->amount_out,
        .decimals = mint->decimals,
    };
    return token_transfer_checked(call, &transfer);
}

/* `first` and `second` are the instruction's amounts: in and least out, or most in and out. */
NOINLINE u64 execute(const Call *call, bool exact_in, u64 first, u64 second) {
    const Pair *pair;
    bool sell_x;
    Clock clock;
    TRY(check_pair(call, &pair));
    TRY(check_pool_accounts(call, pair));
    TRY(check_programs(call));
    TRY(swap_direction(call, pair, &sell_x));
    TRY(clock_read(&clock));
    REQUIRE(first > 0, INVALID_INPUT);
    Swap swap = {
        .pair = (Pair *)call->accounts[PAIR].data,
        .arrays = call->accounts + NAMED_ACCOUNTS,
        .array_count = call->account_count - NAMED_ACCOUNTS,
        .pair_key = call->accounts[PAIR].key,
        .program_id = call->program_id,
        .sell_x = sell_x,
        .exact_in = exact_in,
        .fee_on_input = !(sell_x && pair->fees.collect_fee_mode == FEE_ALWAYS_IN_Y),
        .limit_orders = takes_limit_orders(pair),
        .left = exact_in ? first : second,
    };
    TRY(swap_run(&swap, clock.unix_timestamp));
    REQUIRE(swap.amount_out > 0, INSUFFICIENT_OUT_AMOUNT);
    REQUIRE(!exact_in || swap.amount_out >= second, EXCEEDED_AMOUNT_SLIPPAGE_TOLERANCE);
    REQUIRE(exact_in || swap.amount_in <= first, INSUFFICIENT_IN_AMOUNT);
    TRY(pay_in(call, &swap));
    return pay_out(call, &swap);
}

u64 entrypoint(const u8 *input) {
    Account accounts[ACCOUNTS_MAX];
    Call call;
    TRY(call_read(input, &call, accounts, ACCOUNTS_MAX));
    REQUIRE(call.data_length >= sizeof(SWAP_EXACT_IN), ANCHOR_INSTRUCTION_FALLBACK_NOT_FOUND);
    u64 discriminator = load_u64(call.data);
    bool exact_in = discriminator == load_u64(SWAP_EXACT_IN);
    REQUIRE(exact_in || discriminator == load_u64(SWAP_EXACT_OUT),
            ANCHOR_INSTRUCTION_FALLBACK_NOT_FOUND);
    REQUIRE(call.data_length >= ARGUMENT_BYTES, ANCHOR_INSTRUCTION_DID_NOT_DESERIALIZE);
    REQUIRE(call.account_count >= NAMED_ACCOUNTS, ANCHOR_ACCOUNT_NOT_ENOUGH_KEYS);
    for (u64 i = 24; i < ARGUMENT_BYTES; i++) {
        REQUIRE(call.data[i] == 0, ANCHOR_INSTRUCTION_DID_NOT_DESERIALIZE);
    }
    return execute(&call, exact_in, load_u64(call.data + 8), load_u64(call.data + 16));
}
