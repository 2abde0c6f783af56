/* Fixed-width types and the few words every program needs; included by all other headers. */
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed char i8;
typedef short i16;
typedef int i32;
typedef long long i64;
typedef _Bool bool;

/* Addition, subtraction, shifts and comparison of these are inline code. Multiplication and
 * division would be calls of a library that does not exist here: see wide.h. */
typedef unsigned __int128 u128;
typedef __int128 i128;

#define true 1
#define false 0
#define NULL ((void *)0)

#define U64_MAX 0xffffffffffffffffull
#define U128_MAX (~(u128)0)

#define INLINE static inline __attribute__((always_inline))
#define NOINLINE static __attribute__((noinline))
#define PACKED __attribute__((packed))

/* Return the error of an expression that yields one. */
#define TRY(expression)                                                                            \
    do {                                                                                           \
        u64 try_error = (expression);                                                              \
        if (try_error) {                                                                           \
            return try_error;                                                                      \
        }                                                                                          \
    } while (0)

/* Return `error` unless the condition holds. */
#define REQUIRE(condition, error)                                                                  \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            return (error);                                                                        \
        }                                                                                          \
    } while (0)
