/* The fee: a base that may fall by a schedule, and a part that rises with the distance the price
 * has moved. Rates are in 10^-9, fees round up.
 * Source: https://github.com/MeteoraAg/damm-v2 (state/fee.rs, base_fee/fee_time_scheduler.rs).
 *
 * Base fees by the rate limiter and by market capitalization are refused.
 */
#pragma once

#include "divide.h"
#include "layout.h"

#define FEE_ONE 1000000000ull
#define FEE_MAX_V0 500000000ull
#define FEE_MAX_V1 990000000ull
#define BASIS_POINTS 10000
#define PERCENT 100
#define VARIABLE_FEE_SCALE 100000000000ull
#define ONE_X64 ((u128)1 << 64)

/* A fee, divided between its owners. */
typedef struct {
    u64 lp;
    u64 protocol;
} Shares;

/* *result = a * b / divisor, rounded up if asked. */
NOINLINE u64 share(u64 a, u64 b, u64 divisor, bool up, u64 *result) {
    u256 product = widen(multiply_u64(a, b)), by = widen(divisor), wide;
    REQUIRE(divide_rounded(&product, &by, up, &wide), ERROR_MATH_OVERFLOW);
    REQUIRE(!wide.limb[1] && fits_u128(&wide), ERROR_TYPE_CAST_FAILED);
    *result = wide.limb[0];
    return OK;
}

/* a * b as a fraction of 2^64, rounded down. */
NOINLINE u64 multiply_x64(u64 a, u64 b) {
    u256 product = widen(multiply_u64(a, b));
    u128 result;
    shift_right_u256(&product, 64, &result);
    return low_half(result);
}

/* *rate = cliff * (1 - reduction)^periods, by squaring; rounded down at each step. */
NOINLINE u64 exponential_rate(u64 cliff, u64 reduction, u64 periods, u64 *rate) {
    REQUIRE(reduction <= BASIS_POINTS, ERROR_MATH_OVERFLOW);
    if (!reduction || !periods) {
        *rate = cliff;
        return OK;
    }
    u256 scaled = {{0, reduction, 0, 0}}, divisor = widen(BASIS_POINTS), cut;
    bool is_rest;
    divide_wide(&scaled, &divisor, &cut, &is_rest);
    u64 base = low_half(ONE_X64 - narrow(&cut));
    u64 result = base; /* ends as base^periods, which stays below one */
    bool started = false;
    for (; periods; periods >>= 1) {
        if (periods & 1) {
            result = started ? multiply_x64(result, base) : base;
            started = true;
        }
        base = multiply_x64(base, base);
    }
    REQUIRE(result, ERROR_MATH_OVERFLOW);
    *rate = multiply_x64(result, cliff);
    return OK;
}

INLINE u64 linear_rate(u64 cliff, u64 reduction, u64 periods, u64 *rate) {
    u64 cut;
    REQUIRE(to_u64(multiply_u64(reduction, periods), &cut) && cut <= cliff, ERROR_MATH_OVERFLOW);
    *rate = cliff - cut;
    return OK;
}

/* *rate = the base fee at a point of time, in the pool's own measure of it. */
NOINLINE u64 base_rate(const Fees *fees, u64 point, u64 activation_point, u64 *rate) {
    REQUIRE(fees->mode <= SCHEDULER_EXPONENTIAL, ERROR_INVALID_BASE_FEE_MODE);
    if (!fees->period_length) {
        *rate = fees->cliff;
        return OK;
    }
    u64 periods = fees->period_count; /* before activation: a vault buys at the least fee */
    if (point >= activation_point) {
        u64 passed = (point - activation_point) / fees->period_length;
        periods = passed < periods ? passed : periods;
    }
    return fees->mode == SCHEDULER_LINEAR
               ? linear_rate(fees->cliff, fees->reduction, periods, rate)
               : exponential_rate(fees->cliff, fees->reduction, periods, rate);
}

/* *rate = control * (accumulator * step)^2 / 10^11, rounded up. */
NOINLINE u64 variable_rate(const DynamicFee *dynamic, u128 *rate) {
    *rate = 0;
    if (!dynamic->is_enabled) {
        return OK;
    }
    u128 moved = wide_read(&dynamic->accumulator), step = dynamic->bin_step, remainder;
    u128 control = dynamic->variable_fee_control, scale = VARIABLE_FEE_SCALE;
    REQUIRE(multiply_checked(&moved, &step, &moved), ERROR_MATH_OVERFLOW);
    REQUIRE(multiply_checked(&moved, &moved, &moved), ERROR_TYPE_CAST_FAILED);
    REQUIRE(multiply_checked(&moved, &control, &moved), ERROR_MATH_OVERFLOW);
    REQUIRE(moved <= U128_MAX - (scale - 1), ERROR_MATH_OVERFLOW);
    divide_u128(moved + (scale - 1), scale, rate, &remainder);
    return OK;
}

INLINE u64 rate_max(const Pool *pool, u64 *rate) {
    REQUIRE(pool->fee_version <= 1, ERROR_INVALID_POOL_VERSION);
    *rate = pool->fee_version ? FEE_MAX_V1 : FEE_MAX_V0;
    return OK;
}

/* *rate = what a swap pays now, at most `most`. */
NOINLINE u64 fee_rate(const Pool *pool, u64 point, u64 most, u64 *rate) {
    u64 base;
    u128 variable;
    TRY(base_rate(&pool->fees, point, pool->activation_point, &base));
    TRY(variable_rate(&pool->fees.dynamic, &variable));
    REQUIRE(variable <= U64_MAX - base, ERROR_TYPE_CAST_FAILED);
    *rate = low_half(variable) + base < most ? low_half(variable) + base : most;
    return OK;
}

/* *fee = what is taken out of an amount, *rest = what remains of it. */
INLINE u64 fee_within(u64 amount, u64 rate, u64 *fee, u64 *rest) {
    TRY(share(amount, rate, FEE_ONE, true, fee));
    *rest = amount - *fee; /* a rate is below one */
    return OK;
}

/* *sum = the least amount of which `amount` remains, *fee = what is taken out of it. */
INLINE u64 fee_on_top(u64 amount, u64 rate, u64 *fee, u64 *sum) {
    TRY(share(amount, FEE_ONE, FEE_ONE - rate, true, sum));
    *fee = *sum - amount;
    return OK;
}

/* Divide a fee; without a referral the protocol keeps its whole part, at most all. */
NOINLINE u64 divide_fee(const Fees *fees, u64 fee, Shares *shares) {
    TRY(share(fee, fees->protocol_percent, PERCENT, false, &shares->protocol));
    shares->lp = fee - shares->protocol;
    return OK;
}

/* *bins = the distance between two prices in steps, both ways of a step counted. */
NOINLINE u64 bins_between(const DynamicFee *dynamic, const u128 *one, const u128 *other,
                          u128 *bins) {
    u128 upper = *one > *other ? *one : *other, lower = *one > *other ? *other : *one;
    u256 shifted = {{0, low_half(upper), high_half(upper), 0}}, divisor = widen(lower);
    u256 ratio, step = widen(wide_read(&dynamic->bin_step_x64)), steps;
    REQUIRE(divide_rounded(&shifted, &divisor, false, &ratio) && fits_u128(&ratio),
            ERROR_MATH_OVERFLOW);
    ratio.limb[1] -= 1; /* the ratio is one or more */
    REQUIRE(divide_rounded(&ratio, &step, false, &steps), ERROR_MATH_OVERFLOW);
    REQUIRE(!(steps.limb[1] >> 63), ERROR_MATH_OVERFLOW);
    *bins = narrow(&steps) << 1;
    return OK;
}

/* Before a swap: once the filter period has passed since the price last moved, distances are
 * measured from here, and earlier volatility counts in part, later not at all. */
NOINLINE u64 dynamic_before(DynamicFee *dynamic, const Wide *price, u64 now) {
    u64 elapsed = now > dynamic->last_update ? now - dynamic->last_update : 0;
    if (!dynamic->is_enabled || elapsed < dynamic->filter_period) {
        return OK;
    }
    dynamic->sqrt_price_reference = *price;
    u128 reference = 0;
    if (elapsed < dynamic->decay_period) {
        u128 remainder, factor = dynamic->reduction_factor;
        reference = wide_read(&dynamic->accumulator);
        REQUIRE(multiply_checked(&reference, &factor, &reference), ERROR_MATH_OVERFLOW);
        divide_u128(reference, BASIS_POINTS, &reference, &remainder);
    }
    wide_write(&dynamic->reference, reference);
    return OK;
}

/* After a swap: the accumulator grows with the distance from the reference. */
NOINLINE u64 dynamic_after(DynamicFee *dynamic, const u128 *old, const u128 *price, u64 now) {
    if (!dynamic->is_enabled) {
        return OK;
    }
    u128 moved, scale = BASIS_POINTS, origin = wide_read(&dynamic->sqrt_price_reference);
    TRY(bins_between(dynamic, price, &origin, &moved));
    REQUIRE(multiply_checked(&moved, &scale, &moved), ERROR_MATH_OVERFLOW);
    u128 sum = wide_read(&dynamic->reference) + moved;
    REQUIRE(sum >= moved, ERROR_MATH_OVERFLOW);
    wide_write(&dynamic->accumulator,
               sum < dynamic->accumulator_max ? sum : dynamic->accumulator_max);
    TRY(bins_between(dynamic, old, price, &moved));
    if (moved) {
        dynamic->last_update = now;
    }
    return OK;
}
