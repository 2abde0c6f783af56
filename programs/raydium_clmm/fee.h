/* The fee rate of a swap: fixed, or rising with every group of ticks the price moves through.
 *
 * A group is tick_spacing ticks. While the rate can still rise, the price moves one at a time.
 * Formulas: https://github.com/raydium-io/raydium-clmm (states/pool_fee.rs, instructions/swap.rs).
 */
#pragma once

#include "ticks.h"

#define RATE_MAX 100000 /* what a rising rate stops at */
#define GROUP_STEP 10000
#define REDUCTION_ONE 10000
#define CONTROL_SCALE 10000000000000ull
#define GROUPS_MOST 500000 /* on either side of price one */

typedef struct {
    DynamicFee dynamic; /* as the swap leaves it */
    u32 base_rate;
    u16 spacing;
    bool is_rising;
    bool is_skipping; /* it cannot rise on the way, or nobody pays it */
    i32 group;
} Fee;

INLINE i32 group_of(const Fee *fee, i32 tick) {
    i64 spacing = fee->spacing; /* division is unsigned here */
    return (i32)((u64)(tick + GROUPS_MOST * spacing) / (u64)spacing) - GROUPS_MOST;
}

NOINLINE void accumulate(Fee *fee) {
    DynamicFee *dynamic = &fee->dynamic;
    i64 moved = (i64)dynamic->group_reference - fee->group;
    u64 sum = dynamic->reference + (u64)(moved < 0 ? -moved : moved) * GROUP_STEP;
    dynamic->accumulator = sum < dynamic->accumulator_max ? (u32)sum : dynamic->accumulator_max;
}

/* Begin a swap at a tick: once the filter period has passed, groups are counted from here, and what
 * has been counted stays in part, later not at all. */
NOINLINE void fee_begin(Fee *fee, const Pool *pool, u32 base_rate, u64 now) {
    DynamicFee *dynamic = &fee->dynamic;
    u8 any = 0;
    *dynamic = pool->dynamic;
    for (u32 i = 0; i < sizeof(*dynamic); i++) {
        any |= ((const u8 *)dynamic)[i];
    }
    fee->is_rising = any;
    fee->base_rate = base_rate;
    fee->spacing = pool->tick_spacing;
    fee->group = group_of(fee, pool->tick);
    u64 elapsed = now > dynamic->last_update ? now - dynamic->last_update : 0;
    if (!any || elapsed < dynamic->filter_period) {
        return;
    }
    bool is_decaying = elapsed < dynamic->decay_period;
    dynamic->reference =
        is_decaying ? (u32)((u64)dynamic->accumulator * dynamic->reduction / REDUCTION_ONE) : 0;
    dynamic->group_reference = fee->group;
    dynamic->last_update = now;
}

/* *rate = what the swap pays here. */
NOINLINE u64 fee_rate(Fee *fee, u32 *rate) {
    *rate = fee->base_rate;
    if (!fee->is_rising) {
        return OK;
    }
    accumulate(fee);
    u64 moved = (u64)fee->dynamic.accumulator * fee->spacing;
    REQUIRE(moved >> 32 == 0, panic());
    u256 scaled = widen(multiply_u64(moved * moved, fee->dynamic.control)), rising;
    u256 scale = widen(CONTROL_SCALE);
    divide_rounded(&scaled, &scale, true, &rising);
    bool is_most = rising.limb[1] || rising.limb[0] > RATE_MAX;
    u64 sum = *rate + (is_most ? RATE_MAX : rising.limb[0]);
    *rate = sum < RATE_MAX ? (u32)sum : RATE_MAX;
    return OK;
}

/* *bound = how far the rate holds: to the end of the group, or to the target if it comes first. */
NOINLINE void fee_bound(Fee *fee, const u128 *target, const u128 *liquidity, bool down,
                        u128 *bound) {
    *bound = *target;
    fee->is_skipping = !fee->is_rising || !*liquidity ||
                       fee->dynamic.accumulator == fee->dynamic.accumulator_max;
    if (fee->is_skipping) {
        return;
    }
    i64 end = (i64)(fee->group + !down) * fee->spacing;
    u128 price;
    sqrt_price_at((i32)(end > TICK_MAX ? TICK_MAX : end < -TICK_MAX ? -TICK_MAX : end), &price);
    if (down ? *target < price : *target > price) {
        *bound = price;
    }
}

/* Enter the next group, the price having come to the bound; after a way that skipped some, by the
 * tick it has come to. */
NOINLINE void fee_moved(Fee *fee, i32 tick, bool down) {
    if (!fee->is_rising) {
        return;
    }
    if (fee->is_skipping) {
        fee->group = group_of(fee, tick);
        bool is_first = fee->group * (i32)fee->spacing == tick;
        fee->group -= !down && is_first; /* for a rising price it ends the group before */
        if (fee->dynamic.accumulator != fee->dynamic.accumulator_max) {
            accumulate(fee);
        }
    }
    fee->group += down ? -1 : 1;
}
