/* What a swap pays and receives: the curve's move, and the fee in the output or, on a purchase
 * from a pool that collects in token B, in the input. Calls nothing of the VM.
 * Source: https://github.com/MeteoraAg/damm-v2 (state/pool.rs, get_swap_result_from_*).
 */
#pragma once

#include "curve.h"
#include "fees.h"

typedef struct {
    u64 paid;        /* by the trader, fee included */
    u64 reached;     /* the curve */
    u64 left;        /* of what was offered, by a partial fill */
    u64 received;    /* by the trader */
    u64 given;       /* by the curve, fee included */
    u128 price;      /* after it */
    Shares shares;
} Result;

/* What is asked of a pool. */
typedef struct {
    const Pool *pool;
    u64 point; /* slot or Unix seconds, as the pool counts */
    u64 amount;
    u8 mode;
    bool sell_a;
    bool fee_on_input;
} Wish;

INLINE void curve_read(const Pool *pool, Curve *curve) {
    curve->liquidity = wide_read(&pool->liquidity);
    curve->price = wide_read(&pool->sqrt_price);
    curve->price_min = wide_read(&pool->sqrt_min_price);
    curve->price_max = wide_read(&pool->sqrt_max_price);
}

/* The fee is taken out of the amount that comes in, or out of what the curve gives. */
NOINLINE u64 quote_in(const Wish *wish, const Curve *curve, u64 rate_most, Result *result) {
    u64 rate, fee = 0, offered = wish->amount;
    Move move;
    TRY(fee_rate(wish->pool, wish->point, rate_most, &rate));
    if (wish->fee_on_input) {
        TRY(fee_within(wish->amount, rate, &fee, &offered));
    }
    TRY(wish->mode == EXACT_IN ? move_in(curve, wish->sell_a, offered, &move)
                               : move_in_partly(curve, wish->sell_a, offered, &move));
    result->paid = wish->amount;
    if (move.left && wish->fee_on_input) {
        TRY(fee_on_top(move.in, rate, &fee, &result->paid));
    } else if (move.left) {
        result->paid = move.in;
    }
    result->reached = move.in;
    result->left = move.left;
    result->given = move.out;
    result->received = move.out;
    result->price = move.price;
    if (!wish->fee_on_input) {
        TRY(fee_within(move.out, rate, &fee, &result->received));
    }
    return divide_fee(&wish->pool->fees, fee, &result->shares);
}

/* The fee is added to the amount that goes out, or to what the curve takes. */
NOINLINE u64 quote_out(const Wish *wish, const Curve *curve, u64 rate_most, Result *result) {
    u64 rate, fee = 0, given = wish->amount;
    Move move;
    if (!wish->fee_on_input) {
        TRY(fee_rate(wish->pool, wish->point, rate_most, &rate));
        TRY(fee_on_top(wish->amount, rate, &fee, &given));
    }
    TRY(move_out(curve, wish->sell_a, given, &move));
    result->paid = move.in;
    if (wish->fee_on_input) {
        TRY(fee_rate(wish->pool, wish->point, rate_most, &rate));
        TRY(fee_on_top(move.in, rate, &fee, &result->paid));
    }
    result->reached = move.in;
    result->left = 0;
    result->given = given;
    result->received = wish->amount;
    result->price = move.price;
    return divide_fee(&wish->pool->fees, fee, &result->shares);
}

NOINLINE u64 quote(const Wish *wish, Result *result) {
    Curve curve;
    u64 rate_most;
    curve_read(wish->pool, &curve);
    TRY(rate_max(wish->pool, &rate_most));
    return wish->mode == EXACT_OUT ? quote_out(wish, &curve, rate_most, result)
                                   : quote_in(wish, &curve, rate_most, result);
}

/* Pools older than the field: what the curve holds, from its price. */
NOINLINE u64 fill_amounts(Pool *pool) {
    REQUIRE(pool->layout_version <= LAYOUT_WITH_AMOUNTS, ERROR_TYPE_CAST_FAILED);
    if (pool->layout_version == LAYOUT_WITH_AMOUNTS) {
        return OK;
    }
    Curve curve;
    u256 a, b;
    curve_read(pool, &curve);
    TRY(amount_a(&curve, &curve.price, &curve.price_max, true, &a));
    TRY(amount_b(&curve, &curve.price_min, &curve.price, true, &b));
    TRY(narrow_u64(&a, &pool->amount[0]));
    TRY(narrow_u64(&b, &pool->amount[1]));
    pool->layout_version = LAYOUT_WITH_AMOUNTS;
    return OK;
}

INLINE u64 increase(u64 *amount, u64 by) {
    REQUIRE(add_u64(*amount, by, amount), ERROR_MATH_OVERFLOW);
    return OK;
}

/* Give the fee to its owners; it stays in the vault of its token. */
NOINLINE u64 credit_fee(Pool *pool, int token, const Shares *shares) {
    u256 shifted = {{0, 0, shares->lp, 0}}, liquidity = widen(wide_read(&pool->liquidity));
    u256 growth, sum, before;
    u64 *grown = pool->fee_per_liquidity[token];
    REQUIRE(divide_rounded(&shifted, &liquidity, false, &growth), ERROR_MATH_OVERFLOW);
    before = (u256){{grown[0], grown[1], grown[2], grown[3]}};
    REQUIRE(add_u256(&before, &growth, &sum), ERROR_MATH_OVERFLOW);
    for (int i = 0; i < 4; i++) {
        grown[i] = sum.limb[i];
    }
    u128 lp = wide_read(&pool->metrics.lp_fee[token]) + shares->lp;
    REQUIRE(lp >= shares->lp, ERROR_MATH_OVERFLOW);
    wide_write(&pool->metrics.lp_fee[token], lp);
    TRY(increase(&pool->metrics.protocol_fee[token], shares->protocol));
    return increase(&pool->protocol_fee[token], shares->protocol);
}

/* Leave the pool as the swap makes it. */
NOINLINE u64 apply(Pool *pool, const Wish *wish, const Result *result, u64 now) {
    int in = wish->sell_a ? 0 : 1, out = 1 - in;
    u128 old = wide_read(&pool->sqrt_price);
    TRY(credit_fee(pool, wish->fee_on_input ? in : out, &result->shares));
    TRY(increase(&pool->amount[in], result->reached));
    REQUIRE(result->given <= pool->amount[out], ERROR_MATH_OVERFLOW);
    pool->amount[out] -= result->given;
    wide_write(&pool->sqrt_price, result->price);
    return dynamic_after(&pool->fees.dynamic, &old, &result->price, now);
}
