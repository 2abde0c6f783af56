/* Which tick array comes next, by the pool's bitmap and its extension, and its ticks.
 *
 * An array has a place: its first tick over the ticks an array spans, negative below price one. A
 * word of a bitmap has 64 of them; the pool's own has those of places -512 to 511.
 * Source: https://github.com/raydium-io/raydium-clmm (libraries/tick_array_bit_map.rs,
 * states/tickarray_bitmap_extension.rs, states/pool.rs, instructions/swap.rs).
 */
#pragma once

#include "ticks.h"

#define WORD_BITS 64
#define WORDS_MOST ((EXTENSION_MAPS + 1) * MAP_WORDS) /* on either side of price one */
#define PLACES_MOST (WORDS_MOST * WORD_BITS)
#define SPACING_WITHOUT_EXTENSION 15 /* from here on the pool's own bitmap has all there is */
#define ARRAYS_MAX 24

/* The tick arrays a swap was given, and how far it has come with them. */
typedef struct {
    Pool *pool;
    const Pubkey *pool_key;
    Extension *extension; /* NULL where it was not given */
    TickArray *array[ARRAYS_MAX];
    u32 count;
    u32 at;
    i32 place;    /* of the array at `at` */
    bool is_entered; /* the tick of the swap lies in it or has */
} Arrays;

INLINE i32 span_of(const Pool *pool) {
    return ARRAY_TICKS * pool->tick_spacing;
}

INLINE i32 place_of(const Pool *pool, i32 tick) {
    i64 span = span_of(pool); /* division is unsigned here */
    return (i32)((u64)(tick + PLACES_MOST * span) / (u64)span) - PLACES_MOST;
}

/* *bits = where a word of the bitmaps is, NULL where there is none. */
NOINLINE u64 word_find(const Arrays *arrays, i32 word, Word **bits) {
    *bits = NULL;
    if (word >= -MAP_WORDS && word < MAP_WORDS) {
        *bits = &arrays->pool->bitmap[word + MAP_WORDS];
        return OK;
    }
    if (arrays->pool->tick_spacing >= SPACING_WITHOUT_EXTENSION || word >= WORDS_MOST ||
        word < -WORDS_MOST) {
        return OK;
    }
    REQUIRE(arrays->extension, MissingTickArrayBitmapExtensionAccount);
    if (word >= 0) {
        *bits = &arrays->extension->above[word - MAP_WORDS];
    } else {
        u32 nearest = (u32)(-MAP_WORDS - 1 - word); /* words from the pool's own map down */
        *bits = &arrays->extension->below[nearest + (MAP_WORDS - 1) - 2 * (nearest % MAP_WORDS)];
    }
    return OK;
}

/* *place = the nearest array with ticks, from this place on; *is_found = whether there is one. */
NOINLINE u64 nearest(const Arrays *arrays, bool down, i32 *place, bool *is_found) {
    u64 at = (u64)(*place + PLACES_MOST);
    for (;;) {
        Word *word;
        TRY(word_find(arrays, (i32)(at / WORD_BITS) - WORDS_MOST, &word));
        *is_found = word != NULL;
        if (!word) {
            return OK;
        }
        u32 bit = at % WORD_BITS;
        u64 bits = down ? word->bits & ((2ull << bit) - 1) : word->bits >> bit << bit;
        if (bits) {
            u32 found = (down ? bit_length(bits) : bit_length(bits & -bits)) - 1;
            *place = (i32)(at - bit + found) - PLACES_MOST;
            return OK;
        }
        at = down ? at - bit - 1 : at - bit + WORD_BITS;
    }
}

/* The last of the ticks of the array at hand is gone: so is its bit. */
NOINLINE u64 forget_array(const Arrays *arrays) {
    u64 at = (u64)(arrays->place + PLACES_MOST);
    Word *word;
    TRY(word_find(arrays, (i32)(at / WORD_BITS) - WORDS_MOST, &word));
    REQUIRE(word, InvalidTickArray);
    word->bits ^= 1ull << at % WORD_BITS;
    return OK;
}

/* Come to the array where the swap begins: that of the current tick, or the nearest. */
NOINLINE u64 arrays_begin(Arrays *arrays, bool down) {
    i32 current = place_of(arrays->pool, arrays->pool->tick);
    bool is_found;
    arrays->place = current;
    TRY(nearest(arrays, down, &arrays->place, &is_found));
    REQUIRE(is_found, InsufficientLiquidityForDirection);
    arrays->is_entered = arrays->place == current;
    REQUIRE(arrays->count, NotEnoughTickArrayAccount);
    i32 start = arrays->place * span_of(arrays->pool);
    for (arrays->at = 0; arrays->at + 1 < arrays->count; arrays->at++) {
        if (arrays->array[arrays->at]->start == start) {
            break; /* those before the first that is needed may be others */
        }
    }
    const TickArray *first = arrays->array[arrays->at];
    REQUIRE(pubkey_equal(&first->pool, arrays->pool_key), ANCHOR_REQUIRE_KEYS_EQ_VIOLATED);
    REQUIRE(first->start == start, InvalidFirstTickArrayAccount);
    return OK;
}

/* Go on to the next array with ticks; those given in between must be the pool's. */
NOINLINE u64 arrays_advance(Arrays *arrays, bool down) {
    bool is_found;
    arrays->place += down ? -1 : 1;
    TRY(nearest(arrays, down, &arrays->place, &is_found));
    REQUIRE(is_found, LiquidityInsufficient);
    i32 start = arrays->place * span_of(arrays->pool);
    while (arrays->array[arrays->at]->start != start) {
        REQUIRE(++arrays->at < arrays->count, NotEnoughTickArrayAccount);
        REQUIRE(pubkey_equal(&arrays->array[arrays->at]->pool, arrays->pool_key),
                ANCHOR_REQUIRE_KEYS_EQ_VIOLATED);
    }
    return OK;
}

INLINE bool has_orders(const Tick *tick) {
    return tick->orders || tick->orders_partly_filled;
}

INLINE bool has_liquidity(const Tick *tick) {
    return tick->liquidity_gross.low || tick->liquidity_gross.high;
}

INLINE bool is_initialized(const Tick *tick) {
    return has_liquidity(tick) || has_orders(tick);
}

/* The nearest initialized tick of an array from an index on, NULL where there is none. */
INLINE Tick *tick_from(TickArray *array, i32 index, bool down) {
    for (; index >= 0 && index < ARRAY_TICKS; index += down ? -1 : 1) {
        if (is_initialized(&array->ticks[index])) {
            return &array->ticks[index];
        }
    }
    return NULL;
}

/* *found = the next initialized tick: at or below `tick`, or above it. */
NOINLINE u64 next_tick(Arrays *arrays, i32 tick, bool down, Tick **found) {
    TickArray *array = arrays->array[arrays->at];
    if (place_of(arrays->pool, tick) == arrays->place) {
        i32 index = (i32)((u64)(tick - array->start) / arrays->pool->tick_spacing);
        if ((*found = tick_from(array, down ? index : index + 1, down))) {
            return OK;
        }
    }
    if (arrays->is_entered) {
        TRY(arrays_advance(arrays, down));
    }
    arrays->is_entered = true;
    *found = tick_from(arrays->array[arrays->at], down ? ARRAY_TICKS - 1 : 0, down);
    REQUIRE(*found, InvalidTickArray);
    return OK;
}
