/* The VM's functions. Made by `python -m sbpf` from sbpf/syscalls.py; do not edit.
 *
 * A call of a constant address becomes `call imm`, imm being the murmur3 of the name:
 * SBPF v3 static syscalls, SIMD-0178.
 */
#pragma once

#include "types.h"

static void (*const abort)(void) =
    (void (*)(void))0xb6fc1a11ull;
static void (*const sol_log_)(const char *text, u64 length) =
    (void (*)(const char *text, u64 length))0x207559bdull;
static void (*const sol_log_64_)(u64 a, u64 b, u64 c, u64 d, u64 e) =
    (void (*)(u64 a, u64 b, u64 c, u64 d, u64 e))0x5c2a3178ull;
static void (*const sol_log_pubkey)(const void *pubkey) =
    (void (*)(const void *pubkey))0x7ef088caull;
static void (*const sol_log_compute_units_)(void) =
    (void (*)(void))0x52ba5096ull;
static void (*const sol_log_data)(const void *slices, u64 count) =
    (void (*)(const void *slices, u64 count))0x7317b434ull;
static void (*const sol_memcpy_)(void *to, const void *from, u64 length) =
    (void (*)(void *to, const void *from, u64 length))0x717cc4a3ull;
static void (*const sol_memmove_)(void *to, const void *from, u64 length) =
    (void (*)(void *to, const void *from, u64 length))0x434371f8ull;
static void (*const sol_memset_)(void *to, u64 byte, u64 length) =
    (void (*)(void *to, u64 byte, u64 length))0x3770fb22ull;
static void (*const sol_memcmp_)(const void *a, const void *b, u64 length, i32 *order) =
    (void (*)(const void *a, const void *b, u64 length, i32 *order))0x5fdcde31ull;
static u64 (*const sol_get_clock_sysvar)(void *clock) =
    (u64 (*)(void *clock))0xd56b5fe9ull;
static u64 (*const sol_get_rent_sysvar)(void *rent) =
    (u64 (*)(void *rent))0xbf7188f6ull;
static u64 (*const sol_create_program_address)(const void *seeds, u64 count, const void *program, void *address) =
    (u64 (*)(const void *seeds, u64 count, const void *program, void *address))0x9377323cull;
static u64 (*const sol_try_find_program_address)(const void *seeds, u64 count, const void *program, void *address, u8 *bump) =
    (u64 (*)(const void *seeds, u64 count, const void *program, void *address, u8 *bump))0x48504a38ull;
static u64 (*const sol_invoke_signed_c)(const void *instruction, const void *accounts, u64 count, const void *signers, u64 signer_count) =
    (u64 (*)(const void *instruction, const void *accounts, u64 count, const void *signers, u64 signer_count))0xa22b9c85ull;
static void (*const sol_set_return_data)(const void *data, u64 length) =
    (void (*)(const void *data, u64 length))0xa226d3ebull;
static u64 (*const sol_sha256)(const void *slices, u64 count, void *hash) =
    (u64 (*)(const void *slices, u64 count, void *hash))0x11f49d86ull;
