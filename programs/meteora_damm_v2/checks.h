/* Whether the accounts of a swap are what they must be, in the order of the real program.
 * Source: https://github.com/MeteoraAg/damm-v2 (instructions/swap/ix_swap.rs).
 *
 * Stricter than it where this program serves less: referral accounts are refused, and so are token
 * accounts and mints a token program would not take, and a last account that is not the program.
 */
#pragma once

#include "layout.h"
#include "token_2022.h"

#define ANCHOR_CONSTRAINT_TOKEN_TOKEN_PROGRAM 2021

static const Pubkey SYSTEM_PROGRAM;

NOINLINE u64 check_pool(const Call *call) {
    const Account *account = &call->accounts[POOL];
    REQUIRE(pubkey_equal(account->owner, call->program_id), ANCHOR_ACCOUNT_OWNED_BY_WRONG_PROGRAM);
    REQUIRE(account->is_writable, ANCHOR_ACCOUNT_NOT_MUTABLE);
    REQUIRE(account->data_length >= 8, ANCHOR_ACCOUNT_DISCRIMINATOR_NOT_FOUND);
    REQUIRE(load_u64(account->data) == POOL_DISCRIMINATOR, ANCHOR_ACCOUNT_DISCRIMINATOR_MISMATCH);
    REQUIRE(account->data_length >= sizeof(Pool), ANCHOR_ACCOUNT_DID_NOT_DESERIALIZE);
    const Pool *pool = (const Pool *)account->data;
    for (int i = 0; i < 2; i++) {
        REQUIRE(pubkey_equal(&pool->vault[i], call->accounts[VAULT_A + i].key),
                ANCHOR_CONSTRAINT_HAS_ONE);
    }
    return OK;
}

NOINLINE u64 check_token_account(const Account *account) {
    REQUIRE(account->is_writable, ANCHOR_ACCOUNT_NOT_MUTABLE);
    REQUIRE(!pubkey_equal(account->owner, &SYSTEM_PROGRAM) || *account->lamports,
            ANCHOR_ACCOUNT_NOT_INITIALIZED);
    return any_token_account_check(account);
}

NOINLINE u64 check_mint(const Account *mint, const Account *vault) {
    const TokenAccount *token = (const TokenAccount *)vault->data;
    REQUIRE(pubkey_equal(mint->key, &token->mint), ANCHOR_CONSTRAINT_TOKEN_MINT);
    return any_mint_check(mint);
}

NOINLINE u64 check_tokens(const Account *accounts) {
    TRY(check_token_account(&accounts[INPUT_ACCOUNT]));
    TRY(check_token_account(&accounts[OUTPUT_ACCOUNT]));
    for (int i = 0; i < 2; i++) {
        TRY(check_token_account(&accounts[VAULT_A + i]));
        REQUIRE(pubkey_equal(accounts[VAULT_A + i].owner, accounts[PROGRAM_A + i].key),
                ANCHOR_CONSTRAINT_TOKEN_TOKEN_PROGRAM);
    }
    for (int i = 0; i < 2; i++) {
        TRY(check_mint(&accounts[MINT_A + i], &accounts[VAULT_A + i]));
    }
    return OK;
}

NOINLINE u64 check_accounts(const Call *call) {
    const Account *accounts = call->accounts;
    REQUIRE(call->account_count >= SWAP_ACCOUNTS, ANCHOR_ACCOUNT_NOT_ENOUGH_KEYS);
    REQUIRE(pubkey_equal(accounts[AUTHORITY].key, &POOL_AUTHORITY), ANCHOR_CONSTRAINT_ADDRESS);
    TRY(check_pool(call));
    TRY(check_tokens(accounts));
    REQUIRE(accounts[PAYER].is_signer, ANCHOR_ACCOUNT_NOT_SIGNER);
    REQUIRE(pubkey_equal(accounts[EVENTS].key, &EVENT_AUTHORITY), ANCHOR_CONSTRAINT_SEEDS);
    REQUIRE(pubkey_equal(accounts[REFERRAL].key, call->program_id), ERROR_UNDETERMINED);
    REQUIRE(pubkey_equal(accounts[PROGRAM].key, call->program_id), ANCHOR_INVALID_PROGRAM_ID);
    return OK;
}
