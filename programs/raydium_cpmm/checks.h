/* Whether the accounts of a swap are what they must be, checked in the order of the real program:
 * first each account by itself, then how they belong together.
 *
 * Stricter than the real program where it would only hurt the caller: a writable account given twice
 * is refused.
 */
#pragma once

#include "errors.h"
#include "state.h"
#include "token_2022.h"

/* The program's own account: right owner, type and length. */
INLINE u64 check_state(const Account *account, const Pubkey *program_id, u64 discriminator,
                       u64 length) {
    REQUIRE(pubkey_equal(account->owner, program_id), ANCHOR_ACCOUNT_OWNED_BY_WRONG_PROGRAM);
    REQUIRE(account->data_length >= 8, ANCHOR_ACCOUNT_DISCRIMINATOR_NOT_FOUND);
    REQUIRE(load_u64(account->data) == discriminator, ANCHOR_ACCOUNT_DISCRIMINATOR_MISMATCH);
    REQUIRE(account->data_length >= length, ANCHOR_ACCOUNT_DID_NOT_DESERIALIZE);
    return OK;
}

NOINLINE u64 check_each(const Call *call) {
    const Account *accounts = call->accounts;
    REQUIRE(accounts[PAYER].is_signer, ANCHOR_ACCOUNT_NOT_SIGNER);
    TRY(check_state(&accounts[AMM_CONFIG], call->program_id, AMM_CONFIG_DISCRIMINATOR,
                    sizeof(AmmConfig)));
    TRY(check_state(&accounts[POOL], call->program_id, POOL_STATE_DISCRIMINATOR,
                    sizeof(PoolState)));
    for (int i = INPUT_ACCOUNT; i <= OUTPUT_VAULT; i++) {
        TRY(any_token_account_check(&accounts[i]));
    }
    for (int i = INPUT_TOKEN_PROGRAM; i <= OUTPUT_TOKEN_PROGRAM; i++) {
        REQUIRE(is_token_program(accounts[i].key), ANCHOR_INVALID_PROGRAM_ID);
    }
    for (int i = INPUT_MINT; i <= OUTPUT_MINT; i++) {
        TRY(any_mint_check(&accounts[i]));
    }
    return check_state(&accounts[OBSERVATION], call->program_id, OBSERVATION_STATE_DISCRIMINATOR,
                       sizeof(ObservationState));
}

INLINE bool is_vault(const PoolState *pool, const Pubkey *key) {
    return pubkey_equal(key, &pool->vault[0]) || pubkey_equal(key, &pool->vault[1]);
}

INLINE u64 check_authority(const Call *call, const PoolState *pool) {
    u8 bump = pool->authority_bump;
    Seed seeds[2] = {{(const u8 *)AUTHORITY_SEED, sizeof(AUTHORITY_SEED) - 1}, {&bump, 1}};
    REQUIRE(is_derived(call->accounts[AUTHORITY].key, seeds, 2, call->program_id),
            ANCHOR_CONSTRAINT_SEEDS);
    return OK;
}

INLINE u64 check_mint(const Account *mint, const Account *vault) {
    const TokenAccount *token = (const TokenAccount *)vault->data;
    REQUIRE(pubkey_equal(mint->key, &token->mint), ANCHOR_CONSTRAINT_ADDRESS);
    return OK;
}

/* No writable account but the vaults may appear twice; the vaults are told apart by the pool. */
INLINE u64 check_distinct(const Account *accounts) {
    static const u8 writable[] = {POOL, INPUT_ACCOUNT, OUTPUT_ACCOUNT, INPUT_VAULT, OUTPUT_VAULT,
                                  OBSERVATION};
    for (u64 i = 0; i < sizeof(writable); i++) {
        for (u64 j = i + 1; j < sizeof(writable); j++) {
            bool vaults = writable[i] == INPUT_VAULT && writable[j] == OUTPUT_VAULT;
            REQUIRE(vaults || !same_account(&accounts[writable[i]], &accounts[writable[j]]),
                    ANCHOR_CONSTRAINT_DUPLICATE_MUTABLE_ACCOUNT);
        }
    }
    return OK;
}

NOINLINE u64 check_together(const Call *call) {
    const Account *accounts = call->accounts;
    const PoolState *pool = (const PoolState *)accounts[POOL].data;
    TRY(check_authority(call, pool));
    REQUIRE(pubkey_equal(accounts[AMM_CONFIG].key, &pool->amm_config), ANCHOR_CONSTRAINT_ADDRESS);
    for (int i = POOL; i <= OUTPUT_VAULT; i++) {
        REQUIRE(accounts[i].is_writable, ANCHOR_CONSTRAINT_MUT);
    }
    REQUIRE(is_vault(pool, accounts[INPUT_VAULT].key), ANCHOR_CONSTRAINT_RAW);
    REQUIRE(is_vault(pool, accounts[OUTPUT_VAULT].key), ANCHOR_CONSTRAINT_RAW);
    TRY(check_mint(&accounts[INPUT_MINT], &accounts[INPUT_VAULT]));
    TRY(check_mint(&accounts[OUTPUT_MINT], &accounts[OUTPUT_VAULT]));
    REQUIRE(accounts[OBSERVATION].is_writable, ANCHOR_CONSTRAINT_MUT);
    REQUIRE(pubkey_equal(accounts[OBSERVATION].key, &pool->observation),
            ANCHOR_CONSTRAINT_ADDRESS);
    return check_distinct(accounts);
}

INLINE u64 check_accounts(const Call *call) {
    REQUIRE(call->account_count >= SWAP_ACCOUNTS, ANCHOR_ACCOUNT_NOT_ENOUGH_KEYS);
    TRY(check_each(call));
    return check_together(call);
}
