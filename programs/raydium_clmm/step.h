/* What a move of the price trades, where liquidity is the same all along.
 *
 * With liquidity L and the root P of the price, the reserves are L/P of token 0 and L*P of token 1.
 * Amounts in round up, amounts out down, prices against the trader. Formulas and order of checks:
 * https://github.com/raydium-io/raydium-clmm (libraries/swap_math.rs, liquidity_math.rs,
 * sqrt_price_math.rs). Liquidity times price stays below 192 bits, as in any pool of which a tick
 * can be paid for; past that the swap is refused. Calls nothing of the VM.
 */
#pragma once

#include "ticks.h"

/* How a swap goes; `rate` is the fee's, in millionths. */
typedef struct {
    bool down; /* token 0 comes in and its price falls */
    bool exact_in;
    bool fee_on_input;
    u32 rate;
} Terms;

/* What a move trades: `in` before and `out` after the fee, whichever bears it. */
typedef struct {
    u128 price; /* where it ends */
    u64 in;
    u64 out;
    u64 fee;
} Part;

INLINE u256 product_of(u128 a, u128 b) {
    u256 product;
    multiply_u128(a, b, &product);
    return product;
}

/* *result = amount * share / whole, where share and whole are at most RATE_ONE. */
NOINLINE u64 portion(u64 amount, u64 share, u64 whole, bool up, u64 *result) {
    u64 rest = amount % whole * share, part;
    REQUIRE(to_u64(multiply_u64(amount / whole, share), &part) &&
                add_u64(part, rest / whole, result) &&
                add_u64(*result, up && rest % whole, result),
            CalculateOverflow);
    return OK;
}

/* *amount = moved * 2^64 / (low * high), for moved = liquidity * (high - low). */
NOINLINE u64 token_0_of(const u256 *moved, const u256 *prices, bool up, u64 *amount) {
    u256 rest, result;
    REQUIRE(!subtract_u256(moved, prices, &rest), MaxTokenOverflow); /* moved is the smaller */
    u256 shifted = {{0, moved->limb[0], moved->limb[1], moved->limb[2]}};
    divide_rounded(&shifted, prices, up, &result);
    REQUIRE(!result.limb[1], MaxTokenOverflow);
    *amount = result.limb[0];
    return OK;
}

/* *amount = moved / 2^64. */
INLINE u64 token_1_of(const u256 *moved, bool up, u64 *amount) {
    REQUIRE(!moved->limb[2] && !moved->limb[3] &&
                add_u64(moved->limb[1], up && moved->limb[0], amount),
            MaxTokenOverflow);
    return OK;
}

/* A way the price may go with liquidity the same, and what is left of the exact amount. */
typedef struct {
    u128 start;
    u128 target;
    u128 liquidity;
    u64 left;
} Way;

/* part->in and part->out = what moving to part->price trades, fees aside. */
NOINLINE u64 amounts_to(const Way *way, bool down, Part *part) {
    u128 change = down ? way->start - part->price : part->price - way->start;
    u256 moved = product_of(way->liquidity, change), prices = product_of(way->start, part->price);
    TRY(token_0_of(&moved, &prices, down, down ? &part->in : &part->out));
    return token_1_of(&moved, !down, down ? &part->out : &part->in);
}

/* *price = P * L / (L ± amount * P), rounded up: after `amount` of token 0 came in or went out. */
NOINLINE u64 price_by_0(const Way *way, u64 amount, bool in, u128 *price) {
    u256 weighted = product_of(way->liquidity, way->start), result;
    u256 change = product_of(way->start, amount);
    u256 divisor = {{0, low_half(way->liquidity), high_half(way->liquidity), 0}};
    REQUIRE(!weighted.limb[3] && (in ? add_u256(&divisor, &change, &divisor)
                                     : subtract_u256(&divisor, &change, &divisor)),
            CalculateOverflow);
    u256 shifted = {{0, weighted.limb[0], weighted.limb[1], weighted.limb[2]}};
    REQUIRE(divide_rounded(&shifted, &divisor, true, &result) && fits_u128(&result),
            CalculateOverflow);
    *price = narrow(&result);
    return OK;
}

/* *price = P ± amount / L, rounded down: after `amount` of token 1 came in or went out. */
NOINLINE u64 price_by_1(const Way *way, u64 amount, bool in, u128 *price) {
    u256 shifted = {{0, amount, 0, 0}}, divisor = widen(way->liquidity), result;
    divide_rounded(&shifted, &divisor, !in, &result);
    u128 change = narrow(&result);
    REQUIRE(in ? change <= U128_MAX - way->start : change <= way->start, CalculateOverflow);
    *price = in ? way->start + change : way->start - change;
    return OK;
}

/* *price = where `amount` of the token that is exact takes it, fees aside. */
INLINE u64 price_after(const Terms *terms, const Way *way, u64 amount, u128 *price) {
    REQUIRE(way->start >= SQRT_PRICE_MIN && way->start < SQRT_PRICE_MAX, SqrtPriceX64);
    REQUIRE(way->liquidity, ZeroLiquidity);
    *price = way->start;
    if (!amount) {
        return OK;
    }
    return terms->down == terms->exact_in ? price_by_0(way, amount, terms->exact_in, price)
                                          : price_by_1(way, amount, terms->exact_in, price);
}

/* *amount = what is left as it acts on the price, fees aside. */
INLINE u64 acting(const Terms *terms, u64 left, u64 *amount) {
    *amount = left;
    if (terms->exact_in != terms->fee_on_input) {
        return OK;
    }
    u64 kept = RATE_ONE - terms->rate;
    return terms->exact_in ? portion(left, kept, RATE_ONE, false, amount)
                           : portion(left, RATE_ONE, kept, true, amount);
}

/* *reached = whether `amount` takes the price to part->price; then *part is all of the way. */
NOINLINE u64 try_all(const Terms *terms, const Way *way, u64 amount, Part *part, bool *reached) {
    u64 error = amounts_to(way, terms->down, part);
    *reached = !error && amount >= (terms->exact_in ? part->in : part->out);
    return error == MaxTokenOverflow ? OK : error; /* such a way is not gone to its end */
}

/* The fee of an exact amount in: on it, with what is too little to move the price, or on what comes
 * out. */
NOINLINE u64 charge_in(const Terms *terms, u64 left, bool reached, Part *part) {
    if (terms->fee_on_input) {
        REQUIRE(reached || part->in <= left, CalculateOverflow);
        part->fee = left - part->in;
        return reached ? portion(part->in, terms->rate, RATE_ONE - terms->rate, true, &part->fee)
                       : OK;
    }
    TRY(portion(part->out, terms->rate, RATE_ONE, true, &part->fee));
    part->out -= part->fee;
    part->in = reached ? part->in : left;
    return OK;
}

/* The fee of an exact amount out; rounding may have moved more than was asked for. */
NOINLINE u64 charge_out(const Terms *terms, u64 left, Part *part) {
    if (terms->fee_on_input) {
        part->out = part->out < left ? part->out : left;
        return portion(part->in, terms->rate, RATE_ONE - terms->rate, true, &part->fee);
    }
    u64 given = part->out;
    TRY(portion(given, terms->rate, RATE_ONE, true, &part->fee));
    part->out = given - part->fee < left ? given - part->fee : left;
    part->fee = given - part->out;
    return OK;
}

/* *part = what is traded on the way. */
NOINLINE u64 move(const Terms *terms, const Way *way, Part *part) {
    u64 amount;
    bool reached;
    TRY(acting(terms, way->left, &amount));
    part->price = way->target;
    TRY(try_all(terms, way, amount, part, &reached));
    if (!reached) {
        TRY(price_after(terms, way, amount, &part->price));
        TRY(amounts_to(way, terms->down, part));
    }
    REQUIRE(terms->down ? part->price >= way->target : part->price <= way->target,
            ANCHOR_REQUIRE_GTE_VIOLATED);
    return terms->exact_in ? charge_in(terms, way->left, part->price == way->target, part)
                           : charge_out(terms, way->left, part);
}
