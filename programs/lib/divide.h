/* Division of 256-bit numbers in 32-bit digits (Knuth, The Art of Computer Programming 4.3.1,
 * algorithm D): a step per bit would cost most of a swap's compute units.
 * Nothing here calls the VM, so tests compile it for the host and compare it with Python.
 */
#pragma once

#include "wide.h"

#define DIGITS 8
#define DIGIT_BITS 32
#define DIGIT_MAX 0xffffffffull

/* Least significant digit first, each in a word of its own; one more than a u256 has. */
typedef struct {
    u64 digit[DIGITS + 1];
    u32 count; /* up to the highest that is not zero */
} Digits;

INLINE void digits_count(Digits *digits) {
    digits->count = DIGITS + 1;
    while (digits->count && !digits->digit[digits->count - 1]) {
        digits->count--;
    }
}

/* Spread a number over digits, shifted left by less than a digit. */
NOINLINE void digits_spread(const u256 *number, u32 shift, Digits *digits) {
    u64 carry = 0;
    for (u32 i = 0; i < DIGITS; i++) {
        u64 digit = number->limb[i / 2];
        digit = i % 2 ? digit >> DIGIT_BITS : digit & DIGIT_MAX;
        digit = digit << shift | carry;
        digits->digit[i] = digit & DIGIT_MAX;
        carry = digit >> DIGIT_BITS;
    }
    digits->digit[DIGITS] = carry;
    digits_count(digits);
}

/* Leading zero bits of the highest digit. */
INLINE u32 digits_headroom(const Digits *digits) {
    u32 zeros = 0;
    for (u64 top = digits->digit[digits->count - 1]; !(top >> (DIGIT_BITS - 1)); top <<= 1) {
        zeros++;
    }
    return zeros;
}

/* *left -= divisor * digit at `place`; true when that went below zero. */
INLINE bool digits_subtract(Digits *left, const Digits *divisor, u64 digit, u32 place) {
    u64 carry = 0, borrow = 0;
    for (u32 i = 0; i < divisor->count; i++) {
        u64 product = digit * divisor->digit[i] + carry;
        carry = product >> DIGIT_BITS;
        u64 rest = left->digit[place + i] - (product & DIGIT_MAX) - borrow;
        left->digit[place + i] = rest & DIGIT_MAX;
        borrow = rest >> 63;
    }
    u64 rest = left->digit[place + divisor->count] - carry - borrow;
    left->digit[place + divisor->count] = rest & DIGIT_MAX;
    return rest >> 63;
}

INLINE void digits_add(Digits *left, const Digits *divisor, u32 place) {
    u64 carry = 0;
    for (u32 i = 0; i < divisor->count; i++) {
        carry += left->digit[place + i] + divisor->digit[i];
        left->digit[place + i] = carry & DIGIT_MAX;
        carry >>= DIGIT_BITS;
    }
    left->digit[place + divisor->count] = (left->digit[place + divisor->count] + carry) & DIGIT_MAX;
}

/* The quotient's digit at `place`, taken off *left. */
INLINE u64 digits_step(Digits *left, const Digits *divisor, u32 place) {
    u32 count = divisor->count;
    u64 top = divisor->digit[count - 1];
    u64 next = count > 1 ? divisor->digit[count - 2] : 0;
    u64 below = count > 1 ? left->digit[place + count - 2] : 0;
    u64 upper = left->digit[place + count] << DIGIT_BITS | left->digit[place + count - 1];
    u64 guess = upper / top, over = upper % top;
    while (guess > DIGIT_MAX || guess * next > (over << DIGIT_BITS | below)) {
        guess--;
        over += top;
        if (over > DIGIT_MAX) {
            break;
        }
    }
    if (digits_subtract(left, divisor, guess, place)) {
        guess--;
        digits_add(left, divisor, place);
    }
    return guess;
}

/* *quotient = numerator / divisor, *is_rest = whether something was cut off; false when divisor
 * is 0. */
NOINLINE bool divide_wide(const u256 *numerator, const u256 *divisor, u256 *quotient,
                          bool *is_rest) {
    Digits left, by;
    *quotient = (u256){{0, 0, 0, 0}};
    digits_spread(divisor, 0, &by);
    if (!by.count) {
        return false;
    }
    u32 shift = digits_headroom(&by);
    if (shift) {
        digits_spread(divisor, shift, &by);
    }
    digits_spread(numerator, shift, &left);
    if (left.count >= by.count) {
        u32 place = left.count - by.count;
        if (left.count <= DIGITS) {
            place++; /* the digit above the highest is zero */
        }
        while (place--) {
            u64 digit = digits_step(&left, &by, place);
            quotient->limb[place / 2] |= place % 2 ? digit << DIGIT_BITS : digit;
        }
    }
    digits_count(&left);
    *is_rest = left.count != 0;
    return true;
}

INLINE u256 widen(u128 number) {
    return (u256){{low_half(number), high_half(number), 0, 0}};
}

INLINE bool fits_u128(const u256 *number) {
    return !number->limb[2] && !number->limb[3];
}

INLINE u128 narrow(const u256 *number) {
    return (u128)number->limb[1] << 64 | number->limb[0];
}

/* *sum = a + b; false past 256 bits. */
INLINE bool add_u256(const u256 *a, const u256 *b, u256 *sum) {
    u128 carry = 0;
    for (int i = 0; i < 4; i++) {
        carry += (u128)a->limb[i] + b->limb[i];
        sum->limb[i] = low_half(carry);
        carry >>= 64;
    }
    return carry == 0;
}

/* *difference = a - b; false below zero. */
INLINE bool subtract_u256(const u256 *a, const u256 *b, u256 *difference) {
    u64 borrow = 0;
    for (int i = 0; i < 4; i++) {
        u128 rest = (u128)a->limb[i] - b->limb[i] - borrow;
        difference->limb[i] = low_half(rest);
        borrow = high_half(rest) >> 63;
    }
    return !borrow;
}

INLINE bool increment_u256(u256 *number) {
    const u256 one = {{1, 0, 0, 0}};
    return add_u256(number, &one, number);
}

/* *result = a / b, rounded up if asked; false when b is 0. */
INLINE bool divide_rounded(const u256 *a, const u256 *b, bool up, u256 *result) {
    bool is_rest;
    return divide_wide(a, b, result, &is_rest) && (!(up && is_rest) || increment_u256(result));
}

/* *product = a * b; false past 128 bits. */
NOINLINE bool multiply_checked(const u128 *a, const u128 *b, u128 *product) {
    u256 wide;
    multiply_u128(*a, *b, &wide);
    *product = narrow(&wide);
    return fits_u128(&wide);
}
