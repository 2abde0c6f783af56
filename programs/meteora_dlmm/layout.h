/* Accounts of the DLMM program, as they lie in memory behind their discriminators.
 *
 * Layouts: https://github.com/MeteoraAg/dlmm-sdk/blob/main/idls/dlmm.json
 * All fields lie on their natural boundaries and account data starts on a multiple of eight, so
 * the structs are read in place.
 */
#pragma once

#include "accounts.h"

#define BINS_PER_ARRAY 70
#define BITMAP_HALF 512 /* the pair's bitmap covers bin arrays -512 to 511 */
#define BITMAP_WORDS 16

static const u8 PAIR_DISCRIMINATOR[8] = {33, 11, 49, 98, 181, 101, 177, 13};
static const u8 BIN_ARRAY_DISCRIMINATOR[8] = {92, 142, 92, 220, 5, 148, 70, 181};
static const u8 ORACLE_DISCRIMINATOR[8] = {139, 194, 131, 179, 140, 179, 229, 244};

/* A 128-bit number in account data, which is aligned to eight bytes only. */
typedef struct {
    u64 low;
    u64 high;
} Wide;

/* Rates are in 10^-9, times in seconds, shares in basis points. */
typedef struct {
    u16 base_factor;
    u16 filter_period;
    u16 decay_period;
    u16 reduction_factor;
    u32 variable_fee_control;
    u32 max_volatility_accumulator;
    i32 min_bin_id;
    i32 max_bin_id;
    u16 protocol_share;
    u8 base_fee_power;
    u8 function_type;
    u8 collect_fee_mode;
    u8 unused[3];
} FeeParameters;

typedef struct {
    u32 accumulator;
    u32 reference;
    i32 index_reference;
    u8 unused_1[4];
    i64 last_update;
    u8 unused_2[8];
} Volatility;

typedef struct {
    Pubkey mint;
    u8 rest[112];
} Reward;

typedef struct {
    u8 discriminator[8];
    FeeParameters fees;
    Volatility volatility;
    u8 bump;
    u8 bin_step_seed[2];
    u8 pair_type;
    i32 active_id;
    u16 bin_step;
    u8 status;
    u8 has_base_factor_seed;
    u8 base_factor_seed[2];
    u8 activation_type;
    u8 creator_on_off_control;
    Pubkey mint_x;
    Pubkey mint_y;
    Pubkey reserve_x;
    Pubkey reserve_y;
    u64 protocol_fee_x;
    u64 protocol_fee_y;
    u8 unused_1[32];
    Reward rewards[2];
    Pubkey oracle;
    u64 bitmap[BITMAP_WORDS];
    i64 last_updated_at;
    u8 unused_2[32];
    Pubkey pre_activation_swap_address;
    Pubkey base_key;
    u64 activation_point;
    u64 pre_activation_duration;
    u8 unused_3[16];
    Pubkey creator;
    u8 token_2022_x;
    u8 token_2022_y;
    u8 version;
    u8 unused_4[21];
} Pair;

typedef struct {
    u64 amount_x;
    u64 amount_y;
    Wide price;     /* token Y per token X, Q64.64 */
    Wide liquidity; /* worth in token Y, Q64.64 */
    u64 fulfilled_orders_x;
    u64 fulfilled_orders_y;
    u64 order_fee_ask_side;
    u64 order_fee_bid_side;
    Wide fee_x_per_liquidity;
    Wide fee_y_per_liquidity;
    u64 open_orders;
    u64 processing_orders;
    u64 processed_orders_remaining;
    u32 order_age;
    u8 orders_sell_x;
    u8 unused[3];
} Bin;

typedef struct {
    u8 discriminator[8];
    i64 index;
    u8 version;
    u8 unused[7];
    Pubkey pair;
    Bin bins[BINS_PER_ARRAY];
} BinArray;

_Static_assert(sizeof(FeeParameters) == 32, "the program's layout");
_Static_assert(sizeof(Volatility) == 32, "the program's layout");
_Static_assert(sizeof(Reward) == 144, "the program's layout");
_Static_assert(sizeof(Pair) == 904, "the program's layout");
_Static_assert(sizeof(Bin) == 144, "the program's layout");
_Static_assert(sizeof(BinArray) == 10136, "the program's layout");

enum {
    STATUS_ENABLED = 0,
    PAIR_PERMISSIONLESS = 0,
    FUNCTION_UNDETERMINED = 0,
    FUNCTION_LIMIT_ORDER = 2,
    FEE_ALWAYS_IN_Y = 1,
};

/* The program's own errors, by the numbers it gives them. */
enum {
    INVALID_INPUT = 6002,
    EXCEEDED_AMOUNT_SLIPPAGE_TOLERANCE = 6003,
    INVALID_TOKEN_MINT = 6010,
    MATH_OVERFLOW = 6018,
    INVALID_BIN_ARRAY = 6027,
    BITMAP_EXTENSION_NOT_PROVIDED = 6036,
    INSUFFICIENT_OUT_AMOUNT = 6039,
    POOL_DISABLED = 6042,
    INVALID_POOL_TYPE = 6043,
    NOT_SUPPORTED_AT_THE_MOMENT = 6082,
    INSUFFICIENT_IN_AMOUNT = 6104,
};
