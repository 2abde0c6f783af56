/* Accounts, instructions and errors of Raydium CLMM, as the program on mainnet lays them out.
 * Source: https://github.com/raydium-io/raydium-clmm (states/, error.rs, lib.rs).
 *
 * Account data starts on a multiple of eight. A pool's numbers lie at odd places, those of a tick on
 * their boundaries: it is read with the four bytes before it.
 */
#pragma once

#include "accounts.h"

/* First eight bytes of sha256("account:<Name>"), sha256("global:swap_v2") and
 * sha256("event:SwapEvent"), read as a little-endian number. */
#define POOL_DISCRIMINATOR 0x46dec3d7f5e3edf7ull
#define CONFIG_DISCRIMINATOR 0x6f2bcbcb6821f4daull
#define ARRAY_DISCRIMINATOR 0x2a81f931cd559bc0ull
#define EXTENSION_DISCRIMINATOR 0x998b8061db24963cull
#define OBSERVATION_DISCRIMINATOR 0x84a5098135c5ae7aull
#define SWAP_V2_DISCRIMINATOR 0x621ec91a0bed042bull
#define SWAP_EVENT_DISCRIMINATOR 0xe2710826e8cdc640ull

#define POOL_SEED "pool"
#define TICK_MAX 443636
#define ARRAY_TICKS 60
#define MAP_WORDS 8 /* of 64 tick arrays each; the pool has two such maps, one for each side */
#define EXTENSION_MAPS 14
#define REWARDS 3
#define RATE_ONE 1000000
#define STATUS_SWAP_DISABLED 0x10

/* Pool.fee_on; any other value is as the first. */
enum {
    FEE_ON_INPUT = 0,
    FEE_ON_TOKEN_0 = 1,
    FEE_ON_TOKEN_1 = 2,
};

/* A 128-bit number in account data, which is aligned to eight bytes at most. */
typedef struct {
    u64 low;
    u64 high;
} Wide;

INLINE u128 wide_read(const Wide *wide) {
    return (u128)wide->high << 64 | wide->low;
}

INLINE void wide_write(Wide *wide, u128 value) {
    wide->low = (u64)value;
    wide->high = (u64)(value >> 64);
}

/* How the fee rises as the price moves, in groups of `tick_spacing` ticks. Times are in seconds. */
typedef struct PACKED {
    u16 filter_period;
    u16 decay_period;
    u16 reduction; /* in 10^-4 */
    u32 control;   /* in 10^-5 */
    u32 accumulator_max;
    i32 group_reference;
    u32 reference;
    u32 accumulator;
    u64 last_update;
    u8 unused[46];
} DynamicFee;

typedef struct PACKED {
    u8 state[57];
    Pubkey mint; /* all zeros where there is no reward */
    u8 rest[80];
} Reward;

/* 64 tick arrays of a bitmap; a word of its own, as its place in a pool may be any. */
typedef struct PACKED {
    u64 bits;
} Word;

/* Arrays of two are token 0, token 1. Roots of prices are of token 1 per token 0 in base units,
 * Q64.64; fee growth is per unit of liquidity, Q64.64, and wraps. */
typedef struct PACKED {
    u64 discriminator;
    u8 bump;
    Pubkey config;
    Pubkey owner;
    Pubkey mint[2];
    Pubkey vault[2];
    Pubkey observation;
    u8 decimals[2];
    u16 tick_spacing;
    u128 liquidity; /* in range */
    u128 sqrt_price;
    i32 tick; /* having fallen to a tick, the price counts as in the one below */
    u8 unused_1[4];
    u128 fee_growth[2];
    u64 protocol_fees[2]; /* in the vaults, owed */
    u8 unused_2[64];
    u8 status;
    u8 fee_on;
    u8 unused_3[6];
    Reward rewards[REWARDS];
    Word bitmap[2 * MAP_WORDS]; /* tick arrays with ticks, from array -512 up */
    u8 unused_4[32];
    u64 fund_fees[2];
    u64 open_time; /* Unix seconds */
    u64 recent_epoch;
    DynamicFee dynamic; /* all zeros where the fee does not rise */
    u8 unused_5[368];
} Pool;

/* Rates are millionths; those of protocol and fund are shares of the trade fee. */
typedef struct PACKED {
    u64 discriminator;
    u8 bump;
    u16 index;
    Pubkey owner;
    u32 protocol_rate;
    u32 trade_rate;
    u16 tick_spacing;
    u32 fund_rate;
    u8 unused[60];
} Config;

typedef struct {
    u8 before[4]; /* the array's own or the end of the tick before */
    i32 number;
    Wide liquidity_net; /* signed: begins here as the price rises */
    Wide liquidity_gross;
    Wide fee_growth_outside[2];
    Wide reward_growth_outside[REWARDS];
    u64 order_phase;
    u64 orders; /* what limit orders sell here, of the token the price moves out of */
    u64 orders_partly_filled; /* the rest of those that came first */
    Wide unfilled_ratio; /* of these, Q64.64 */
    u8 unused[8];
} Tick;

typedef struct {
    u64 discriminator;
    Pubkey pool;
    union {
        i32 start;
        Tick ticks[ARRAY_TICKS];
    };
    u8 unused_1[4];
    u8 initialized_count;
    u8 recent_epoch[8];
    u8 unused_2[107];
} TickArray;

/* Tick arrays beyond the pool's own bitmap; below price one the nearest map comes first. */
typedef struct {
    u64 discriminator;
    Pubkey pool;
    Word above[EXTENSION_MAPS * MAP_WORDS];
    Word below[EXTENSION_MAPS * MAP_WORDS];
} Extension;

_Static_assert(sizeof(DynamicFee) == 80, "the program's layout");
_Static_assert(sizeof(Reward) == 169, "the program's layout");
_Static_assert(sizeof(Pool) == 1544, "the program's layout");
_Static_assert(sizeof(Config) == 117, "the program's layout");
_Static_assert(sizeof(Tick) == 168, "the program's layout");
_Static_assert(sizeof(TickArray) == 10240, "the program's layout");
_Static_assert(sizeof(Extension) == 1832, "the program's layout");

/* The accounts of a swap, in order; behind them the tick arrays and, where it is needed, the
 * extension. */
enum {
    PAYER,
    CONFIG,
    POOL,
    INPUT_ACCOUNT,
    OUTPUT_ACCOUNT,
    INPUT_VAULT,
    OUTPUT_VAULT,
    OBSERVATION,
    TOKEN_PROGRAMS, /* SPL Token and Token-2022 */
    MEMO = TOKEN_PROGRAMS + 2,
    INPUT_MINT,
    OUTPUT_MINT,
    SWAP_ACCOUNTS,
};
