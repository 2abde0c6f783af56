/* Accounts, instructions and errors of Meteora DAMM v2, as the program on mainnet lays them out.
 * Source: https://github.com/MeteoraAg/damm-v2 (cp_amm 0.2.1: state/, error.rs, event.rs).
 *
 * All fields lie on their natural boundaries and account data starts on a multiple of eight, so
 * the structs are read in place.
 */
#pragma once

#include "accounts.h"

/* First eight bytes of sha256("account:Pool"), sha256("global:swap"), sha256("global:swap2") and
 * sha256("event:EvtSwap2"), and Anchor's tag of an event sent as a call, as little-endian numbers.
 */
#define POOL_DISCRIMINATOR 0xbc6db111046d9af1ull
#define SWAP_DISCRIMINATOR 0xc88775e1919ec6f8ull
#define SWAP2_DISCRIMINATOR 0x885b5beb4c3f4b41ull
#define SWAP_EVENT_DISCRIMINATOR 0x99755026a83342bdull
#define EVENT_TAG 0x1d9acb512ea545e4ull

#define POOL_AUTHORITY_SEED "pool_authority"
#define POOL_AUTHORITY_BUMP 254
#define EVENT_AUTHORITY_SEED "__event_authority"
#define EVENT_AUTHORITY_BUMP 255

/* HLnpSz9h2S4hiLQ43rnSD9XkcUThA7B8hQMKmDaiTLcC */
static const Pubkey POOL_AUTHORITY = {{
    0xf2, 0xcc, 0xd5, 0x35, 0xac, 0xa5, 0xf1, 0x73, 0x6a, 0xc8, 0x22, 0xdd, 0x07, 0x73, 0xe4, 0xd9,
    0x2f, 0xbd, 0x8a, 0x59, 0xb2, 0x94, 0x03, 0x50, 0x02, 0x95, 0xa9, 0x01, 0x1c, 0x73, 0xa9, 0xe5,
}};

/* 3rmHSu74h1ZcmAisVcWerTCiRDQbUrBKmcwptYGjHfet */
static const Pubkey EVENT_AUTHORITY = {{
    0x2a, 0x76, 0xe7, 0xb3, 0x44, 0x64, 0x0a, 0x1c, 0xfc, 0x59, 0x4c, 0x8b, 0xca, 0xd0, 0xa0, 0x91,
    0x01, 0x1c, 0xac, 0x7d, 0xd1, 0x56, 0xbf, 0x83, 0xa8, 0x33, 0xfb, 0x22, 0x08, 0xeb, 0x77, 0xad,
}};

enum {
    ERROR_MATH_OVERFLOW = 6000,
    ERROR_EXCEEDED_SLIPPAGE = 6002,
    ERROR_POOL_DISABLED = 6003,
    ERROR_AMOUNT_IS_ZERO = 6006,
    ERROR_TYPE_CAST_FAILED = 6007,
    ERROR_INVALID_ACTIVATION_TYPE = 6010,
    ERROR_PRICE_RANGE_VIOLATION = 6015,
    ERROR_INVALID_COLLECT_FEE_MODE = 6017,
    ERROR_INVALID_INPUT = 6018,
    ERROR_INVALID_BASE_FEE_MODE = 6047,
    ERROR_UNDETERMINED = 6051,
    ERROR_INVALID_POOL_VERSION = 6052,
    ERROR_INVALID_COMPOUNDING_FEE_BPS = 6067,
};

/* Where the real program panics; never leaves this program as a number. */
#define PANIC U64_MAX

enum {
    ACTIVATION_SLOT = 0,
    ACTIVATION_TIMESTAMP = 1,
    STATUS_ENABLED = 0,
    FEE_IN_OUTPUT = 0, /* Pool.collect_fee_mode: "both tokens" */
    FEE_IN_B = 1,
    FEE_COMPOUNDING = 2,
    SCHEDULER_LINEAR = 0, /* Pool.fees.mode */
    SCHEDULER_EXPONENTIAL = 1,
    LAYOUT_WITHOUT_AMOUNTS = 0,
    LAYOUT_WITH_AMOUNTS = 1,
};

/* The modes of swap2. */
enum {
    EXACT_IN = 0,
    PARTIAL_FILL = 1,
    EXACT_OUT = 2,
};

/* A 128-bit number in account data, which is aligned to eight bytes only. */
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

/* The fee rises with the distance the price has moved. Rates are in 10^-9, times in seconds,
 * factors in basis points. */
typedef struct {
    u8 is_enabled;
    u8 unused[7];
    u32 accumulator_max;
    u32 variable_fee_control;
    u16 bin_step;
    u16 filter_period;
    u16 decay_period;
    u16 reduction_factor;
    u64 last_update;
    Wide bin_step_x64;
    Wide sqrt_price_reference;
    Wide accumulator;
    Wide reference;
} DynamicFee;

/* The base fee falls from `cliff` by the period. Other modes put other numbers here. */
typedef struct {
    u64 cliff; /* 10^-9 */
    u8 mode;
    u8 unused_1[5];
    u16 period_count;
    u64 period_length; /* in points: slots or seconds */
    u64 reduction;     /* a period: 10^-9 if linear, basis points if exponential */
    u64 unused_2;
    u8 protocol_percent; /* of the fee */
    u8 unused_3;
    u8 referral_percent; /* of the protocol's part */
    u8 unused_4[3];
    u16 compounding_bps;
    DynamicFee dynamic;
    Wide initial_sqrt_price;
} Fees;

typedef struct {
    Wide lp_fee[2];
    u64 protocol_fee[2];
    u64 unused_1[2];
    u64 positions;
    u64 unused_2;
} Metrics;

/* Arrays of two are token A, token B. Square roots of prices are B per A in base units, Q64.64. */
typedef struct {
    u64 discriminator;
    Fees fees;
    Pubkey mint[2];
    Pubkey vault[2];
    Pubkey whitelisted_vault;
    u8 unused_1[32];
    Wide liquidity; /* Q64.64 */
    Wide unused_2;
    u64 protocol_fee[2]; /* in the vaults, owed */
    Wide unused_3;
    Wide sqrt_min_price;
    Wide sqrt_max_price;
    Wide sqrt_price;
    u64 activation_point;
    u8 activation_type;
    u8 status;
    u8 token_flag[2]; /* 1: Token-2022 */
    u8 collect_fee_mode;
    u8 type;
    u8 fee_version;
    u8 unused_4;
    u64 fee_per_liquidity[2][4]; /* Q128.128 */
    Wide permanent_lock_liquidity;
    Metrics metrics;
    Pubkey creator;
    u64 amount[2]; /* the curve's, without fees */
    u8 layout_version;
    u8 unused_5[7];
    u64 unused_6[3];
    u8 rewards[2][192];
} Pool;

_Static_assert(sizeof(DynamicFee) == 96, "the program's layout");
_Static_assert(sizeof(Fees) == 160, "the program's layout");
_Static_assert(sizeof(Metrics) == 80, "the program's layout");
_Static_assert(sizeof(Pool) == 1112, "the program's layout");

/* The accounts of both instructions, in order. */
enum {
    AUTHORITY,
    POOL,
    INPUT_ACCOUNT,
    OUTPUT_ACCOUNT,
    VAULT_A,
    VAULT_B,
    MINT_A,
    MINT_B,
    PAYER,
    PROGRAM_A,
    PROGRAM_B,
    REFERRAL, /* the program itself when there is none */
    EVENTS,
    PROGRAM,
    SWAP_ACCOUNTS,
};
