/* Accounts, instructions and errors of Raydium CPMM, as the program on mainnet lays them out.
 * Source: https://github.com/raydium-io/raydium-cp-swap (states/, error.rs, lib.rs), Anchor 0.32.
 */
#pragma once

#include "accounts.h"
#include "types.h"

/* First eight bytes of sha256("account:<Name>"), sha256("global:<name>"), sha256("event:<Name>"),
 * read as a little-endian number. */
#define POOL_STATE_DISCRIMINATOR 0x46dec3d7f5e3edf7ull
#define AMM_CONFIG_DISCRIMINATOR 0x6f2bcbcb6821f4daull
#define OBSERVATION_STATE_DISCRIMINATOR 0x84a5098135c5ae7aull
#define SWAP_BASE_INPUT_DISCRIMINATOR 0xde331ec4da5abe8full
#define SWAP_BASE_OUTPUT_DISCRIMINATOR 0xadb44aa35662d937ull
#define SWAP_EVENT_DISCRIMINATOR 0xe2710826e8cdc640ull

#define AUTHORITY_SEED "vault_and_lp_mint_auth_seed"

enum {
    ERROR_NOT_APPROVED = 6000,
    ERROR_EXCEEDED_SLIPPAGE = 6005,
    ERROR_ZERO_TRADING_TOKENS = 6006,
    ERROR_INVALID_VAULT = 6008,
    ERROR_MATH_OVERFLOW = 6011,
    ERROR_INSUFFICIENT_VAULT = 6012,
    ERROR_INVALID_FEE_MODEL = 6013,
};

/* Set in PoolState.status when swaps are switched off. */
#define STATUS_SWAP_DISABLED 0x04

/* PoolState.creator_fee_on */
enum {
    CREATOR_FEE_ON_INPUT = 0, /* whichever token comes in */
    CREATOR_FEE_ON_TOKEN_0 = 1,
    CREATOR_FEE_ON_TOKEN_1 = 2,
};

typedef struct PACKED {
    u64 discriminator;
    Pubkey amm_config;
    Pubkey pool_creator;
    Pubkey vault[2];
    Pubkey lp_mint;
    Pubkey mint[2];
    Pubkey token_program[2];
    Pubkey observation;
    u8 authority_bump;
    u8 status;
    u8 lp_mint_decimals;
    u8 mint_decimals[2];
    u64 lp_supply;
    u64 protocol_fees[2]; /* in the vaults, owed, no part of the reserves */
    u64 fund_fees[2];
    u64 open_time; /* Unix seconds */
    u64 recent_epoch;
    u8 creator_fee_on;
    bool enable_creator_fee;
    u8 padding[6];
    u64 creator_fees[2];
    u64 reserved[28];
} PoolState;

_Static_assert(sizeof(PoolState) == 637, "length of a pool account");

/* Rates are millionths; those of protocol and fund are shares of the trade fee. */
typedef struct PACKED {
    u64 discriminator;
    u8 bump;
    bool disable_create_pool;
    u16 index;
    u64 trade_fee_rate;
    u64 protocol_fee_rate;
    u64 fund_fee_rate;
    u64 create_pool_fee;
    Pubkey protocol_owner;
    Pubkey fund_owner;
    u64 creator_fee_rate;
    u64 reserved[15];
} AmmConfig;

_Static_assert(sizeof(AmmConfig) == 236, "length of a config account");

#define OBSERVATION_COUNT 100

typedef struct PACKED {
    u64 block_timestamp;
    u128 cumulative_price_x32[2]; /* price in the other token times seconds, 32 bits of fraction */
} Observation;

typedef struct PACKED {
    u64 discriminator;
    bool initialized;
    u16 index;
    Pubkey pool;
    Observation observations[OBSERVATION_COUNT];
    u64 last_update_timestamp;
    u64 reserved[3];
} ObservationState;

_Static_assert(sizeof(ObservationState) == 4075, "length of an observation account");

typedef struct PACKED {
    u64 discriminator;
    Pubkey pool;
    u64 input_vault_before;
    u64 output_vault_before;
    u64 input_amount;
    u64 output_amount;
    u64 input_transfer_fee;
    u64 output_transfer_fee;
    bool base_input;
    Pubkey input_mint;
    Pubkey output_mint;
    u64 trade_fee;
    u64 creator_fee;
    bool creator_fee_on_input;
} SwapEvent;

/* The accounts of both swaps, in order. */
enum {
    PAYER,
    AUTHORITY,
    AMM_CONFIG,
    POOL,
    INPUT_ACCOUNT,
    OUTPUT_ACCOUNT,
    INPUT_VAULT,
    OUTPUT_VAULT,
    INPUT_TOKEN_PROGRAM,
    OUTPUT_TOKEN_PROGRAM,
    INPUT_MINT,
    OUTPUT_MINT,
    OBSERVATION,
    SWAP_ACCOUNTS,
};
