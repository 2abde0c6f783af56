/* The program's own errors, and what the log says of them: the real program, built with Anchor,
 * tells a name and a number, and clients know it by its name, as the numbers change between versions.
 * Source: https://github.com/raydium-io/raydium-clmm (error.rs), and the form of the message:
 * https://docs.rs/anchor-lang/latest/src/anchor_lang/error.rs.html
 */
#pragma once

#include "syscalls.h"
#include "types.h"

/* error(name, number), in order of number. */
#define CLMM_ERRORS(error)                                                                         \
    error(RequireGtViolated, 2505)                                                                 \
    error(NotApproved, 6000)                                                                       \
    error(InvalidTickArray, 6009)                                                                  \
    error(SqrtPriceLimitOverflow, 6011)                                                            \
    error(SqrtPriceX64, 6012)                                                                      \
    error(LiquiditySubValueErr, 6013)                                                              \
    error(LiquidityAddValueErr, 6014)                                                              \
    error(LiquidityInsufficient, 6016)                                                             \
    error(TooLittleOutputReceived, 6018)                                                           \
    error(TooMuchInputPaid, 6019)                                                                  \
    error(ZeroAmountSpecified, 6020)                                                               \
    error(InvalidInputPoolVault, 6021)                                                             \
    error(TooSmallInputOrOutputAmount, 6022)                                                       \
    error(NotEnoughTickArrayAccount, 6023)                                                         \
    error(InvalidFirstTickArrayAccount, 6024)                                                      \
    error(InvalidRewardIndex, 6025)                                                                \
    error(MissingTickArrayBitmapExtensionAccount, 6035)                                            \
    error(InsufficientLiquidityForDirection, 6036)                                                 \
    error(MaxTokenOverflow, 6037)                                                                  \
    error(CalculateOverflow, 6038)                                                                 \
    error(InvalidLimitOrderAmount, 6042)                                                           \
    error(ZeroSqrtPrice, 6046)                                                                     \
    error(ZeroLiquidity, 6047)                                                                     \
    error(InvalidTickArrayBitmapExtensionAccount, 6051)

#define CLMM_NUMBER(name, number) name = number,
enum {
    CLMM_ERRORS(CLMM_NUMBER)
};

#define CLMM_SAY(name, number)                                                                     \
    case number: {                                                                                 \
        static const char text[] =                                                                 \
            "AnchorError occurred. Error Code: " #name ". Error Number: " #number ".";             \
        sol_log_(text, sizeof(text) - 1);                                                          \
        break;                                                                                     \
    }

/* Log the name of an error of this program; return it. */
NOINLINE u64 said(u64 error) {
    switch (error) {
        CLMM_ERRORS(CLMM_SAY)
    default:
        break;
    }
    return error;
}
