/* Raydium CPMM, the swap paths: a stand-in that the localnet deploys at the real program's id
 * CPMMoo8L3F4NbTegBCKVNunggL7H1ZpdTHKxQB5qKP1C, with its accounts, instructions, rounding and errors.
 *
 * A call goes: entrypoint → check_accounts → prepare (clock, transfer fees) → measure (reserves,
 * prices, rates) → curve → settle (slippage, fees owed, event, two transfers, observation). The curve
 * sees what reaches and leaves the vaults; of a token whose transfers pay a fee the trader pays more
 * and receives less. Pools are not made here: the localnet starts with them.
 */
#include "checks.h"
#include "curve.h"
#include "observation.h"
#include "sysvars.h"

#define ACCOUNTS_MAX 32

/* What a swap needs to know before the curve is asked. */
typedef struct {
    const Call *call;
    PoolState *pool;
    Clock clock;
    Reserves reserves;
    FeeRates rates;
    u128 price_x32[2];
    TransferFee input_fee;
    TransferFee output_fee;
    int input; /* which of the pool's tokens comes in: 0 or 1 */
    bool base_input;
} Swap;

static u64 vault_amount(const Account *vault) {
    return ((const TokenAccount *)vault->data)->amount;
}

/* *reserve = what of a vault belongs to the curve. */
INLINE u64 reserve_of(const PoolState *pool, int token, u64 amount, u64 *reserve) {
    u64 owed;
    REQUIRE(add_u64(pool->protocol_fees[token], pool->fund_fees[token], &owed) &&
                add_u64(owed, pool->creator_fees[token], &owed),
            ERROR_MATH_OVERFLOW);
    REQUIRE(owed <= amount, ERROR_INSUFFICIENT_VAULT);
    *reserve = amount - owed;
    return OK;
}

INLINE u64 find_direction(Swap *swap) {
    const Account *accounts = swap->call->accounts;
    for (int input = 0; input < 2; input++) {
        if (pubkey_equal(accounts[INPUT_VAULT].key, &swap->pool->vault[input]) &&
            pubkey_equal(accounts[OUTPUT_VAULT].key, &swap->pool->vault[1 - input])) {
            swap->input = input;
            return OK;
        }
    }
    return ERROR_INVALID_VAULT;
}

INLINE u64 find_reserves(Swap *swap) {
    const Account *accounts = swap->call->accounts;
    int input = swap->input;
    Reserves *reserves = &swap->reserves;
    TRY(reserve_of(swap->pool, input, vault_amount(&accounts[INPUT_VAULT]), &reserves->input));
    TRY(reserve_of(swap->pool, 1 - input, vault_amount(&accounts[OUTPUT_VAULT]),
                   &reserves->output));
    bool priced = multiply_divide_floor(reserves->output, 1ull << 32, reserves->input,
                                        &swap->price_x32[input]) &&
                  multiply_divide_floor(reserves->input, 1ull << 32, reserves->output,
                                        &swap->price_x32[1 - input]);
    return priced ? OK : panic(); /* an empty side: the real program divides by zero */
}

INLINE u64 find_rates(Swap *swap) {
    const AmmConfig *config = (const AmmConfig *)swap->call->accounts[AMM_CONFIG].data;
    const PoolState *pool = swap->pool;
    REQUIRE(pool->creator_fee_on <= CREATOR_FEE_ON_TOKEN_1, ERROR_INVALID_FEE_MODEL);
    swap->rates.trade = config->trade_fee_rate;
    swap->rates.protocol = config->protocol_fee_rate;
    swap->rates.fund = config->fund_fee_rate;
    swap->rates.creator = pool->enable_creator_fee ? config->creator_fee_rate : 0;
    swap->rates.creator_on_input =
        pool->creator_fee_on == CREATOR_FEE_ON_INPUT ||
        pool->creator_fee_on == (swap->input == 0 ? CREATOR_FEE_ON_TOKEN_0 : CREATOR_FEE_ON_TOKEN_1);
    return OK;
}

NOINLINE u64 prepare(Swap *swap) {
    TRY(clock_read(&swap->clock));
    bool open = (u64)swap->clock.unix_timestamp >= swap->pool->open_time;
    REQUIRE(open && !(swap->pool->status & STATUS_SWAP_DISABLED), ERROR_NOT_APPROVED);
    const Account *accounts = swap->call->accounts;
    transfer_fee_read(&accounts[INPUT_MINT], swap->clock.epoch, &swap->input_fee);
    transfer_fee_read(&accounts[OUTPUT_MINT], swap->clock.epoch, &swap->output_fee);
    return OK;
}

NOINLINE u64 measure(Swap *swap) {
    TRY(find_direction(swap));
    TRY(find_reserves(swap));
    return find_rates(swap);
}

INLINE u64 outcome_error(Outcome outcome) {
    switch (outcome) {
    case TRADE_DONE:
        return OK;
    case TRADE_IMPOSSIBLE:
        return ERROR_ZERO_TRADING_TOKENS;
    default:
        return panic();
    }
}

/* Fees stay in the vaults and are owed to others from now on. */
INLINE u64 owe_fees(Swap *swap, const Trade *trade) {
    PoolState *pool = swap->pool;
    int input = swap->input;
    int creator = swap->rates.creator_on_input ? input : 1 - input;
    u64 protocol, fund, creator_fees;
    bool fits = add_u64(pool->protocol_fees[input], trade->protocol_fee, &protocol) &&
                add_u64(pool->fund_fees[input], trade->fund_fee, &fund) &&
                add_u64(pool->creator_fees[creator], trade->creator_fee, &creator_fees);
    REQUIRE(fits, panic());
    pool->protocol_fees[input] = protocol;
    pool->fund_fees[input] = fund;
    pool->creator_fees[creator] = creator_fees;
    return OK;
}

/* What indexers read from the transaction's log. */
NOINLINE void log_event(const Swap *swap, const Trade *trade, u64 paid) {
    const Account *accounts = swap->call->accounts;
    SwapEvent event = {
        .discriminator = SWAP_EVENT_DISCRIMINATOR,
        .pool = *accounts[POOL].key,
        .input_vault_before = swap->reserves.input,
        .output_vault_before = swap->reserves.output,
        .input_amount = trade->input_amount,
        .output_amount = trade->output_amount,
        .input_transfer_fee = paid - trade->input_amount,
        .output_transfer_fee = transfer_fee_on(&swap->output_fee, trade->output_amount),
        .base_input = swap->base_input,
        .input_mint = *accounts[INPUT_MINT].key,
        .output_mint = *accounts[OUTPUT_MINT].key,
        .trade_fee = trade->trade_fee,
        .creator_fee = trade->creator_fee,
        .creator_fee_on_input = swap->rates.creator_on_input,
    };
    Seed slice = {(const u8 *)&event, sizeof(event)};
    sol_log_data(&slice, 1);
}

NOINLINE u64 pay_in(const Call *call, u64 amount) {
    const Account *accounts = call->accounts;
    Transfer transfer = {
        .token_program = &accounts[INPUT_TOKEN_PROGRAM],
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

NOINLINE u64 pay_out(const Call *call, u64 amount, u8 bump) {
    const Account *accounts = call->accounts;
    Seed seeds[2] = {{(const u8 *)AUTHORITY_SEED, sizeof(AUTHORITY_SEED) - 1}, {&bump, 1}};
    SignerSeeds signer = {seeds, 2};
    Transfer transfer = {
        .token_program = &accounts[OUTPUT_TOKEN_PROGRAM],
        .from = &accounts[OUTPUT_VAULT],
        .mint = &accounts[OUTPUT_MINT],
        .to = &accounts[OUTPUT_ACCOUNT],
        .authority = &accounts[AUTHORITY],
        .signer = &signer,
        .amount = amount,
        .decimals = ((const Mint *)accounts[OUTPUT_MINT].data)->decimals,
    };
    return token_transfer_checked(call, &transfer);
}

/* `paid` is what the trader sends; the trade's amounts are those of the vaults. */
NOINLINE u64 settle(Swap *swap, const Trade *trade, u64 paid) {
    const Call *call = swap->call;
    TRY(owe_fees(swap, trade));
    log_event(swap, trade, paid);
    REQUIRE(keeps_product(&swap->reserves, trade), ANCHOR_REQUIRE_GTE_VIOLATED);
    TRY(pay_in(call, paid));
    TRY(pay_out(call, trade->output_amount, swap->pool->authority_bump));
    ObservationState *observation = (ObservationState *)call->accounts[OBSERVATION].data;
    TRY(observation_update(observation, (u64)swap->clock.unix_timestamp, swap->price_x32));
    swap->pool->recent_epoch = swap->clock.epoch;
    return OK;
}

NOINLINE u64 swap_base_input(Swap *swap, u64 amount_in, u64 minimum_amount_out) {
    Trade trade;
    TRY(prepare(swap));
    u64 arrived = amount_in - transfer_fee_on(&swap->input_fee, amount_in);
    REQUIRE(arrived > 0, ANCHOR_REQUIRE_GT_VIOLATED);
    TRY(measure(swap));
    TRY(outcome_error(trade_exact_input(arrived, &swap->reserves, &swap->rates, &trade)));
    u64 received = trade.output_amount - transfer_fee_on(&swap->output_fee, trade.output_amount);
    REQUIRE(received > 0, ANCHOR_REQUIRE_GT_VIOLATED);
    REQUIRE(received >= minimum_amount_out, ERROR_EXCEEDED_SLIPPAGE);
    return settle(swap, &trade, amount_in);
}

NOINLINE u64 swap_base_output(Swap *swap, u64 maximum_amount_in, u64 amount_out) {
    Trade trade;
    u64 sent, paid;
    REQUIRE(amount_out > 0, ANCHOR_REQUIRE_GT_VIOLATED);
    TRY(prepare(swap));
    REQUIRE(transfer_fee_before(&swap->output_fee, amount_out, &sent), panic());
    TRY(measure(swap));
    TRY(outcome_error(trade_exact_output(sent, &swap->reserves, &swap->rates, &trade)));
    REQUIRE(trade.input_amount > 0, ANCHOR_REQUIRE_GT_VIOLATED);
    REQUIRE(transfer_fee_before(&swap->input_fee, trade.input_amount, &paid), panic());
    REQUIRE(paid <= maximum_amount_in, ERROR_EXCEEDED_SLIPPAGE);
    return settle(swap, &trade, paid);
}

u64 entrypoint(const u8 *input) {
    Account accounts[ACCOUNTS_MAX];
    Call call;
    TRY(call_read(input, &call, accounts, ACCOUNTS_MAX));
    REQUIRE(call.data_length >= 8, ANCHOR_INSTRUCTION_FALLBACK_NOT_FOUND);
    u64 instruction = load_u64(call.data);
    bool exact_input = instruction == SWAP_BASE_INPUT_DISCRIMINATOR;
    REQUIRE(exact_input || instruction == SWAP_BASE_OUTPUT_DISCRIMINATOR,
            ANCHOR_INSTRUCTION_FALLBACK_NOT_FOUND);
    REQUIRE(call.data_length >= 24, ANCHOR_INSTRUCTION_DID_NOT_DESERIALIZE);
    TRY(check_accounts(&call));
    Swap swap = {
        .call = &call,
        .pool = (PoolState *)accounts[POOL].data,
        .base_input = exact_input,
    };
    u64 first = load_u64(call.data + 8), second = load_u64(call.data + 16);
    return exact_input ? swap_base_input(&swap, first, second)
                       : swap_base_output(&swap, first, second);
}
