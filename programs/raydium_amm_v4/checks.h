/* Whether the accounts of a swap are what they must be, in the order of the real program.
 * Source: https://github.com/raydium-io/raydium-amm (processor.rs: process_swap_base_in).
 *
 * What the program does not read without an order book is not looked at here either.
 */
#pragma once

#include "layout.h"
#include "token.h"

#define STATUSES 8

INLINE u64 check_amm(const Account *account, const Pubkey *program_id) {
    REQUIRE(pubkey_equal(account->owner, program_id), ERROR_INVALID_AMM_ACCOUNT_OWNER);
    REQUIRE(account->data_length == sizeof(AmmInfo), ERROR_EXPECTED_ACCOUNT);
    u64 status = ((const AmmInfo *)account->data)->status;
    REQUIRE(status != STATUS_UNINITIALIZED, ERROR_INVALID_STATUS);
    return status < STATUSES ? OK : panic();
}

INLINE u64 check_authority(const Call *call) {
    u8 bump = (u8)((const AmmInfo *)call->accounts[AMM].data)->nonce;
    Seed seeds[2] = {{(const u8 *)AUTHORITY_SEED, sizeof(AUTHORITY_SEED) - 1}, {&bump, 1}};
    REQUIRE(is_derived(call->accounts[AUTHORITY].key, seeds, 2, call->program_id),
            ERROR_INVALID_PROGRAM_ADDRESS);
    return OK;
}

INLINE u64 check_not_vault(const AmmInfo *amm, const Account *account) {
    REQUIRE(!pubkey_equal(account->key, &amm->vault[0]) &&
                !pubkey_equal(account->key, &amm->vault[1]),
            ERROR_INVALID_USER_TOKEN);
    return OK;
}

INLINE u64 check_token_account(const Account *account) {
    REQUIRE(pubkey_equal(account->owner, &TOKEN_PROGRAM), ERROR_INVALID_SPL_TOKEN_PROGRAM);
    REQUIRE(account->data_length == TOKEN_ACCOUNT_BYTES &&
                ((const TokenAccount *)account->data)->state != 0,
            ERROR_EXPECTED_ACCOUNT);
    return OK;
}

NOINLINE u64 check_accounts(const Call *call) {
    const Account *accounts = call->accounts;
    TRY(check_amm(&accounts[AMM], call->program_id));
    const AmmInfo *amm = (const AmmInfo *)accounts[AMM].data;
    REQUIRE(accounts[OWNER].is_signer, ERROR_INVALID_SIGN_ACCOUNT);
    REQUIRE(pubkey_equal(accounts[TOKENS].key, &TOKEN_PROGRAM), ERROR_INVALID_SPL_TOKEN_PROGRAM);
    TRY(check_authority(call));
    REQUIRE(pubkey_equal(accounts[VAULT].key, &amm->vault[0]), ERROR_INVALID_COIN_VAULT);
    REQUIRE(pubkey_equal(accounts[VAULT + 1].key, &amm->vault[1]), ERROR_INVALID_PC_VAULT);
    TRY(check_not_vault(amm, &accounts[SOURCE]));
    TRY(check_not_vault(amm, &accounts[DESTINATION]));
    TRY(check_token_account(&accounts[VAULT]));
    TRY(check_token_account(&accounts[VAULT + 1]));
    TRY(check_token_account(&accounts[SOURCE]));
    return check_token_account(&accounts[DESTINATION]);
}
