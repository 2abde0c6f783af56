/* Multiplication and division wider than 64 bits, without calls of a compiler library.
 *
 * Every function that can leave its range returns false; a program must turn that into an error.
 * A u128 shifted by a variable amount is a library call as well: use shift_right_u256.
 * Nothing here calls the VM, so tests compile it for the host and compare it with Python.
 */
#pragma once

#include "types.h"

/* Least significant limb first. */
typedef struct {
    u64 limb[4];
} u256;

INLINE u64 low_half(u128 value) {
    return (u64)value;
}

INLINE u64 high_half(u128 value) {
    return (u64)(value >> 64);
}

/* a * b, which always fits: four products of 32-bit halves. */
INLINE u128 multiply_u64(u64 a, u64 b) {
    u64 a_low = a & 0xffffffff, a_high = a >> 32;
    u64 b_low = b & 0xffffffff, b_high = b >> 32;
    u64 low = a_low * b_low;
    u64 cross_a = a_low * b_high;
    u64 cross_b = a_high * b_low;
    u64 high = a_high * b_high;
    u64 middle = (low >> 32) + (cross_a & 0xffffffff) + (cross_b & 0xffffffff);
    u64 result_low = middle << 32 | (low & 0xffffffff);
    u64 result_high = high + (cross_a >> 32) + (cross_b >> 32) + (middle >> 32);
    return (u128)result_high << 64 | result_low;
}

INLINE bool add_u64(u64 a, u64 b, u64 *sum) {
    *sum = a + b;
    return *sum >= a;
}

INLINE bool to_u64(u128 value, u64 *result) {
    *result = low_half(value);
    return high_half(value) == 0;
}

/* Divide the 256-bit number *rest:*low by *divisor, which must exceed *rest: then *low becomes the
 * quotient and *rest the remainder. Shift and subtract, one bit of the quotient a step; the upper
 * half of a quotient by a 64-bit divisor comes at once. */
NOINLINE void divide_in_place(u128 *rest, u128 *low, const u128 *divisor) {
    u128 remainder = *rest, quotient = *low, by = *divisor;
    u64 upper = 0;
    int steps = 128;
    if (remainder == 0 && high_half(by) == 0) {
        upper = high_half(quotient) / low_half(by);
        remainder = high_half(quotient) % low_half(by);
        quotient <<= 64;
        steps = 64;
    }
    for (int i = 0; i < steps; i++) {
        u64 carry = high_half(remainder) >> 63;
        remainder = remainder << 1 | high_half(quotient) >> 63;
        quotient <<= 1;
        if (carry || remainder >= by) {
            remainder -= by;
            quotient |= 1;
        }
    }
    *rest = remainder;
    *low = quotient | (u128)upper << 64;
}

/* *quotient = numerator / divisor, *remainder = the rest; false when divisor is 0. */
INLINE bool divide_u128(u128 numerator, u128 divisor, u128 *quotient, u128 *remainder) {
    if (divisor == 0) {
        return false;
    }
    if (high_half(numerator) == 0 && high_half(divisor) == 0) {
        *quotient = low_half(numerator) / low_half(divisor);
        *remainder = low_half(numerator) % low_half(divisor);
        return true;
    }
    u128 rest = 0;
    divide_in_place(&rest, &numerator, &divisor);
    *quotient = numerator;
    *remainder = rest;
    return true;
}

/* *result = floor(a * b / divisor); false when divisor is 0 or the result needs more than 128 bits.
 */
INLINE bool multiply_divide_floor(u64 a, u64 b, u128 divisor, u128 *result) {
    u128 remainder;
    return divide_u128(multiply_u64(a, b), divisor, result, &remainder);
}

/* *result = ceil(a * b / divisor); false as above. */
INLINE bool multiply_divide_ceil(u64 a, u64 b, u128 divisor, u128 *result) {
    u128 remainder;
    if (!divide_u128(multiply_u64(a, b), divisor, result, &remainder)) {
        return false;
    }
    *result += remainder != 0;
    return true;
}

/* *product = a * b. */
INLINE void multiply_u128(u128 a, u128 b, u256 *product) {
    u128 low = multiply_u64(low_half(a), low_half(b));
    u128 cross_a = multiply_u64(low_half(a), high_half(b));
    u128 cross_b = multiply_u64(high_half(a), low_half(b));
    u128 high = multiply_u64(high_half(a), high_half(b));
    u128 middle = (u128)high_half(low) + low_half(cross_a) + low_half(cross_b);
    u128 upper = high + high_half(cross_a) + high_half(cross_b) + high_half(middle);
    product->limb[0] = low_half(low);
    product->limb[1] = low_half(middle);
    product->limb[2] = low_half(upper);
    product->limb[3] = high_half(upper);
}

/* *result = value >> bits, 0 <= bits < 256; false when it needs more than 128 bits. */
NOINLINE bool shift_right_u256(const u256 *value, u32 bits, u128 *result) {
    u64 limb[4] = {0, 0, 0, 0};
    u32 whole = bits / 64, rest = bits % 64;
    for (u32 i = 0; i + whole < 4; i++) {
        limb[i] = value->limb[i + whole] >> rest;
        if (rest && i + whole + 1 < 4) {
            limb[i] |= value->limb[i + whole + 1] << (64 - rest);
        }
    }
    *result = (u128)limb[1] << 64 | limb[0];
    return limb[2] == 0 && limb[3] == 0;
}

/* *quotient = numerator / divisor, *remainder = the rest; false when divisor is 0 or the quotient
 * needs more than 128 bits. */
INLINE bool divide_u256(const u256 *numerator, u128 divisor, u128 *quotient, u128 *remainder) {
    u128 rest = (u128)numerator->limb[3] << 64 | numerator->limb[2];
    u128 low = (u128)numerator->limb[1] << 64 | numerator->limb[0];
    if (rest >= divisor) {
        return false;
    }
    divide_in_place(&rest, &low, &divisor);
    *quotient = low;
    *remainder = rest;
    return true;
}
