/* Addresses a program derives and signs for.
 * Derivation: https://solana.com/docs/core/pda (create_program_address). */
#pragma once

#include "accounts.h"

typedef struct {
    const u8 *bytes;
    u64 length;
} Seed;

/* The seeds of one signer, bump included. */
typedef struct {
    const Seed *seeds;
    u64 count;
} SignerSeeds;

/* True when `seeds`, bump included, derive exactly `key` for this program. */
INLINE bool is_derived(const Pubkey *key, const Seed *seeds, u64 count, const Pubkey *program_id) {
    Pubkey derived;
    return sol_create_program_address(seeds, count, program_id, &derived) == OK &&
           pubkey_equal(key, &derived);
}
