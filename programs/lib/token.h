/* SPL tokens: reading accounts and mints, and moving tokens by a call of the token program.
 *
 * Layouts and instructions 3 (Transfer) and 12 (TransferChecked):
 * https://docs.rs/spl-token-interface (state::Account 165 bytes, state::Mint 82 bytes)
 */
#pragma once

#include "accounts.h"
#include "pda.h"

#define TOKEN_ACCOUNT_BYTES 165
#define MINT_BYTES 82

typedef struct PACKED {
    Pubkey mint;
    Pubkey owner;
    u64 amount;
    u8 delegate[36];
    u8 state;
    u8 is_native[12];
    u64 delegated_amount;
    u8 close_authority[36];
} TokenAccount;

typedef struct PACKED {
    u8 authority[36];
    u64 supply;
    u8 decimals;
    bool is_initialized;
    u8 freeze_authority[36];
} Mint;

_Static_assert(sizeof(TokenAccount) == TOKEN_ACCOUNT_BYTES, "the token program's layout");
_Static_assert(sizeof(Mint) == MINT_BYTES, "the token program's layout");

/* TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA */
static const Pubkey TOKEN_PROGRAM = {{
    0x06, 0xdd, 0xf6, 0xe1, 0xd7, 0x65, 0xa1, 0x93, 0xd9, 0xcb, 0xe1, 0x46, 0xce, 0xeb, 0x79, 0xac,
    0x1c, 0xb4, 0x85, 0xed, 0x5f, 0x5b, 0x37, 0x91, 0x3a, 0x8c, 0xf5, 0x85, 0x7e, 0xff, 0x00, 0xa9,
}};

/* *token = the account's data as a token account, owned by the token program and initialized. */
INLINE u64 token_account_read(const Account *account, const TokenAccount **token) {
    REQUIRE(pubkey_equal(account->owner, &TOKEN_PROGRAM), ANCHOR_ACCOUNT_OWNED_BY_WRONG_PROGRAM);
    REQUIRE(account->data_length == TOKEN_ACCOUNT_BYTES, ANCHOR_ACCOUNT_DID_NOT_DESERIALIZE);
    *token = (const TokenAccount *)account->data;
    REQUIRE((*token)->state != 0, ANCHOR_ACCOUNT_DID_NOT_DESERIALIZE);
    return OK;
}

/* *mint = the account's data as a mint, owned by the token program and initialized. */
INLINE u64 mint_read(const Account *account, const Mint **mint) {
    REQUIRE(pubkey_equal(account->owner, &TOKEN_PROGRAM), ANCHOR_ACCOUNT_OWNED_BY_WRONG_PROGRAM);
    REQUIRE(account->data_length == MINT_BYTES, ANCHOR_ACCOUNT_DID_NOT_DESERIALIZE);
    *mint = (const Mint *)account->data;
    REQUIRE((*mint)->is_initialized, ANCHOR_ACCOUNT_DID_NOT_DESERIALIZE);
    return OK;
}

/* The runtime's layouts of a call of another program. */
typedef struct {
    const Pubkey *key;
    bool is_writable;
    bool is_signer;
} InvokeAccount;

typedef struct {
    const Pubkey *program_id;
    const InvokeAccount *accounts;
    u64 account_count;
    const u8 *data;
    u64 data_length;
} Invoke;

/* A transfer; `authority` signs the transaction, or `signer` derives it. */
typedef struct {
    const Account *token_program;
    const Account *from;
    const Account *mint; /* of a checked transfer */
    const Account *to;
    const Account *authority;
    const SignerSeeds *signer; /* NULL when the authority signed */
    u64 amount;
    u8 decimals; /* of a checked transfer */
} Transfer;

INLINE void store_u64(u8 *to, u64 value) {
    for (int i = 0; i < 8; i++) {
        to[i] = (u8)(value >> (8 * i));
    }
}

INLINE u64 token_invoke(const Call *call, const Transfer *transfer, const Invoke *invoke) {
    return sol_invoke_signed_c(invoke, call->accounts, call->account_count, transfer->signer,
                               transfer->signer != NULL);
}

/* Move tokens without naming their mint; the token program checks owner and balance. */
NOINLINE u64 token_transfer(const Call *call, const Transfer *transfer) {
    u8 data[9] = {3};
    store_u64(data + 1, transfer->amount);
    InvokeAccount accounts[3] = {
        {transfer->from->key, true, false},
        {transfer->to->key, true, false},
        {transfer->authority->key, false, true},
    };
    Invoke invoke = {transfer->token_program->key, accounts, 3, data, sizeof(data)};
    return token_invoke(call, transfer, &invoke);
}

/* Move tokens; the token program checks owner, mint, decimals and balance. */
NOINLINE u64 token_transfer_checked(const Call *call, const Transfer *transfer) {
    u8 data[10] = {12};
    store_u64(data + 1, transfer->amount);
    data[9] = transfer->decimals;
    InvokeAccount accounts[4] = {
        {transfer->from->key, true, false},
        {transfer->mint->key, false, false},
        {transfer->to->key, true, false},
        {transfer->authority->key, false, true},
    };
    Invoke invoke = {transfer->token_program->key, accounts, 4, data, sizeof(data)};
    return token_invoke(call, transfer, &invoke);
}
