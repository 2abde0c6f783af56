/* The fee of a swap: a fixed part, and one that rises with the distance the price has moved. */
#pragma once

#include "fixed.h"

#define FEE_ONE 1000000000ull
#define FEE_RATE_MAX (FEE_ONE / 10)
#define VARIABLE_FEE_SCALE 100000000000ull

/* Before a swap: once the filter period has passed since the active bin last moved, distances are
 * measured from the active bin, and earlier volatility counts in part, later not at all. */
INLINE void volatility_refer(Pair *pair, i64 now) {
    Volatility *volatility = &pair->volatility;
    i64 elapsed = now - volatility->last_update;
    if (elapsed < pair->fees.filter_period) {
        return;
    }
    volatility->index_reference = pair->active_id;
    volatility->reference =
        elapsed < pair->fees.decay_period
            ? (u64)volatility->accumulator * pair->fees.reduction_factor / BASIS_POINTS
            : 0;
}

/* Before a bin is traded: the accumulator grows with the distance from the reference. */
INLINE void volatility_accumulate(Pair *pair) {
    Volatility *volatility = &pair->volatility;
    i64 distance = (i64)volatility->index_reference - pair->active_id;
    u64 moved = distance < 0 ? -distance : distance;
    u64 accumulated = volatility->reference + moved * BASIS_POINTS;
    u64 most = pair->fees.max_volatility_accumulator;
    volatility->accumulator = accumulated < most ? accumulated : most;
}

INLINE u64 base_fee_rate(const Pair *pair) {
    u64 rate = (u64)pair->fees.base_factor * pair->bin_step * 10;
    for (u32 power = pair->fees.base_fee_power; power && rate && rate < FEE_RATE_MAX; power--) {
        rate *= 10;
    }
    return rate;
}

INLINE u64 variable_fee_rate(const Pair *pair) {
    u64 control = pair->fees.variable_fee_control;
    u64 moved = (u64)pair->volatility.accumulator * pair->bin_step;
    u128 squared = multiply_u64(moved, moved);
    if (control == 0) {
        return 0;
    }
    if (high_half(squared)) {
        return FEE_RATE_MAX; /* 2^64 / 10^11 alone is above it */
    }
    u64 rate;
    return share_ceil(control, low_half(squared), VARIABLE_FEE_SCALE, &rate) && rate < FEE_RATE_MAX
               ? rate
               : FEE_RATE_MAX;
}

/* The rate at the present volatility, in 10^-9. */
NOINLINE u64 fee_rate(const Pair *pair) {
    u64 rate = base_fee_rate(pair) + variable_fee_rate(pair);
    return rate < FEE_RATE_MAX ? rate : FEE_RATE_MAX;
}

/* The fee within an amount that includes it, rounded up. */
INLINE bool fee_within(u64 amount, u64 rate, u64 *fee) {
    return share_ceil(amount, rate, FEE_ONE, fee);
}

/* The fee to add to an amount that excludes it, rounded up. */
INLINE bool fee_on_top(u64 amount, u64 rate, u64 *fee) {
    return share_ceil(amount, rate, FEE_ONE - rate, fee);
}
