/* Facts of the chain a program may ask for. Layout: https://docs.rs/solana-clock (Clock). */
#pragma once

#include "syscalls.h"
#include "types.h"

typedef struct {
    u64 slot;
    i64 epoch_start_timestamp;
    u64 epoch;
    u64 leader_schedule_epoch;
    i64 unix_timestamp;
} Clock;

_Static_assert(sizeof(Clock) == 40, "the runtime's layout of the clock");

INLINE u64 clock_read(Clock *clock) {
    return sol_get_clock_sysvar(clock);
}
