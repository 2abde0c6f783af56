/* Meteora DLMM, the part a trader uses: swap2 and swap_exact_out2.
 *
 * A stand-in for the real program on the localnet, with its id, instruction and account layouts,
 * roundings, fees and error codes. Bins see what reaches and leaves the reserves; of a token whose
 * transfers pay a fee the trader pays more and receives less. Left out: limit orders, bitmap
 * extensions, host fees, transfer hooks, pairs with an activation point, events, and the oracle,
 * which is checked but not written. A pool that needs one of these is refused, never served wrongly.
 */

#include "swap.h"
#include "sysvars.h"
#include "token_2022.h"

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
    REQUIRE((*pair)->token_2022_x <= 1 && (*pair)->token_2022_y <= 1, NOT_SUPPORTED_AT_THE_MOMENT);
    return OK;
}

/* An account the pair names, owned as it must be. */
NOINLINE u64 check_named(const Account *account, const Pubkey *named, const Pubkey *owner) {
    REQUIRE(pubkey_equal(account->owner, owner), ANCHOR_ACCOUNT_OWNED_BY_WRONG_PROGRAM);
    REQUIRE(pubkey_equal(account->key, named), ANCHOR_CONSTRAINT_HAS_ONE);
    return OK;
}

INLINE const Pubkey *token_program(u8 is_token_2022) {
    return is_token_2022 ? &TOKEN_2022_PROGRAM : &TOKEN_PROGRAM;
}

NOINLINE u64 check_pool_accounts(const Call *call, const Pair *pair) {
    const Account *accounts = call->accounts;
    const Pubkey *program_x = token_program(pair->token_2022_x);
    const Pubkey *program_y = token_program(pair->token_2022_y);
    TRY(check_named(&accounts[RESERVE_X], &pair->reserve_x, program_x));
    TRY(check_named(&accounts[RESERVE_Y], &pair->reserve_y, program_y));
    TRY(check_named(&accounts[MINT_X], &pair->mint_x, program_x));
    TRY(check_named(&accounts[MINT_Y], &pair->mint_y, program_y));
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

NOINLINE u64 check_programs(const Call *call, const Pair *pair) {
    const Account *accounts = call->accounts;
    REQUIRE(accounts[USER].is_signer, ANCHOR_ACCOUNT_NOT_SIGNER);
    REQUIRE(pubkey_equal(accounts[PROGRAM_X].key, token_program(pair->token_2022_x)),
            ANCHOR_INVALID_PROGRAM_ID);
    REQUIRE(pubkey_equal(accounts[PROGRAM_Y].key, token_program(pair->token_2022_y)),
            ANCHOR_INVALID_PROGRAM_ID);
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
    TRY(any_token_account_check(&call->accounts[USER_IN]));
    TRY(any_token_account_check(&call->accounts[USER_OUT]));
    const TokenAccount *in = (const TokenAccount *)call->accounts[USER_IN].data;
    const TokenAccount *out = (const TokenAccount *)call->accounts[USER_OUT].data;
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

NOINLINE u64 pay_in(const Call *call, const Swap *swap, u64 amount) {
    const Account *accounts = call->accounts;
    const Account *mint = &accounts[swap->sell_x ? MINT_X : MINT_Y];
    Transfer transfer = {
        .token_program = &accounts[swap->sell_x ? PROGRAM_X : PROGRAM_Y],
        .from = &accounts[USER_IN],
        .mint = mint,
        .to = &accounts[swap->sell_x ? RESERVE_X : RESERVE_Y],
        .authority = &accounts[USER],
        .signer = NULL,
        .amount = amount,
        .decimals = ((const Mint *)mint->data)->decimals,
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
    const Account *mint = &accounts[swap->sell_x ? MINT_Y : MINT_X];
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
        .token_program = &accounts[swap->sell_x ? PROGRAM_Y : PROGRAM_X],
        .from = &accounts[swap->sell_x ? RESERVE_Y : RESERVE_X],
        .mint = mint,
        .to = &accounts[USER_OUT],
        .authority = &accounts[PAIR],
        .signer = &signer,
        .amount = swap->amount_out,
        .decimals = ((const Mint *)mint->data)->decimals,
    };
    return token_transfer_checked(call, &transfer);
}

/* What transfers of the token paid and of the token received pay. */
typedef struct {
    TransferFee in;
    TransferFee out;
} TransferFees;

NOINLINE u64 read_fees(const Call *call, bool sell_x, u64 epoch, TransferFees *fees) {
    const Account *mint_x = &call->accounts[MINT_X], *mint_y = &call->accounts[MINT_Y];
    TRY(any_mint_check(mint_x));
    TRY(any_mint_check(mint_y));
    transfer_fee_read(sell_x ? mint_x : mint_y, epoch, &fees->in);
    transfer_fee_read(sell_x ? mint_y : mint_x, epoch, &fees->out);
    return OK;
}

/* Hold the swap against the trader's bound, then move what each side sends. */
NOINLINE u64 pay(const Call *call, const Swap *swap, const TransferFees *fees, u64 first, u64 second) {
    REQUIRE(swap->amount_out > 0, INSUFFICIENT_OUT_AMOUNT);
    u64 paid = first;
    if (swap->exact_in) {
        u64 received = swap->amount_out - transfer_fee_on(&fees->out, swap->amount_out);
        REQUIRE(received >= second, EXCEEDED_AMOUNT_SLIPPAGE_TOLERANCE);
    } else {
        REQUIRE(transfer_fee_before(&fees->in, swap->amount_in, &paid), MATH_OVERFLOW);
        REQUIRE(paid <= first, INSUFFICIENT_IN_AMOUNT);
    }
    TRY(pay_in(call, swap, paid));
    return pay_out(call, swap);
}

/* `first` and `second` are the instruction's amounts: in and least out, or most in and out. */
NOINLINE u64 execute(const Call *call, bool exact_in, u64 first, u64 second) {
    const Pair *pair;
    bool sell_x;
    Clock clock;
    TransferFees fees;
    u64 left;
    TRY(check_pair(call, &pair));
    TRY(check_pool_accounts(call, pair));
    TRY(check_programs(call, pair));
    TRY(swap_direction(call, pair, &sell_x));
    TRY(clock_read(&clock));
    REQUIRE(first > 0, INVALID_INPUT);
    TRY(read_fees(call, sell_x, clock.epoch, &fees));
    if (exact_in) {
        left = first - transfer_fee_on(&fees.in, first);
    } else {
        REQUIRE(transfer_fee_before(&fees.out, second, &left), MATH_OVERFLOW);
    }
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
        .left = left,
    };
    TRY(swap_run(&swap, clock.unix_timestamp));
    return pay(call, &swap, &fees, first, second);
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
