/* Roots of prices of ticks, Q64.64, and the tick of such a root.
 * Rounding, factors and bounds of the logarithm: https://github.com/raydium-io/raydium-clmm
 * (libraries/tick_math.rs).
 */
#pragma once

#include "divide.h"
#include "layout.h"
#include "names.h"

#define SQRT_PRICE_MIN ((u128)4295048016ull)
#define SQRT_PRICE_MAX ((u128)0xfffec4b1ull << 64 | 0x845c1aa94e69579bull)
#define FACTORS 19
#define LOG_BITS 16                              /* of the fraction; enough to be one tick off */
#define TICKS_PER_DOUBLING 59543866431248ull     /* 1 / log2(sqrt(1.0001)), 32 bits of fraction */
#define LOG_TOO_HIGH 184467440737095516ull       /* 0.01 ticks */
#define LOG_TOO_LOW 15793534762490258745ull      /* 0.856 ticks */

/* 2^64 / 1.0001^(2^(i - 1)) */
static const u64 FACTOR[FACTORS] = {
    0xfffcb933bd6fb800, 0xfff97272373d4000, 0xfff2e50f5f657000, 0xffe5caca7e10f000,
    0xffcb9843d60f7000, 0xff973b41fa98e800, 0xff2ea16466c9b000, 0xfe5dee046a9a3800,
    0xfcbe86c7900bb000, 0xf987a7253ac65800, 0xf3392b0822bb6000, 0xe7159475a2caf000,
    0xd097f3bdfd2f2000, 0xa9f746462d9f8000, 0x70d869a156f31c00, 0x31be135f97ed3200,
    0x09aa508b5b85a500, 0x005d6af8dedc582c, 0x00002216e584f5fa,
};

/* Bits up to the highest that is set. */
INLINE u32 bit_length(u64 value) {
    u32 bits = 0;
    for (u32 half = 32; half; half /= 2) {
        if (value >> half) {
            value >>= half;
            bits += half;
        }
    }
    return bits + (u32)value;
}

/* a * b, of which the upper half alone would be a library call. */
NOINLINE void multiply(u64 a, u64 b, u128 *product) {
    *product = multiply_u64(a, b);
}

/* *price = 1.0001^(tick / 2); a tick is within TICK_MAX of zero. */
NOINLINE void sqrt_price_at(i32 tick, u128 *price) {
    u64 ratio = 0; /* below one, but for the start: zero stands for it */
    u64 rest = (u64)(tick < 0 ? -(i64)tick : tick);
    for (u32 i = 0; rest; i++, rest >>= 1) {
        if (rest & 1) {
            u128 product = (u128)FACTOR[i] << 64;
            if (ratio) {
                multiply(ratio, FACTOR[i], &product);
            }
            ratio = high_half(product);
        }
    }
    *price = ratio ? ratio : (u128)1 << 64;
    if (tick > 0) {
        const u256 all = {{U64_MAX, U64_MAX, 0, 0}};
        u256 divisor = widen(ratio), result;
        divide_rounded(&all, &divisor, false, &result);
        *price = narrow(&result);
    }
}

/* The logarithm of a root of a price to the base of two, 32 bits of fraction, rounded down. */
INLINE i64 log_of(u128 price) {
    u64 high = high_half(price), low = low_half(price);
    i64 whole = (i64)(high ? 64 + bit_length(high) : bit_length(low)) - 1;
    u32 over = (u32)(whole > 63 ? whole - 63 : 63 - whole);
    u64 mantissa = whole > 63 ? high << (64 - over) | low >> over : low << over;
    u64 fraction = 0;
    for (u32 i = 0; i < LOG_BITS; i++) {
        u128 square = multiply_u64(mantissa, mantissa);
        u64 two = high_half(square) >> 63;
        mantissa = two ? high_half(square) : high_half(square) << 1 | low_half(square) >> 63;
        fraction |= two << (31 - i);
    }
    return (i64)((u64)(whole - 64) << 32 | fraction);
}

/* *tick = the highest whose price is not above this one. */
NOINLINE u64 tick_at(const u128 *price, i32 *tick) {
    REQUIRE(*price >= SQRT_PRICE_MIN && *price < SQRT_PRICE_MAX, SqrtPriceX64);
    i64 log = log_of(*price);
    u128 ticks = multiply_u64((u64)(log < 0 ? -log : log), TICKS_PER_DOUBLING);
    ticks = log < 0 ? -ticks : ticks;
    i32 low = (i32)high_half(ticks - LOG_TOO_HIGH), high = (i32)high_half(ticks + LOG_TOO_LOW);
    u128 above;
    *tick = low;
    if (low != high) {
        sqrt_price_at(high, &above);
        *tick = above <= *price ? high : low;
    }
    return OK;
}
