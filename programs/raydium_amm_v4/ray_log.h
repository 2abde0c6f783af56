/* What indexers read from the transaction's log: a line of base64.
 * Source: https://github.com/raydium-io/raydium-amm (log.rs: SwapBaseInLog, SwapBaseOutLog). */
#pragma once

#include "syscalls.h"
#include "types.h"

enum {
    LOG_SWAP_BASE_IN = 3,
    LOG_SWAP_BASE_OUT = 4,
};

typedef struct PACKED {
    u8 type;
    u64 argument[2];
    u64 direction; /* 1: token 1 is paid, 2: token 0 */
    u64 source_amount;
    u64 reserves[2];
    u64 result; /* received, or paid for an exact output */
} SwapLog;

#define LOG_BYTES 57
#define LOG_HEAD "ray_log: "
#define LOG_HEAD_BYTES 9
#define LOG_TEXT_BYTES (LOG_HEAD_BYTES + LOG_BYTES / 3 * 4)

_Static_assert(sizeof(SwapLog) == LOG_BYTES && LOG_BYTES % 3 == 0, "base64 without padding");

NOINLINE void log_swap(const SwapLog *log) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char text[LOG_TEXT_BYTES] = LOG_HEAD;
    const u8 *bytes = (const u8 *)log;
    char *to = text + LOG_HEAD_BYTES;
    for (int i = 0; i < LOG_BYTES; i += 3) {
        u32 group = (u32)bytes[i] << 16 | (u32)bytes[i + 1] << 8 | bytes[i + 2];
        for (int shift = 18; shift >= 0; shift -= 6) {
            *to++ = digits[group >> shift & 63];
        }
    }
    sol_log_(text, sizeof(text));
}
