/* The constant-product curve and its fees, in integers; calls nothing of the VM, so that tests run
 * the very same code on the host.
 *
 * Rounding always favors the pool: fees up, output down, input up. Source of the rules:
 * https://github.com/raydium-io/raydium-cp-swap (curve/calculator.rs, curve/fees.rs).
 */
#pragma once

#include "wide.h"

#define RATE_ONE 1000000ull

typedef struct {
    u64 trade;    /* of the input, millionths */
    u64 creator;  /* of the input or of the output, on top of the trade fee */
    u64 protocol; /* share of the trade fee */
    u64 fund;     /* share of the trade fee */
    bool creator_on_input;
} FeeRates;

/* The vaults less the fees owed out of them. */
typedef struct {
    u64 input;
    u64 output;
} Reserves;

typedef struct {
    u64 input_amount;  /* what the trader pays, fees included */
    u64 output_amount; /* what the trader receives */
    u64 curve_input;   /* what reaches the curve */
    u64 curve_output;  /* what leaves it */
    u64 trade_fee;     /* of the input token, shares of protocol and fund included */
    u64 protocol_fee;
    u64 fund_fee;
    u64 creator_fee;
} Trade;

/* How a calculation ended. The real program answers some impossible sizes with an error and
 * panics on others; both fail the transaction, and this one fails in the same way. */
typedef enum {
    TRADE_DONE = 0,
    TRADE_IMPOSSIBLE,
    TRADE_PANIC,
} Outcome;

INLINE bool fee_floor(u64 amount, u64 rate, u64 *fee) {
    u128 wide;
    return multiply_divide_floor(amount, rate, RATE_ONE, &wide) && to_u64(wide, fee);
}

INLINE bool fee_ceil(u64 amount, u64 rate, u64 *fee) {
    u128 wide;
    return multiply_divide_ceil(amount, rate, RATE_ONE, &wide) && to_u64(wide, fee);
}

/* *before = the least amount of which `after` remains when the fee is taken; rate < RATE_ONE. */
INLINE bool before_fee(u64 after, u64 rate, u64 *before) {
    u128 wide;
    return rate < RATE_ONE && multiply_divide_ceil(after, RATE_ONE, RATE_ONE - rate, &wide) &&
           to_u64(wide, before);
}

/* The creator's part of a fee that was taken at the sum of both rates; none at no rate at all. */
INLINE bool creator_part(u64 fee, const FeeRates *rates, u64 *part) {
    u128 wide;
    return multiply_divide_floor(fee, rates->creator, rates->trade + rates->creator, &wide) &&
           to_u64(wide, part);
}

INLINE bool split_trade_fee(const FeeRates *rates, Trade *trade) {
    return fee_floor(trade->trade_fee, rates->protocol, &trade->protocol_fee) &&
           fee_floor(trade->trade_fee, rates->fund, &trade->fund_fee);
}

/* *rate = what is taken from the input. */
INLINE bool input_rate(const FeeRates *rates, u64 *rate) {
    return add_u64(rates->trade, rates->creator_on_input ? rates->creator : 0, rate);
}

/* Divide a fee taken from the input between the pool and the creator. */
INLINE bool share_input_fee(u64 fee, const FeeRates *rates, Trade *trade) {
    trade->creator_fee = 0;
    if (rates->creator_on_input && !creator_part(fee, rates, &trade->creator_fee)) {
        return false;
    }
    trade->trade_fee = fee - trade->creator_fee;
    return true;
}

/* Exactly `amount` comes in. */
NOINLINE Outcome trade_exact_input(u64 amount, const Reserves *reserves, const FeeRates *rates,
                                   Trade *trade) {
    u64 rate, fee;
    u128 wide;
    trade->input_amount = amount;
    if (!input_rate(rates, &rate)) {
        return TRADE_PANIC;
    }
    if (!fee_ceil(amount, rate, &fee) || fee > amount || !share_input_fee(fee, rates, trade) ||
        !split_trade_fee(rates, trade)) {
        return TRADE_IMPOSSIBLE;
    }
    trade->curve_input = amount - fee;
    u128 divisor = (u128)reserves->input + trade->curve_input;
    if (!multiply_divide_floor(trade->curve_input, reserves->output, divisor, &wide)) {
        return TRADE_PANIC; /* an empty pool */
    }
    trade->curve_output = low_half(wide); /* at most the reserve */
    trade->output_amount = trade->curve_output;
    if (!rates->creator_on_input) {
        if (!fee_ceil(trade->curve_output, rates->creator, &trade->creator_fee) ||
            trade->creator_fee > trade->curve_output) {
            return TRADE_IMPOSSIBLE;
        }
        trade->output_amount -= trade->creator_fee;
    }
    return TRADE_DONE;
}

/* Exactly `amount` goes out. */
NOINLINE Outcome trade_exact_output(u64 amount, const Reserves *reserves, const FeeRates *rates,
                                    Trade *trade) {
    u64 rate;
    u128 wide;
    trade->output_amount = amount;
    trade->curve_output = amount;
    u64 creator_on_output = 0;
    if (!rates->creator_on_input) {
        if (!before_fee(amount, rates->creator, &trade->curve_output)) {
            return TRADE_IMPOSSIBLE;
        }
        creator_on_output = trade->curve_output - amount;
    }
    if (trade->curve_output >= reserves->output ||
        !multiply_divide_ceil(reserves->input, trade->curve_output,
                              reserves->output - trade->curve_output, &wide) ||
        !to_u64(wide, &trade->curve_input) || !input_rate(rates, &rate) ||
        !before_fee(trade->curve_input, rate, &trade->input_amount)) {
        return TRADE_PANIC;
    }
    if (!share_input_fee(trade->input_amount - trade->curve_input, rates, trade) ||
        !split_trade_fee(rates, trade)) {
        return TRADE_IMPOSSIBLE;
    }
    if (!rates->creator_on_input) {
        trade->creator_fee = creator_on_output;
    }
    return TRADE_DONE;
}

/* The product of the reserves never falls: fees and rounding stay with the pool. */
INLINE bool keeps_product(const Reserves *before, const Trade *trade) {
    u64 input;
    if (!add_u64(before->input, trade->curve_input, &input)) {
        return false;
    }
    u64 output = before->output - trade->curve_output;
    return multiply_u64(input, output) >= multiply_u64(before->input, before->output);
}
