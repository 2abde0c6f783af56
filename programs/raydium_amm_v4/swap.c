/* Raydium AMM v4, the two swaps: a stand-in that the localnet deploys at the real program's id
 * 675kPX9MHTjS2zt1qfr1NYHuzeLXfQM9H24wFSUt1Mp8, with its accounts, rounding, statistics, log and errors.
 *
 * A call goes: entrypoint → check_accounts → open (status, reserves, direction) → curve → log →
 * limits → two transfers → statistics. It is the program of June 2026; the one after it, of July
 * 2026, trades alike and no longer keeps the statistics.
 *
 * Left out: pools that trade with an order book (status 1 and 5), which are refused as not open, and
 * every other instruction. Pools are not made here: the localnet starts with them.
 */
#include "checks.h"
#include "curve.h"
#include "ray_log.h"
#include "sysvars.h"

#define ACCOUNTS_MAX 32
#define DIRECTION_OF_TOKEN_0 2

typedef struct {
    const Call *call;
    AmmInfo *amm;
    bool exact_input;
    u64 argument[2]; /* paid and least received, or most paid and received */
    u64 epoch;
    int input; /* which token is paid: 0 or 1 */
    u64 reserves[2];
} Swap;

INLINE const TokenAccount *token_of(const Account *account) {
    return (const TokenAccount *)account->data;
}

/* A pool that waits begins to trade at its time. */
NOINLINE u64 check_open(Swap *swap) {
    AmmInfo *amm = swap->amm;
    Clock clock;
    TRY(clock_read(&clock));
    swap->epoch = clock.epoch;
    bool waited = amm->status == STATUS_WAITING_TRADE &&
                  (u64)clock.unix_timestamp >= amm->pool_open_time;
    REQUIRE(waited || amm->status == STATUS_SWAP_ONLY, ERROR_INVALID_STATUS);
    amm->status = STATUS_SWAP_ONLY;
    return OK;
}

INLINE u64 find_reserves(Swap *swap) {
    for (int token = 0; token < 2; token++) {
        u64 held = token_of(&swap->call->accounts[VAULT + token])->amount;
        u64 owed = swap->amm->need_take_pnl[token];
        REQUIRE(owed <= held, ERROR_CHECKED_SUB_OVERFLOW);
        swap->reserves[token] = held - owed;
    }
    return OK;
}

INLINE u64 find_direction(Swap *swap) {
    const Account *accounts = swap->call->accounts;
    for (int input = 0; input < 2; input++) {
        if (pubkey_equal(&token_of(&accounts[SOURCE])->mint,
                         &token_of(&accounts[VAULT + input])->mint) &&
            pubkey_equal(&token_of(&accounts[DESTINATION])->mint,
                         &token_of(&accounts[VAULT + 1 - input])->mint)) {
            swap->input = input;
            return OK;
        }
    }
    return ERROR_INVALID_USER_TOKEN;
}

INLINE void report(const Swap *swap, u64 result) {
    SwapLog log = {
        .type = swap->exact_input ? LOG_SWAP_BASE_IN : LOG_SWAP_BASE_OUT,
        .argument = {swap->argument[0], swap->argument[1]},
        .direction = (u64)(DIRECTION_OF_TOKEN_0 - swap->input),
        .source_amount = token_of(&swap->call->accounts[SOURCE])->amount,
        .reserves = {swap->reserves[0], swap->reserves[1]},
        .result = result,
    };
    log_swap(&log);
}

/* The trade within the trader's balance and limit. */
NOINLINE u64 price_exact_input(const Swap *swap, const Reserves *reserves, Trade *trade) {
    u64 amount = swap->argument[0];
    if (token_of(&swap->call->accounts[SOURCE])->amount < amount) {
        report(swap, 0);
        return ERROR_INSUFFICIENT_FUNDS;
    }
    REQUIRE(trade_exact_input(amount, reserves, &swap->amm->swap_fee, trade), panic());
    report(swap, trade->received);
    REQUIRE(trade->received >= swap->argument[1], ERROR_EXCEEDED_SLIPPAGE);
    return OK;
}

NOINLINE u64 price_exact_output(const Swap *swap, const Reserves *reserves, Trade *trade) {
    u64 amount = swap->argument[1];
    REQUIRE(trade_exact_output(amount, reserves, &swap->amm->swap_fee, trade), panic());
    report(swap, trade->paid);
    REQUIRE(token_of(&swap->call->accounts[SOURCE])->amount >= trade->paid, ERROR_INSUFFICIENT_FUNDS);
    REQUIRE(trade->paid <= swap->argument[0], ERROR_EXCEEDED_SLIPPAGE);
    return OK;
}

NOINLINE u64 pay_in(const Swap *swap, u64 amount) {
    const Account *accounts = swap->call->accounts;
    Transfer transfer = {
        .token_program = &accounts[TOKENS],
        .from = &accounts[SOURCE],
        .to = &accounts[VAULT + swap->input],
        .authority = &accounts[OWNER],
        .amount = amount,
    };
    return token_transfer(swap->call, &transfer);
}

NOINLINE u64 pay_out(const Swap *swap, u64 amount) {
    const Account *accounts = swap->call->accounts;
    u8 bump = (u8)swap->amm->nonce;
    Seed seeds[2] = {{(const u8 *)AUTHORITY_SEED, sizeof(AUTHORITY_SEED) - 1}, {&bump, 1}};
    SignerSeeds signer = {seeds, 2};
    Transfer transfer = {
        .token_program = &accounts[TOKENS],
        .from = &accounts[VAULT + 1 - swap->input],
        .to = &accounts[DESTINATION],
        .authority = &accounts[AUTHORITY],
        .signer = &signer,
        .amount = amount,
    };
    return token_transfer(swap->call, &transfer);
}

INLINE bool add_to(Wide *total, u64 amount) {
    u64 carry = !add_u64(total->low, amount, &total->low);
    return add_u64(total->high, carry, &total->high);
}

INLINE u64 count(const Swap *swap, const Trade *trade) {
    Totals *totals = &swap->amm->totals[swap->input];
    u64 *fees = &swap->amm->totals[1 - swap->input].opposite_fee;
    bool fits = add_to(&totals->paid, trade->paid) && add_to(&totals->received, trade->received) &&
                add_u64(*fees, trade->fee, fees);
    REQUIRE(fits, panic());
    swap->amm->recent_epoch = swap->epoch;
    return OK;
}

NOINLINE u64 execute(Swap *swap) {
    Trade trade;
    TRY(check_open(swap));
    TRY(find_reserves(swap));
    TRY(find_direction(swap));
    Reserves reserves = {swap->reserves[swap->input], swap->reserves[1 - swap->input]};
    TRY(swap->exact_input ? price_exact_input(swap, &reserves, &trade)
                          : price_exact_output(swap, &reserves, &trade));
    REQUIRE(trade.paid && trade.received, ERROR_INVALID_INPUT);
    REQUIRE(trade.received < reserves.output, ERROR_INSUFFICIENT_FUNDS);
    TRY(pay_in(swap, trade.paid));
    TRY(pay_out(swap, trade.received));
    return count(swap, &trade);
}

/* Target orders, where given, are dropped: nobody reads them. */
INLINE u64 drop_target_orders(Call *call) {
    bool given = call->account_count == SWAP_ACCOUNTS + 1;
    REQUIRE(given || call->account_count == SWAP_ACCOUNTS, ERROR_WRONG_ACCOUNTS_NUMBER);
    for (int i = OPEN_ORDERS + 1; given && i < SWAP_ACCOUNTS; i++) {
        call->accounts[i] = call->accounts[i + 1];
    }
    call->account_count = SWAP_ACCOUNTS;
    return OK;
}

u64 entrypoint(const u8 *input) {
    Account accounts[ACCOUNTS_MAX];
    Call call;
    TRY(call_read(input, &call, accounts, ACCOUNTS_MAX));
    REQUIRE(call.data_length >= SWAP_BYTES, ERROR_INVALID_INSTRUCTION_DATA);
    bool exact_input = call.data[0] == SWAP_BASE_IN;
    REQUIRE(exact_input || call.data[0] == SWAP_BASE_OUT, ERROR_INVALID_INSTRUCTION_DATA);
    TRY(drop_target_orders(&call));
    TRY(check_accounts(&call));
    Swap swap = {
        .call = &call,
        .amm = (AmmInfo *)accounts[AMM].data,
        .exact_input = exact_input,
        .argument = {load_u64(call.data + 1), load_u64(call.data + 9)},
    };
    return execute(&swap);
}
