/* A swap through the bins.
 *
 * Selling token X walks down the bin ids and takes token Y, selling Y walks up and takes X. Each
 * bin trades at its own price until it has nothing left; fees round up, what the trader receives
 * rounds down. As https://github.com/MeteoraAg/dlmm-sdk/blob/main/commons/src/quote.rs computes.
 */
#pragma once

#include "fees.h"

/* A swap under way. `left` is what the trader still wants to pay (exact in) or receive. */
typedef struct {
    Pair *pair;
    const Account *arrays; /* accounts that may hold bin arrays */
    u64 array_count;
    const Pubkey *pair_key;
    const Pubkey *program_id;
    bool sell_x;
    bool exact_in;
    bool fee_on_input;
    bool limit_orders;
    u64 left;
    u64 amount_in;
    u64 amount_out;
    u64 protocol_fee;
} Swap;

/* What one bin does. `bin_out` leaves the bin: the amount out, a fee taken from it, and what an
 * exact-out swap does not ask for, although the least payment buys it. */
typedef struct {
    u64 rate;
    Wide price;
    u64 available;
    u64 amount_in;
    u64 amount_out;
    u64 fee;
    u64 paid; /* into the bin: without the fee */
    u64 bin_out;
} Step;

INLINE i32 array_index_of(i32 bin_id) {
    /* Division is unsigned here; 8192 arrays lie below every bin id there is. */
    return (i32)((u64)(bin_id + 8192 * BINS_PER_ARRAY) / BINS_PER_ARRAY) - 8192;
}

/* Find the nearest bin array with liquidity, from that of the active bin on. */
NOINLINE u64 next_array(const Swap *swap, i32 *index) {
    i32 place = array_index_of(swap->pair->active_id) + BITMAP_HALF;
    while (place >= 0 && place < 2 * BITMAP_HALF) {
        u64 word = swap->pair->bitmap[place / 64u];
        u32 bit = place % 64u;
        if (word >> bit & 1) {
            *index = place - BITMAP_HALF;
            return OK;
        }
        bool word_is_done = swap->sell_x ? !(word & ((1ull << bit) - 1)) : !(word >> bit);
        i32 stride = word_is_done ? (swap->sell_x ? (i32)bit + 1 : 64 - (i32)bit) : 1;
        place += swap->sell_x ? -stride : stride;
    }
    return BITMAP_EXTENSION_NOT_PROVIDED;
}

/* Find the account of a bin array among those given; all up to it must be the pair's. */
NOINLINE u64 load_array(const Swap *swap, i32 index, BinArray **found) {
    for (u64 i = 0; i < swap->array_count; i++) {
        const Account *account = &swap->arrays[i];
        REQUIRE(pubkey_equal(account->owner, swap->program_id),
                ANCHOR_ACCOUNT_OWNED_BY_WRONG_PROGRAM);
        REQUIRE(account->data_length == sizeof(BinArray), ANCHOR_ACCOUNT_DID_NOT_DESERIALIZE);
        BinArray *array = (BinArray *)account->data;
        REQUIRE(load_u64(array->discriminator) == load_u64(BIN_ARRAY_DISCRIMINATOR),
                ANCHOR_ACCOUNT_DISCRIMINATOR_MISMATCH);
        REQUIRE(account->is_writable, ANCHOR_CONSTRAINT_MUT);
        REQUIRE(pubkey_equal(&array->pair, swap->pair_key), INVALID_BIN_ARRAY);
        if (array->index == index) {
            *found = array;
            return OK;
        }
    }
    return ANCHOR_ACCOUNT_NOT_ENOUGH_KEYS;
}

/* Take up to `offered`, fee included, into the bin. */
NOINLINE u64 step_in(const Swap *swap, Step *step, u64 offered) {
    u64 cost;
    step->fee = 0;
    if (swap->fee_on_input) {
        REQUIRE(fee_within(offered, step->rate, &step->fee), MATH_OVERFLOW);
    }
    step->amount_in = offered;
    step->paid = offered - step->fee;
    REQUIRE(cost_of(step->available, &step->price, swap->sell_x, &cost), MATH_OVERFLOW);
    if (step->paid < cost) {
        REQUIRE(worth_of(step->paid, &step->price, swap->sell_x, &step->bin_out), MATH_OVERFLOW);
    } else {
        bool is_rest = step->paid > cost;
        step->bin_out = step->available;
        step->paid = cost;
        if (is_rest) {
            if (swap->fee_on_input) {
                REQUIRE(fee_on_top(cost, step->rate, &step->fee), MATH_OVERFLOW);
            }
            REQUIRE(add_u64(cost, step->fee, &step->amount_in), MATH_OVERFLOW);
        }
    }
    step->amount_out = step->bin_out;
    if (!swap->fee_on_input) {
        REQUIRE(fee_within(step->bin_out, step->rate, &step->fee), MATH_OVERFLOW);
        step->amount_out -= step->fee;
    }
    return OK;
}

/* Give up to `wanted`, fee excluded, from the bin. */
NOINLINE u64 step_out(const Swap *swap, Step *step, u64 wanted) {
    u64 given = wanted, paid, fee;
    if (!swap->fee_on_input) {
        REQUIRE(fee_on_top(wanted, step->rate, &fee), MATH_OVERFLOW);
        REQUIRE(add_u64(wanted, fee, &given), MATH_OVERFLOW);
    }
    if (given >= step->available) {
        return step_in(swap, step, U64_MAX);
    }
    REQUIRE(cost_of(given, &step->price, swap->sell_x, &paid), MATH_OVERFLOW);
    if (swap->fee_on_input) {
        REQUIRE(fee_on_top(paid, step->rate, &fee), MATH_OVERFLOW);
        REQUIRE(add_u64(paid, fee, &paid), MATH_OVERFLOW);
    }
    TRY(step_in(swap, step, paid));
    REQUIRE(step->amount_out >= wanted, MATH_OVERFLOW);
    step->amount_out = wanted;
    return OK;
}

/* *growing += fee per unit of liquidity, as Q64.64; it wraps, as differences of it are taken. */
NOINLINE void grow_fee(Wide *growing, u64 fee, u64 liquidity) {
    u64 rest;
    u64 high = fee / liquidity;
    u64 low = divide_wide(fee % liquidity, 0, liquidity, &rest);
    u128 sum = ((u128)growing->high << 64 | growing->low) + ((u128)high << 64 | low);
    *growing = (Wide){low_half(sum), high_half(sum)};
}

/* Write what a step did into the bin; its protocol fee into the swap. */
NOINLINE u64 settle(Swap *swap, Bin *bin, const Step *step) {
    u64 *taken = swap->sell_x ? &bin->amount_x : &bin->amount_y;
    u64 *given = swap->sell_x ? &bin->amount_y : &bin->amount_x;
    REQUIRE(add_u64(*taken, step->paid, taken), MATH_OVERFLOW);
    *given -= step->bin_out;

    u64 protocol_fee = step->fee; /* of a payment too small to buy anything */
    if (step->paid) {
        REQUIRE(share_floor(step->fee, swap->pair->fees.protocol_share, BASIS_POINTS,
                            &protocol_fee) && protocol_fee <= step->fee,
                MATH_OVERFLOW);
    }
    REQUIRE(add_u64(swap->protocol_fee, protocol_fee, &swap->protocol_fee), MATH_OVERFLOW);
    bool fee_in_x = swap->fee_on_input == swap->sell_x;
    if (bin->liquidity.high) {
        grow_fee(fee_in_x ? &bin->fee_x_per_liquidity : &bin->fee_y_per_liquidity,
                 step->fee - protocol_fee, bin->liquidity.high);
    }
    return OK;
}

/* Trade the active bin as far as it goes. */
NOINLINE u64 swap_bin(Swap *swap, Bin *bin) {
    Step step;
    step.available = swap->sell_x ? bin->amount_y : bin->amount_x;
    bool has_orders = bin->open_orders || bin->processed_orders_remaining;
    REQUIRE(!(swap->limit_orders && has_orders), NOT_SUPPORTED_AT_THE_MOMENT);
    if (step.available == 0) {
        return OK;
    }
    REQUIRE(bin->price.low || bin->price.high, MATH_OVERFLOW);
    step.price = bin->price;
    volatility_accumulate(swap->pair);
    step.rate = fee_rate(swap->pair);
    TRY(swap->exact_in ? step_in(swap, &step, swap->left) : step_out(swap, &step, swap->left));
    if ((swap->exact_in ? step.amount_in : step.amount_out) == 0) {
        return OK;
    }
    swap->left -= swap->exact_in ? step.amount_in : step.amount_out;
    REQUIRE(add_u64(swap->amount_in, step.amount_in, &swap->amount_in), MATH_OVERFLOW);
    REQUIRE(add_u64(swap->amount_out, step.amount_out, &swap->amount_out), MATH_OVERFLOW);
    return settle(swap, bin, &step);
}

/* Trade the bins of one array, the active one being among them. */
INLINE u64 swap_array(Swap *swap, BinArray *array) {
    i32 first = (i32)array->index * BINS_PER_ARRAY;
    for (;;) {
        u64 place = (u64)(swap->pair->active_id - first);
        if (place >= BINS_PER_ARRAY) {
            return OK;
        }
        TRY(swap_bin(swap, &array->bins[place]));
        if (swap->left == 0) {
            return OK;
        }
        swap->pair->active_id += swap->sell_x ? -1 : 1;
    }
}

/* Trade until nothing is left, and leave the pair as the swap makes it. */
NOINLINE u64 swap_run(Swap *swap, i64 now) {
    i32 start = swap->pair->active_id;
    volatility_refer(swap->pair, now);
    while (swap->left) {
        i32 index;
        BinArray *array;
        TRY(next_array(swap, &index));
        TRY(load_array(swap, index, &array));
        if (index != array_index_of(swap->pair->active_id)) {
            /* Arrays without liquidity are skipped. */
            i32 nearest = swap->sell_x ? BINS_PER_ARRAY - 1 : 0;
            swap->pair->active_id = index * BINS_PER_ARRAY + nearest;
        }
        TRY(swap_array(swap, array));
    }
    if (swap->pair->active_id != start) {
        swap->pair->volatility.last_update = now;
    }
    bool fee_in_x = swap->fee_on_input == swap->sell_x;
    u64 *owed = fee_in_x ? &swap->pair->protocol_fee_x : &swap->pair->protocol_fee_y;
    REQUIRE(add_u64(*owed, swap->protocol_fee, owed), MATH_OVERFLOW);
    return OK;
}
