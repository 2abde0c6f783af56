/* The curve: constant product of virtual reserves between two square roots of prices, Q64.64.
 *
 * With liquidity L and the root P the pool holds L/P of token A and L*P of token B, less what lies
 * beyond its range. Prices round toward the trader's loss, amounts in up, amounts out down.
 * Formulas and errors: https://github.com/MeteoraAg/damm-v2
 * (liquidity_handler/concentrated_liquidity.rs).
 */
#pragma once

#include "divide.h"
#include "layout.h"

typedef struct {
    u128 liquidity;
    u128 price; /* square roots, all three */
    u128 price_min;
    u128 price_max;
} Curve;

/* What the curve does; fees are no part of it. */
typedef struct {
    u64 in;
    u64 out;
    u64 left; /* of what was offered, by a partial fill */
    u128 price;
} Move;

INLINE u256 product_of(u128 a, u128 b) {
    u256 product;
    multiply_u128(a, b, &product);
    return product;
}

INLINE u64 narrow_u64(const u256 *wide, u64 *amount) {
    REQUIRE(!wide->limb[1] && fits_u128(wide), ERROR_MATH_OVERFLOW);
    *amount = wide->limb[0];
    return OK;
}

/* *amount = token A between two prices: L * (upper - lower) / (upper * lower). */
NOINLINE u64 amount_a(const Curve *curve, const u128 *lower, const u128 *upper, bool up,
                      u256 *amount) {
    REQUIRE(*lower && *lower <= *upper, PANIC);
    u256 product = product_of(curve->liquidity, *upper - *lower);
    u256 divisor = product_of(*lower, *upper);
    REQUIRE(divide_rounded(&product, &divisor, up, amount), ERROR_MATH_OVERFLOW);
    return OK;
}

/* *amount = token B between two prices: L * (upper - lower). */
NOINLINE u64 amount_b(const Curve *curve, const u128 *lower, const u128 *upper, bool up,
                      u256 *amount) {
    REQUIRE(*lower <= *upper, ERROR_MATH_OVERFLOW);
    u256 product = product_of(curve->liquidity, *upper - *lower);
    *amount = (u256){{product.limb[2], product.limb[3], 0, 0}};
    if (up && (product.limb[0] || product.limb[1])) {
        increment_u256(amount);
    }
    return OK;
}

/* *price = P * L / (L ± amount * P), rounded up: after `amount` of token A came in or went out. */
NOINLINE u64 price_by_a(const Curve *curve, u64 amount, bool came_in, u128 *price) {
    u256 change = product_of(curve->price, amount);
    u256 divisor = widen(curve->liquidity), result;
    REQUIRE(came_in ? add_u256(&divisor, &change, &divisor)
                    : subtract_u256(&divisor, &change, &divisor),
            ERROR_MATH_OVERFLOW);
    u256 product = product_of(curve->liquidity, curve->price);
    REQUIRE(divide_rounded(&product, &divisor, true, &result), ERROR_MATH_OVERFLOW);
    REQUIRE(fits_u128(&result), ERROR_TYPE_CAST_FAILED);
    *price = narrow(&result);
    return OK;
}

/* *price = P ± amount / L, rounded down: after `amount` of token B came in or went out. */
NOINLINE u64 price_by_b(const Curve *curve, u64 amount, bool came_in, u128 *price) {
    u256 shifted = {{0, 0, amount, 0}}, divisor = widen(curve->liquidity);
    u256 result = widen(curve->price), change;
    REQUIRE(divide_rounded(&shifted, &divisor, !came_in, &change), ERROR_MATH_OVERFLOW);
    REQUIRE(came_in ? add_u256(&result, &change, &result)
                    : subtract_u256(&result, &change, &result),
            ERROR_MATH_OVERFLOW);
    REQUIRE(fits_u128(&result), ERROR_TYPE_CAST_FAILED);
    *price = narrow(&result);
    return OK;
}

/* The price after `amount` of token A (if `a`) or B came in or went out; it need not be in range. */
NOINLINE u64 price_after(const Curve *curve, bool a, bool came_in, u64 amount, u128 *price) {
    REQUIRE(curve->price && curve->liquidity, PANIC);
    *price = curve->price;
    if (!amount) {
        return OK;
    }
    return a ? price_by_a(curve, amount, came_in, price)
             : price_by_b(curve, amount, came_in, price);
}

INLINE u64 check_range(const Curve *curve, bool sell_a, u128 price) {
    REQUIRE(sell_a ? price >= curve->price_min : price <= curve->price_max,
            ERROR_PRICE_RANGE_VIOLATION);
    return OK;
}

/* *amount = what a move to `target` takes (`in`, rounded up) or gives (rounded down). */
NOINLINE u64 amount_to(const Curve *curve, bool sell_a, bool in, const u128 *target, u64 *amount) {
    const u128 *lower = sell_a ? target : &curve->price;
    const u128 *upper = sell_a ? &curve->price : target;
    u256 wide;
    TRY(sell_a == in ? amount_a(curve, lower, upper, in, &wide)
                     : amount_b(curve, lower, upper, in, &wide));
    return narrow_u64(&wide, amount);
}

/* All of `amount` comes in. */
NOINLINE u64 move_in(const Curve *curve, bool sell_a, u64 amount, Move *move) {
    move->in = amount;
    move->left = 0;
    TRY(price_after(curve, sell_a, true, amount, &move->price));
    TRY(check_range(curve, sell_a, move->price));
    return amount_to(curve, sell_a, false, &move->price, &move->out);
}

/* As much of `amount` as the range takes comes in. */
NOINLINE u64 move_in_partly(const Curve *curve, bool sell_a, u64 amount, Move *move) {
    const u128 *end = sell_a ? &curve->price_min : &curve->price_max;
    u256 most;
    TRY(sell_a ? amount_a(curve, end, &curve->price, true, &most)
               : amount_b(curve, &curve->price, end, true, &most));
    bool is_all = most.limb[1] || !fits_u128(&most) || amount < most.limb[0];
    move->in = is_all ? amount : most.limb[0];
    move->left = amount - move->in;
    if (is_all) {
        TRY(price_after(curve, sell_a, true, amount, &move->price));
    } else {
        move->price = *end;
    }
    return amount_to(curve, sell_a, false, &move->price, &move->out);
}

/* Exactly `amount` goes out. */
NOINLINE u64 move_out(const Curve *curve, bool sell_a, u64 amount, Move *move) {
    move->out = amount;
    move->left = 0;
    TRY(price_after(curve, !sell_a, false, amount, &move->price));
    TRY(check_range(curve, sell_a, move->price));
    return amount_to(curve, sell_a, true, &move->price, &move->in);
}
