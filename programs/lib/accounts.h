/* What the runtime hands to a program: the accounts, the instruction's data, the program's id.
 *
 * Layout of the input: https://solana.com/docs/programs/faq#input-parameter-serialization
 *   u64 count, then per account either
 *     u8 index of an earlier one, 7 bytes of padding                        (a duplicate), or
 *     0xff, u8 signer, u8 writable, u8 executable, u32 original data length, key[32], owner[32],
 *     u64 lamports, u64 data length, data, 10,240 spare bytes, padding to 8, u64 rent epoch,
 *   then u64 data length, data, program id[32].
 */
#pragma once

#include "errors.h"
#include "syscalls.h"
#include "types.h"

#define ACCOUNT_SPARE_BYTES 10240
#define NOT_A_DUPLICATE 0xff

typedef struct {
    u8 bytes[32];
} Pubkey;

/* One account, in the layout sol_invoke_signed_c reads. Duplicates share their pointers. */
typedef struct {
    const Pubkey *key;
    u64 *lamports;
    u64 data_length;
    u8 *data;
    const Pubkey *owner;
    u64 rent_epoch;
    bool is_signer;
    bool is_writable;
    bool is_executable;
} Account;

_Static_assert(sizeof(Account) == 56, "the runtime's C layout of an account");

typedef struct {
    Account *accounts;
    u64 account_count;
    const u8 *data;
    u64 data_length;
    const Pubkey *program_id;
} Call;

INLINE u64 load_u64(const void *from) {
    const u8 *bytes = from;
    u64 value = 0;
    for (int i = 7; i >= 0; i--) {
        value = value << 8 | bytes[i];
    }
    return value;
}

NOINLINE bool pubkey_equal(const Pubkey *a, const Pubkey *b) {
    u64 difference = 0;
    for (int i = 0; i < 4; i++) {
        difference |= load_u64(a->bytes + 8 * i) ^ load_u64(b->bytes + 8 * i);
    }
    return difference == 0;
}

INLINE bool bytes_equal(const u8 *a, const u8 *b, u64 length) {
    for (u64 i = 0; i < length; i++) {
        if (a[i] != b[i]) {
            return false;
        }
    }
    return true;
}

/* Read one account at `input` into `account`; return where the next one starts. */
INLINE const u8 *account_read(const u8 *input, Account *account) {
    account->is_signer = input[1] != 0;
    account->is_writable = input[2] != 0;
    account->is_executable = input[3] != 0;
    account->key = (const Pubkey *)(input + 8);
    account->owner = (const Pubkey *)(input + 40);
    account->lamports = (u64 *)(input + 72);
    account->data_length = load_u64(input + 80);
    account->data = (u8 *)(input + 88);
    input += 88 + account->data_length + ACCOUNT_SPARE_BYTES;
    input = (const u8 *)(((u64)input + 7) & ~7ull);
    account->rent_epoch = load_u64(input);
    return input + 8;
}

/* Read the whole input. More than `limit` accounts are refused: every program knows its most. */
NOINLINE u64 call_read(const u8 *input, Call *call, Account *accounts, u64 limit) {
    call->accounts = accounts;
    call->account_count = load_u64(input);
    REQUIRE(call->account_count <= limit, ERROR_INVALID_ACCOUNT_DATA);
    input += 8;
    for (u64 i = 0; i < call->account_count; i++) {
        if (input[0] == NOT_A_DUPLICATE) {
            input = account_read(input, &accounts[i]);
        } else {
            accounts[i] = accounts[input[0]];
            input += 8;
        }
    }
    call->data_length = load_u64(input);
    call->data = input + 8;
    call->program_id = (const Pubkey *)(input + 8 + call->data_length);
    return OK;
}

/* What a Rust program's panic is to the caller: the transaction fails, with no code. */
INLINE u64 panic(void) {
    abort();
    return ERROR_INVALID_ACCOUNT_DATA;
}

/* Two writable accounts that are one would let a program read a balance it has already moved. */
INLINE bool same_account(const Account *a, const Account *b) {
    return pubkey_equal(a->key, b->key);
}
