/* Tokens of either token program: reading accounts and mints, and what a transfer's fee takes.
 *
 * Behind the first 165 bytes Token-2022 says what an account is and appends extensions, each a type,
 * a length and a value. A mint with a transfer fee has two, of which the second counts from an epoch
 * on. Layouts and rounding: https://github.com/solana-program/token-2022 (interface/src/extension/
 * mod.rs, transfer_fee/mod.rs).
 */
#pragma once

#include "token.h"
#include "wide.h"

#define MULTISIG_BYTES 355
#define BPS_ONE 10000ull

enum {
    IS_MINT = 1,
    IS_TOKEN_ACCOUNT = 2,
};

/* TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb */
static const Pubkey TOKEN_2022_PROGRAM = {{
    0x06, 0xdd, 0xf6, 0xe1, 0xee, 0x75, 0x8f, 0xde, 0x18, 0x42, 0x5d, 0xbc, 0xe4, 0x6c, 0xcd, 0xda,
    0xb6, 0x1a, 0xfc, 0x4d, 0x83, 0xb9, 0x0d, 0x27, 0xfe, 0xbd, 0xf9, 0x28, 0xd8, 0xa1, 0x8b, 0xfc,
}};

INLINE bool is_token_program(const Pubkey *key) {
    return pubkey_equal(key, &TOKEN_PROGRAM) || pubkey_equal(key, &TOKEN_2022_PROGRAM);
}

/* Whether the data is as long as this, or is of Token-2022 and says behind it what it is. */
INLINE bool has_layout(const Account *account, u64 length, u8 type) {
    if (account->data_length == length) {
        return true;
    }
    return pubkey_equal(account->owner, &TOKEN_2022_PROGRAM) &&
           account->data_length > TOKEN_ACCOUNT_BYTES && account->data_length != MULTISIG_BYTES &&
           account->data[TOKEN_ACCOUNT_BYTES] == type;
}

/* Whether it is an initialized token account of either program. */
INLINE u64 any_token_account_check(const Account *account) {
    REQUIRE(is_token_program(account->owner), ANCHOR_ACCOUNT_OWNED_BY_WRONG_PROGRAM);
    REQUIRE(has_layout(account, TOKEN_ACCOUNT_BYTES, IS_TOKEN_ACCOUNT),
            ANCHOR_ACCOUNT_DID_NOT_DESERIALIZE);
    REQUIRE(((const TokenAccount *)account->data)->state != 0, ANCHOR_ACCOUNT_DID_NOT_DESERIALIZE);
    return OK;
}

/* Whether it is an initialized mint of either program. */
INLINE u64 any_mint_check(const Account *account) {
    REQUIRE(is_token_program(account->owner), ANCHOR_ACCOUNT_OWNED_BY_WRONG_PROGRAM);
    REQUIRE(has_layout(account, MINT_BYTES, IS_MINT), ANCHOR_ACCOUNT_DID_NOT_DESERIALIZE);
    REQUIRE(((const Mint *)account->data)->is_initialized, ANCHOR_ACCOUNT_DID_NOT_DESERIALIZE);
    return OK;
}

/* What a transfer pays out of the amount sent: basis points, rounded up, to a most. */
typedef struct PACKED {
    u64 epoch;
    u64 most;
    u16 bps;
} TransferFee;

typedef struct PACKED {
    Pubkey authorities[2];
    u64 withheld;
    TransferFee older;
    TransferFee newer; /* from its epoch on */
} TransferFeeConfig;

_Static_assert(sizeof(TransferFeeConfig) == 108, "the token program's layout");

#define TRANSFER_FEE_CONFIG 1

typedef struct PACKED {
    u16 type;
    u16 length;
} ExtensionHead;

/* *fee = what transfers of a mint pay in an epoch; nothing where it does not say. */
NOINLINE void transfer_fee_read(const Account *mint, u64 epoch, TransferFee *fee) {
    fee->epoch = fee->most = 0;
    fee->bps = 0;
    u64 at = TOKEN_ACCOUNT_BYTES + 1;
    while (at + sizeof(ExtensionHead) <= mint->data_length) {
        const ExtensionHead *head = (const ExtensionHead *)(mint->data + at);
        at += sizeof(ExtensionHead);
        if (head->type == 0 || at + head->length > mint->data_length) {
            return;
        }
        if (head->type == TRANSFER_FEE_CONFIG && head->length == sizeof(TransferFeeConfig)) {
            const TransferFeeConfig *config = (const TransferFeeConfig *)(mint->data + at);
            *fee = epoch >= config->newer.epoch ? config->newer : config->older;
            return;
        }
        at += head->length;
    }
}

/* Return the fee of a transfer of `sent`. */
INLINE u64 transfer_fee_on(const TransferFee *fee, u64 sent) {
    u64 part = sent % BPS_ONE * fee->bps; /* in parts, so that nothing passes 64 bits */
    u64 share = sent / BPS_ONE * fee->bps + (part + BPS_ONE - 1) / BPS_ONE;
    return share < fee->most ? share : fee->most;
}

/* *sent = the least to send so that `received` arrives; false when no transfer holds that. */
INLINE bool transfer_fee_before(const TransferFee *fee, u64 received, u64 *sent) {
    bool fits = add_u64(received, fee->most, sent);
    u64 kept = BPS_ONE - fee->bps;
    if (received == 0 || fee->bps >= BPS_ONE) {
        *sent = received == 0 ? 0 : *sent;
        return fits || received == 0;
    }
    u64 whole = received / kept;
    u64 rest = (received % kept * BPS_ONE + kept - 1) / kept;
    u64 share;
    if (whole > U64_MAX / BPS_ONE || !add_u64(whole * BPS_ONE, rest, &share)) {
        return fits;
    }
    if (!fits || share < *sent) {
        *sent = share;
    }
    return true;
}
