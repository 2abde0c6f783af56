/* A swap from tick to tick: the price moves to the next initialized one, at which limit orders are
 * filled before liquidity joins or leaves, until the exact amount is done or the price at its limit.
 * A rising fee makes it stop at more places in between.
 * Source: https://github.com/raydium-io/raydium-clmm (instructions/swap.rs, swap_internal).
 */
#pragma once

#include "fee.h"
#include "orders.h"

/* A swap under way. `left` is what is to be paid (exact in) or received still. */
typedef struct {
    Pool *pool;
    const Config *config;
    Arrays arrays;
    Terms terms;
    Fee fee;
    int fee_token;
    u128 limit;
    u64 left;
    u64 other; /* received or paid so far */
    u128 price;
    i32 tick;
    u128 liquidity;
    u128 fee_growth; /* of the token that bears the fee */
    u64 lp_fee;
    u64 protocol_fee;
    u64 fund_fee;
    u64 epoch;
} Swap;

INLINE u64 increase(u64 *amount, u64 by) {
    REQUIRE(add_u64(*amount, by, amount), CalculateOverflow);
    return OK;
}

/* Divide a fee; where no liquidity is in range nobody but the protocol has earned it. */
NOINLINE u64 share_fee(Swap *swap, u64 fee) {
    u64 protocol, fund;
    TRY(portion(fee, swap->config->protocol_rate, RATE_ONE, false, &protocol));
    TRY(portion(fee, swap->config->fund_rate, RATE_ONE, false, &fund));
    REQUIRE(protocol <= fee && fund <= fee - protocol, CalculateOverflow);
    TRY(increase(&swap->protocol_fee, protocol));
    TRY(increase(&swap->fund_fee, fund));
    u64 rest = fee - protocol - fund;
    if (!swap->liquidity) {
        return increase(&swap->protocol_fee, rest);
    }
    u256 shifted = {{0, rest, 0, 0}}, liquidity = widen(swap->liquidity), growth;
    divide_rounded(&shifted, &liquidity, false, &growth);
    swap->fee_growth += narrow(&growth);
    return increase(&swap->lp_fee, rest);
}

/* Count a part of the swap. */
NOINLINE u64 take(Swap *swap, const Part *part) {
    u64 paid = part->in;
    if (swap->terms.fee_on_input) {
        TRY(increase(&paid, part->fee));
    }
    u64 exact = swap->terms.exact_in ? paid : part->out;
    REQUIRE(exact <= swap->left, CalculateOverflow);
    swap->left -= exact;
    TRY(increase(&swap->other, swap->terms.exact_in ? part->out : paid));
    return share_fee(swap, part->fee);
}

INLINE void turn_outside(Wide *outside, u128 growth) {
    wide_write(outside, growth - wide_read(outside));
}

/* Let the liquidity of a tick join or leave. */
NOINLINE u64 cross(Swap *swap, Tick *tick) {
    for (int token = 0; token < 2; token++) {
        turn_outside(&tick->fee_growth_outside[token],
                     token == swap->fee_token ? swap->fee_growth : swap->pool->fee_growth[token]);
    }
    u128 net = wide_read(&tick->liquidity_net);
    bool leaves = high_half(net) >> 63;
    u128 amount = leaves ? -net : net;
    if (leaves != swap->terms.down) {
        REQUIRE(amount <= swap->liquidity, LiquiditySubValueErr);
        swap->liquidity -= amount;
    } else {
        REQUIRE(amount <= U128_MAX - swap->liquidity, LiquidityAddValueErr);
        swap->liquidity += amount;
    }
    return OK;
}

/* Trade with the limit orders of a tick; one that has nothing more leaves its array. */
NOINLINE u64 fill_orders(Swap *swap, const u128 *price, Tick *tick) {
    if (!swap->left || !has_orders(tick)) {
        return OK;
    }
    TickArray *array = swap->arrays.array[swap->arrays.at];
    Part part;
    TRY(orders_fill(&swap->terms, price, swap->left, tick, &part));
    TRY(take(swap, &part));
    REQUIRE(!swap->left || !has_orders(tick), ANCHOR_REQUIRE_EQ_VIOLATED);
    if (is_initialized(tick)) {
        return OK;
    }
    REQUIRE(array->initialized_count, CalculateOverflow);
    array->initialized_count--;
    return array->initialized_count ? OK : forget_array(&swap->arrays);
}

/* The price has come to a tick. */
NOINLINE u64 reach(Swap *swap, const u128 *price, Tick *tick) {
    TRY(fill_orders(swap, price, tick));
    bool stays = has_orders(tick);
    if (!stays && has_liquidity(tick)) {
        TRY(cross(swap, tick));
    }
    u8 *epoch = swap->arrays.array[swap->arrays.at]->recent_epoch;
    for (int i = 0; i < 8; i++) {
        epoch[i] = (u8)(swap->epoch >> (8 * i));
    }
    swap->tick = tick->number - (swap->terms.down != stays);
    return OK;
}

/* Move the price as far as the fee's rate holds, on the way to `target` and a tick that lies at
 * `end`. */
NOINLINE u64 swap_part(Swap *swap, const u128 *target, const u128 *end, Tick *tick) {
    bool down = swap->terms.down;
    Way way = {.start = swap->price, .liquidity = swap->liquidity, .left = swap->left};
    Part part;
    TRY(fee_rate(&swap->fee, &swap->terms.rate));
    fee_bound(&swap->fee, target, &swap->liquidity, down, &way.target);
    part.price = way.target;
    if (way.start != way.target) {
        TRY(move(&swap->terms, &way, &part));
        TRY(take(swap, &part));
    }
    swap->price = part.price;
    bool is_there = part.price == *end;
    if (is_there) {
        TRY(reach(swap, end, tick));
    } else if (part.price != way.start) {
        TRY(tick_at(&part.price, &swap->tick));
    }
    fee_moved(&swap->fee, is_there ? tick->number : swap->tick, down);
    return OK;
}

/* Trade up to the next initialized tick, and across it if there. */
NOINLINE u64 swap_step(Swap *swap) {
    bool down = swap->terms.down;
    u128 end, target;
    Tick *tick;
    TRY(next_tick(&swap->arrays, swap->tick, down, &tick));
    sqrt_price_at(tick->number, &end);
    target = (down ? end < swap->limit : end > swap->limit) ? swap->limit : end;
    REQUIRE(down ? target <= swap->price : target >= swap->price, ANCHOR_REQUIRE_GTE_VIOLATED);
    do {
        TRY(swap_part(swap, &target, &end, tick));
    } while (swap->left && swap->price != target);
    return OK;
}

INLINE u64 swap_run(Swap *swap) {
    TRY(arrays_begin(&swap->arrays, swap->terms.down));
    while (swap->left && swap->price != swap->limit) {
        TRY(swap_step(swap));
    }
    return OK;
}

/* Leave the pool as the swap makes it. */
NOINLINE u64 apply(const Swap *swap) {
    Pool *pool = swap->pool;
    int token = swap->fee_token;
    u64 protocol = pool->protocol_fees[token], fund = pool->fund_fees[token];
    TRY(increase(&protocol, swap->protocol_fee));
    TRY(increase(&fund, swap->fund_fee));
    pool->protocol_fees[token] = protocol;
    pool->fund_fees[token] = fund;
    pool->fee_growth[token] = swap->fee_growth;
    pool->tick = swap->tick;
    pool->sqrt_price = swap->price;
    pool->liquidity = swap->liquidity;
    pool->recent_epoch = swap->epoch;
    pool->dynamic = swap->fee.dynamic; /* as it was where the fee does not rise */
    return OK;
}
