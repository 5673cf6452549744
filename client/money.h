/* SPDX-License-Identifier: Apache-2.0 */
/* Amounts of different tokens on one scale, and amounts for people.
 *
 * Every token of our table is worth one US dollar, and the tokens differ in
 * their decimals.  Caps and budgets compare on a scale of 18 decimals, which
 * every one of them fits exactly. */
#ifndef CLIENT_MONEY_H
#define CLIENT_MONEY_H

#include <stdbool.h>

#include <x402/amount.h>
#include <x402/network.h>

#define MONEY_DECIMALS 18
#define MONEY_TEXT_MAX (X402_AMOUNT_TEXT_MAX + 3 + MONEY_DECIMALS + 32)

/** On the common scale; false when it does not fit 256 bits. */
__attribute__((warn_unused_result)) bool
money_scale(struct x402_amount *out, const struct x402_amount *atomic,
            const struct x402_asset *asset);
/** Parse "0.01" on the common scale. */
X402_MUST_CHECK enum x402_err money_parse(struct x402_amount *out,
                                          struct x402_span text);
/** "0.10" */
void money_format(char out[MONEY_TEXT_MAX], const struct x402_amount *scaled);
/** "0.001 USDC", from our own table. */
void money_format_asset(char out[MONEY_TEXT_MAX],
                        const struct x402_amount *atomic,
                        const struct x402_asset *asset);

#endif
