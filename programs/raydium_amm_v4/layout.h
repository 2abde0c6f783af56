/* Accounts, instructions and errors of Raydium AMM v4, as the program on mainnet lays them out.
 * Source: https://github.com/raydium-io/raydium-amm (state.rs, error.rs, instruction.rs), June 2026.
 *
 * All fields lie on multiples of eight, as account data does, so the structs are read in place. What
 * the program calls coin and pc are token 0 and token 1 here.
 */
#pragma once

#include "accounts.h"

enum {
    SWAP_BASE_IN = 9,
    SWAP_BASE_OUT = 11,
};

#define SWAP_BYTES 17 /* tag, two amounts */

#define AUTHORITY_SEED "amm authority"

#define ERROR_INVALID_INSTRUCTION_DATA RUNTIME_ERROR(3)

enum {
    ERROR_INVALID_PROGRAM_ADDRESS = 1,
    ERROR_EXPECTED_ACCOUNT = 3,
    ERROR_INVALID_COIN_VAULT = 4,
    ERROR_INVALID_PC_VAULT = 5,
    ERROR_INVALID_SIGN_ACCOUNT = 21,
    ERROR_INVALID_STATUS = 22,
    ERROR_WRONG_ACCOUNTS_NUMBER = 24,
    ERROR_INVALID_AMM_ACCOUNT_OWNER = 27,
    ERROR_INVALID_INPUT = 29,
    ERROR_EXCEEDED_SLIPPAGE = 30,
    ERROR_CHECKED_SUB_OVERFLOW = 32,
    ERROR_INVALID_SPL_TOKEN_PROGRAM = 38,
    ERROR_INSUFFICIENT_FUNDS = 40,
    ERROR_INVALID_USER_TOKEN = 42,
};

/* AmmInfo.status; the states between trade with an order book or not at all. */
enum {
    STATUS_UNINITIALIZED = 0,
    STATUS_SWAP_ONLY = 6,
    STATUS_WAITING_TRADE = 7, /* becomes swap only at the first swap from its time on */
};

typedef struct {
    u64 numerator;
    u64 denominator;
} FeeRate;

/* A 128-bit number in account data, which is aligned to eight bytes only. */
typedef struct {
    u64 low;
    u64 high;
} Wide;

/* What was ever traded one way. Its fee is that of the other way: the program's order. */
typedef struct {
    Wide paid;
    Wide received;
    u64 opposite_fee;
} Totals;

typedef struct {
    u64 status;
    u64 nonce; /* bump of the authority */
    u64 order_num;
    u64 depth;
    u64 decimals[2];
    u64 order_book[10]; /* how the pool would place orders */
    FeeRate min_separate;
    FeeRate trade_fee; /* of its orders */
    FeeRate pnl;
    FeeRate swap_fee;
    u64 need_take_pnl[2]; /* in the vaults, owed, no part of the reserves */
    u64 total_pnl[2];
    u64 pool_open_time; /* Unix seconds */
    u64 reserved[2];
    u64 orderbook_to_init_time;
    Totals totals[2]; /* by the token paid */
    Pubkey vault[2];
    Pubkey mint[2];
    Pubkey lp_mint;
    Pubkey open_orders;
    Pubkey market;
    Pubkey market_program;
    Pubkey target_orders;
    u64 padding[8];
    Pubkey amm_owner;
    u64 lp_amount;
    u64 client_order_id;
    u64 recent_epoch;
    u64 padding2;
} AmmInfo;

_Static_assert(sizeof(AmmInfo) == 752, "length of a pool account");

/* The accounts of both swaps, in order. The target orders may stand after the open orders; then all
 * that follow are one further on. */
enum {
    TOKENS,
    AMM,
    AUTHORITY,
    OPEN_ORDERS,
    VAULT, /* of token 0, then of token 1 */
    ORDER_BOOK = VAULT + 2, /* eight accounts nobody reads without an order book */
    SOURCE = ORDER_BOOK + 8,
    DESTINATION,
    OWNER,
    SWAP_ACCOUNTS,
};
