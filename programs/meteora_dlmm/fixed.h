/* Q64.64 prices and shares of amounts, rounded as asked.
 *
 * Division works in 32-bit digits (Knuth, The Art of Computer Programming 4.3.1, algorithm D):
 * a swap divides several times per bin, and a step per bit would cost most of its compute units.
 * False means that the result needs more than 64 bits, or that the divisor is zero.
 */
#pragma once

#include "layout.h"
#include "wide.h"

#define DIGIT 32
#define DIGIT_MASK 0xffffffffull
#define BASIS_POINTS 10000

/* Leading zero bits of a number that is not zero. */
INLINE u32 leading_zeros(u64 value) {
    u32 zeros = 0;
    for (u32 half = 32; half; half /= 2) {
        if (!(value >> (64 - half))) {
            zeros += half;
            value <<= half;
        }
    }
    return zeros;
}

/* One digit of a quotient: `upper:digit` over a normalized divisor; *rest becomes the remainder. */
INLINE u64 divide_digit(u64 upper, u64 digit, u64 divisor, u64 *rest) {
    u64 divisor_high = divisor >> DIGIT, divisor_low = divisor & DIGIT_MASK;
    u64 guess = upper / divisor_high;
    u64 over = upper % divisor_high;
    while (guess > DIGIT_MASK || guess * divisor_low > (over << DIGIT | digit)) {
        guess--;
        over += divisor_high;
        if (over > DIGIT_MASK) {
            break;
        }
    }
    *rest = (upper << DIGIT | digit) - guess * divisor;
    return guess;
}

/* high:low over divisor; high < divisor, so the quotient fits. */
NOINLINE u64 divide_wide(u64 high, u64 low, u64 divisor, u64 *remainder) {
    if (high == 0) {
        *remainder = low % divisor;
        return low / divisor;
    }
    u32 shift = leading_zeros(divisor);
    if (shift) {
        divisor <<= shift;
        high = high << shift | low >> (64 - shift);
        low <<= shift;
    }
    u64 rest;
    u64 upper = divide_digit(high, low >> DIGIT, divisor, &rest);
    u64 lower = divide_digit(rest, low & DIGIT_MASK, divisor, &rest);
    *remainder = rest >> shift;
    return upper << DIGIT | lower;
}

/* *result = a * b / divisor. */
NOINLINE bool share_floor(u64 a, u64 b, u64 divisor, u64 *result) {
    u128 product = multiply_u64(a, b);
    if (high_half(product) >= divisor) {
        return false;
    }
    u64 rest;
    *result = divide_wide(high_half(product), low_half(product), divisor, &rest);
    return true;
}

/* *result = a * b / divisor, rounded up. */
NOINLINE bool share_ceil(u64 a, u64 b, u64 divisor, u64 *result) {
    u128 product = multiply_u64(a, b);
    if (high_half(product) >= divisor) {
        return false;
    }
    u64 rest;
    u64 quotient = divide_wide(high_half(product), low_half(product), divisor, &rest);
    return add_u64(quotient, rest != 0, result);
}

/* *result = amount * price; *fraction tells whether something was cut off. */
NOINLINE bool multiply_price(u64 amount, const Wide *price, u64 *result, bool *fraction) {
    u128 low = multiply_u64(amount, price->low);
    u128 high = multiply_u64(amount, price->high);
    *fraction = low_half(low) != 0;
    return high_half(high) == 0 && add_u64(high_half(low), low_half(high), result);
}

/* *result = amount / price, for a price of one or more; *fraction tells whether something was cut
 * off.
 *
 * Half the numerator over the price's upper 64 bits is, scaled back, at most one too high: step
 * back one, then correct (Hacker's Delight 9-5). */
NOINLINE void divide_by_large(u64 amount, const Wide *price, u64 *result, bool *fraction) {
    u32 shift = leading_zeros(price->high);
    u64 divisor = shift ? price->high << shift | price->low >> (64 - shift) : price->high;
    u64 rest;
    u64 quotient = divide_wide(amount >> 1, amount << 63, divisor, &rest) >> (63 - shift);
    quotient -= quotient != 0;
    u128 product = multiply_u64(quotient, price->low) + ((u128)(quotient * price->high) << 64);
    u128 left = ((u128)amount << 64) - product;
    u128 by = (u128)price->high << 64 | price->low;
    if (left >= by) {
        left -= by;
        quotient++;
    }
    *result = quotient;
    *fraction = left != 0;
}

/* *result = amount / price; *fraction as above. A price of zero divides nothing. */
NOINLINE bool divide_price(u64 amount, const Wide *price, u64 *result, bool *fraction) {
    if (price->high) {
        divide_by_large(amount, price, result, fraction);
        return true;
    }
    if (amount >= price->low) {
        return false;
    }
    u64 rest;
    *result = divide_wide(amount, 0, price->low, &rest);
    *fraction = rest != 0;
    return true;
}

/* What a trader pays for `received` at a price, fees left out, rounded up. */
INLINE bool cost_of(u64 received, const Wide *price, bool sell_x, u64 *paid) {
    bool fraction;
    bool fits = sell_x ? divide_price(received, price, paid, &fraction)
                       : multiply_price(received, price, paid, &fraction);
    return fits && add_u64(*paid, fraction, paid);
}

/* What a trader receives for `paid` at a price, rounded down. */
INLINE bool worth_of(u64 paid, const Wide *price, bool sell_x, u64 *received) {
    bool fraction;
    return sell_x ? multiply_price(paid, price, received, &fraction)
                  : divide_price(paid, price, received, &fraction);
}
