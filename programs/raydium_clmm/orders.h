/* Limit orders of a tick, which sell at its price what the price moves out of; those that came first
 * are filled first.
 * Formulas and order of checks: https://github.com/raydium-io/raydium-clmm (states/tick_array.rs,
 * match_limit_order_with_sqrt_price).
 */
#pragma once

#include "arrays.h"
#include "step.h"

/* *price = of token 0 at a tick, rounded against who trades. */
INLINE void price_of(const u128 *sqrt_price, bool up, u256 *price) {
    u256 squared = product_of(*sqrt_price, *sqrt_price), almost = widen(U64_MAX);
    if (up) {
        add_u256(&squared, &almost, &squared);
    }
    *price = (u256){{squared.limb[1], squared.limb[2], 0, 0}};
}

/* *value = amount * price in the other token, or amount / price; *price is below 128 bits. */
NOINLINE void value_of(u64 amount, const u256 *price, bool by_token_0, bool up, u256 *value) {
    if (!by_token_0) {
        u256 shifted = {{0, amount, 0, 0}};
        divide_rounded(&shifted, price, up, value);
        return;
    }
    u256 product = product_of(narrow(price), amount);
    *value = (u256){{product.limb[1], product.limb[2], product.limb[3], 0}};
    if (up && product.limb[0]) {
        increment_u256(value);
    }
}

INLINE bool fits_u64(const u256 *value) {
    return !value->limb[1] && fits_u128(value);
}

/* part->in = what orders that sell `out` take for it. */
NOINLINE u64 cost_of(u64 out, const u256 *price, bool down, Part *part) {
    u256 cost;
    value_of(out, price, !down, true, &cost);
    REQUIRE(fits_u64(&cost), CalculateOverflow);
    part->in = cost.limb[0];
    return OK;
}

INLINE u64 fee_on_top(const Terms *terms, Part *part) {
    return portion(part->in, terms->rate, RATE_ONE - terms->rate, true, &part->fee);
}

/* *part = what an amount in trades with orders for `most`, but for a fee on what comes out. */
NOINLINE u64 orders_in(const Terms *terms, const u256 *price, u64 left, u64 most, Part *part) {
    u256 given;
    part->fee = 0;
    if (terms->fee_on_input) {
        TRY(portion(left, terms->rate, RATE_ONE, true, &part->fee));
    }
    part->in = left - part->fee;
    value_of(part->in, price, terms->down, false, &given);
    part->out = given.limb[0];
    if (fits_u64(&given) && part->out <= most) {
        return OK;
    }
    part->out = most;
    TRY(cost_of(most, price, terms->down, part));
    return terms->fee_on_input ? fee_on_top(terms, part) : OK;
}

NOINLINE u64 orders_out(const Terms *terms, const u256 *price, u64 left, u64 most, Part *part) {
    part->out = left < most ? left : most;
    part->fee = 0;
    if (!terms->fee_on_input) {
        TRY(portion(part->out, RATE_ONE, RATE_ONE - terms->rate, true, &part->out));
        part->out = part->out < most ? part->out : most;
    }
    TRY(cost_of(part->out, price, terms->down, part));
    return terms->fee_on_input ? fee_on_top(terms, part) : OK;
}

INLINE void ratio_write(Wide *ratio, u128 whole, u64 left, u64 all) {
    u256 scaled = product_of(whole, left), divisor = widen(all), result;
    divide_rounded(&scaled, &divisor, false, &result);
    wide_write(ratio, narrow(&result));
}

/* Take what was sold off the orders: a first part of those not begun yet begins a new phase. */
NOINLINE u64 consume(Tick *tick, u64 sold) {
    u64 before = tick->orders_partly_filled;
    u64 first = sold < before ? sold : before, rest = sold - first;
    if (first) {
        ratio_write(&tick->unfilled_ratio, wide_read(&tick->unfilled_ratio), before - first,
                    before);
        tick->orders_partly_filled = before - first;
    }
    if (!rest) {
        return OK;
    }
    REQUIRE(tick->orders >= rest, InvalidLimitOrderAmount);
    tick->order_phase += tick->order_phase != U64_MAX;
    ratio_write(&tick->unfilled_ratio, (u128)1 << 64, tick->orders - rest, tick->orders);
    tick->orders_partly_filled = tick->orders - rest;
    tick->orders = 0;
    return OK;
}

/* *part = what is traded with the orders of a tick, with `left` of the exact amount. */
NOINLINE u64 orders_fill(const Terms *terms, const u128 *sqrt_price, u64 left, Tick *tick,
                         Part *part) {
    u256 price;
    u64 most;
    REQUIRE(add_u64(tick->orders, tick->orders_partly_filled, &most), CalculateOverflow);
    price_of(sqrt_price, !terms->down, &price);
    TRY(terms->exact_in ? orders_in(terms, &price, left, most, part)
                        : orders_out(terms, &price, left, most, part));
    TRY(consume(tick, part->out));
    if (!terms->fee_on_input) {
        TRY(portion(part->out, terms->rate, RATE_ONE, true, &part->fee));
        part->out -= part->fee;
    }
    return OK;
}
