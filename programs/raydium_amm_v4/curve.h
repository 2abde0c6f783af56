/* The constant-product curve and its fee, in integers; calls nothing of the VM.
 *
 * Rounding always favors the pool: fee up, output down, input up. Source of the rules:
 * https://github.com/raydium-io/raydium-amm (math.rs, processor.rs) since August 2025.
 */
#pragma once

#include "layout.h"
#include "wide.h"

/* The vaults less the profit owed out of them. */
typedef struct {
    u64 input;
    u64 output;
} Reserves;

typedef struct {
    u64 paid; /* fee included */
    u64 received;
    u64 fee; /* of the token paid */
} Trade;

/* Exactly `amount` comes in; false where the real program panics. */
NOINLINE bool trade_exact_input(u64 amount, const Reserves *reserves, const FeeRate *rate,
                                Trade *trade) {
    u128 fee, received;
    if (!multiply_divide_ceil(amount, rate->numerator, rate->denominator, &fee) || fee > amount) {
        return false;
    }
    trade->paid = amount;
    trade->fee = low_half(fee);
    u64 after_fee = amount - trade->fee;
    if (!multiply_divide_floor(reserves->output, after_fee, (u128)reserves->input + after_fee,
                               &received)) {
        return false;
    }
    trade->received = low_half(received); /* at most the reserve */
    return true;
}

/* Exactly `amount` goes out; false where the real program panics. */
NOINLINE bool trade_exact_output(u64 amount, const Reserves *reserves, const FeeRate *rate,
                                 Trade *trade) {
    u128 wide;
    u64 before_fee;
    if (amount > reserves->output || rate->numerator > rate->denominator) {
        return false;
    }
    if (!multiply_divide_ceil(reserves->input, amount, reserves->output - amount, &wide) ||
        !to_u64(wide, &before_fee)) {
        return false;
    }
    if (!multiply_divide_ceil(before_fee, rate->denominator, rate->denominator - rate->numerator,
                              &wide) ||
        !to_u64(wide, &trade->paid)) {
        return false;
    }
    trade->received = amount;
    trade->fee = trade->paid - before_fee;
    return true;
}
