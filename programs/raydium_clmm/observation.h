/* The pool's own price record: cumulative ticks in a ring of 100, one entry every 15 seconds.
 * Source: https://github.com/raydium-io/raydium-clmm (states/oracle.rs). */
#pragma once

#include "layout.h"

#define OBSERVATION_COUNT 100
#define OBSERVATION_SECONDS 15

typedef struct PACKED {
    u32 block_timestamp;
    i64 cumulative_tick; /* tick times seconds */
    u8 unused[32];
} Observation;

typedef struct PACKED {
    u64 discriminator;
    bool initialized;
    u64 recent_epoch;
    u16 index;
    Pubkey pool;
    Observation observations[OBSERVATION_COUNT];
    u8 unused[32];
} ObservationState;

_Static_assert(sizeof(ObservationState) == 4483, "length of an observation account");

/* Add the tick that held since the last entry. */
NOINLINE u64 observation_update(ObservationState *state, u32 now, i32 tick) {
    REQUIRE(state->index < OBSERVATION_COUNT, panic());
    Observation *last = &state->observations[state->index];
    if (!state->initialized) {
        state->initialized = true;
        last->block_timestamp = now;
        last->cumulative_tick = 0;
        return OK;
    }
    u32 passed = now > last->block_timestamp ? now - last->block_timestamp : 0;
    if (passed < OBSERVATION_SECONDS) {
        return OK;
    }
    u16 index = (u16)(state->index + 1 == OBSERVATION_COUNT ? 0 : state->index + 1);
    Observation *entry = &state->observations[index];
    entry->block_timestamp = now;
    entry->cumulative_tick = (i64)((u64)last->cumulative_tick + (u64)((i64)tick * (i64)passed));
    state->index = index;
    return OK;
}
