/* The pool's own price record: cumulative prices in a ring of 100, one entry every 15 seconds.
 * Source: https://github.com/raydium-io/raydium-cp-swap (states/oracle.rs). */
#pragma once

#include "state.h"
#include "wide.h"

#define OBSERVATION_SECONDS 15

/* *delta = price * seconds; false past 128 bits. */
INLINE bool price_seconds(u128 price_x32, u64 seconds, u128 *delta) {
    u256 product;
    multiply_u128(price_x32, seconds, &product);
    return shift_right_u256(&product, 0, delta);
}

INLINE u64 seconds_since(u64 then, u64 now) {
    return now > then ? now - then : 0;
}

INLINE void observation_start(ObservationState *state, u64 now) {
    Observation *first = &state->observations[state->index];
    state->initialized = true;
    first->block_timestamp = now;
    first->cumulative_price_x32[0] = 0;
    first->cumulative_price_x32[1] = 0;
    state->last_update_timestamp = now;
}

/* Add the prices that held since the last update; at most once a second. */
NOINLINE u64 observation_update(ObservationState *state, u64 now, const u128 *price_x32) {
    REQUIRE(state->index < OBSERVATION_COUNT, panic());
    if (!state->initialized) {
        observation_start(state, now);
        return OK;
    }
    const Observation *last = &state->observations[state->index];
    if (state->last_update_timestamp == 0) {
        state->last_update_timestamp = last->block_timestamp; /* accounts older than the field */
    }
    u64 since_entry = seconds_since(last->block_timestamp, now);
    u64 since_update = seconds_since(state->last_update_timestamp, now);
    if (since_entry == 0 || since_update == 0) {
        return OK;
    }
    u16 index = state->index;
    if (since_entry >= OBSERVATION_SECONDS) {
        index = (u16)(index + 1 == OBSERVATION_COUNT ? 0 : index + 1);
    }
    Observation *entry = &state->observations[index];
    for (int token = 0; token < 2; token++) {
        u128 delta;
        REQUIRE(price_seconds(price_x32[token], since_update, &delta), ERROR_MATH_OVERFLOW);
        entry->cumulative_price_x32[token] = last->cumulative_price_x32[token] + delta;
    }
    if (index != state->index) {
        entry->block_timestamp = now;
        state->index = index;
    }
    state->last_update_timestamp = now;
    return OK;
}
