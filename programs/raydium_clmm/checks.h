/* Whether the accounts of a swap are what they must be, checked in the order of the real program:
 * first each account by itself, then how they belong together, then those behind them.
 * Source: https://github.com/raydium-io/raydium-clmm (instructions/swap_v2.rs, util/account_load.rs).
 */
#pragma once

#include "arrays.h"
#include "observation.h"
#include "token_2022.h"

/* MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr */
static const Pubkey MEMO_PROGRAM = {{
    0x05, 0x4a, 0x53, 0x5a, 0x99, 0x29, 0x21, 0x06, 0x4d, 0x24, 0xe8, 0x71, 0x60, 0xda, 0x38, 0x7c,
    0x7c, 0x35, 0xb5, 0xdd, 0xbc, 0x92, 0xbb, 0x81, 0xe4, 0x1f, 0xa8, 0x40, 0x41, 0x05, 0x44, 0x8d,
}};

/* The program's own account: right owner, type and length. */
NOINLINE u64 check_state(const Account *account, const Pubkey *program_id, u64 discriminator,
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
    TRY(check_state(&accounts[CONFIG], call->program_id, CONFIG_DISCRIMINATOR, sizeof(Config)));
    TRY(check_state(&accounts[POOL], call->program_id, POOL_DISCRIMINATOR, sizeof(Pool)));
    for (int i = INPUT_ACCOUNT; i <= OUTPUT_VAULT; i++) {
        TRY(any_token_account_check(&accounts[i]));
    }
    TRY(check_state(&accounts[OBSERVATION], call->program_id, OBSERVATION_DISCRIMINATOR,
                    sizeof(ObservationState)));
    REQUIRE(pubkey_equal(accounts[TOKEN_PROGRAMS].key, &TOKEN_PROGRAM) &&
                pubkey_equal(accounts[TOKEN_PROGRAMS + 1].key, &TOKEN_2022_PROGRAM) &&
                pubkey_equal(accounts[MEMO].key, &MEMO_PROGRAM),
            ANCHOR_INVALID_PROGRAM_ID);
    TRY(any_mint_check(&accounts[INPUT_MINT]));
    return any_mint_check(&accounts[OUTPUT_MINT]);
}

INLINE u64 check_mint(const Account *mint, const Account *vault) {
    const TokenAccount *token = (const TokenAccount *)vault->data;
    REQUIRE(pubkey_equal(mint->key, &token->mint), ANCHOR_CONSTRAINT_ADDRESS);
    return OK;
}

NOINLINE u64 check_together(const Account *accounts) {
    const Pool *pool = (const Pool *)accounts[POOL].data;
    REQUIRE(pubkey_equal(accounts[CONFIG].key, &pool->config), ANCHOR_CONSTRAINT_ADDRESS);
    for (int i = POOL; i <= OBSERVATION; i++) {
        REQUIRE(accounts[i].is_writable, ANCHOR_CONSTRAINT_MUT);
    }
    REQUIRE(pubkey_equal(accounts[OBSERVATION].key, &pool->observation),
            ANCHOR_CONSTRAINT_ADDRESS);
    TRY(check_mint(&accounts[INPUT_MINT], &accounts[INPUT_VAULT]));
    return check_mint(&accounts[OUTPUT_MINT], &accounts[OUTPUT_VAULT]);
}

INLINE u64 check_accounts(const Call *call) {
    REQUIRE(call->account_count >= SWAP_ACCOUNTS, ANCHOR_ACCOUNT_NOT_ENOUGH_KEYS);
    TRY(check_each(call));
    return check_together(call->accounts);
}

NOINLINE u64 add_array(const Call *call, const Account *account, Arrays *arrays) {
    REQUIRE(account->is_writable || !pubkey_equal(account->owner, call->program_id),
            ANCHOR_ACCOUNT_NOT_MUTABLE);
    TRY(check_state(account, call->program_id, ARRAY_DISCRIMINATOR, sizeof(TickArray)));
    REQUIRE(arrays->count < ARRAYS_MAX, ERROR_INVALID_ACCOUNT_DATA);
    arrays->array[arrays->count++] = (TickArray *)account->data;
    return OK;
}

NOINLINE u64 set_extension(const Call *call, const Account *account, Arrays *arrays) {
    TRY(check_state(account, call->program_id, EXTENSION_DISCRIMINATOR, sizeof(Extension)));
    arrays->extension = (Extension *)account->data;
    REQUIRE(pubkey_equal(&arrays->extension->pool, arrays->pool_key),
            InvalidTickArrayBitmapExtensionAccount);
    return OK;
}

/* Take the accounts behind the named ones for what their lengths say; the first other ends them. */
NOINLINE u64 read_arrays(const Call *call, Arrays *arrays) {
    arrays->pool_key = call->accounts[POOL].key;
    arrays->pool = (Pool *)call->accounts[POOL].data;
    arrays->extension = NULL;
    arrays->count = 0;
    for (u64 i = SWAP_ACCOUNTS; i < call->account_count; i++) {
        const Account *account = &call->accounts[i];
        if (account->data_length == sizeof(TickArray)) {
            TRY(add_array(call, account, arrays));
        } else if (account->data_length == sizeof(Extension)) {
            TRY(set_extension(call, account, arrays));
        } else {
            break;
        }
    }
    return OK;
}
