/* SPDX-License-Identifier: Apache-2.0 */
/* What a mined transaction did, read from its logs: who was paid by it. */
#ifndef X402D_RECEIPT_H
#define X402D_RECEIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <x402/address.h>
#include <x402/amount.h>
#include <x402/permit2.h>
#include <x402/span.h>

#define RECEIPT_LOGS_MAX 4096

/** One AuthorizationUsed, and the Transfer that came with it; or a Transfer and
 * the Settled of a Permit2 proxy after it, which names no nonce. */
struct receipt_use {
    enum x402_method method;
    struct x402_address token, payer;
    uint8_t nonce[32];
    bool moved; /* the token's next log is a Transfer from this payer: */
    struct x402_address payee;
    struct x402_amount value;
};

struct receipt {
    bool success;
    uint8_t tx_hash[32];
    uint64_t block_number;
    uint8_t block_hash[32];
    struct receipt_use *uses; /* malloc'd */
    size_t uses_len;
};

enum receipt_read {
    RECEIPT_NONE, /* the node says: not mined (as far as it knows) */
    RECEIPT_BAD,  /* not a receipt of this transaction: believe nothing */
    RECEIPT_READ,
};
/** Read eth_getTransactionReceipt's result, from its JSON (scan.h).
 *  Memory: receipt_free after READ. */
enum receipt_read receipt_read(struct receipt *out, struct x402_span result,
                               const uint8_t tx_hash[32]);
void receipt_free(struct receipt *receipt);
/** The same block, the same result, the same payments. */
bool receipt_same(const struct receipt *a, const struct receipt *b);

/** Did this transaction use the authorization, and for whom and how much? */
struct receipt_claim {
    enum x402_method method;
    const struct x402_address *token, *payer, *payee;
    const struct x402_amount *value;
    const uint8_t *nonce;
};
bool receipt_used(const struct receipt *receipt,
                  const struct receipt_claim *claim);
/** ... and it paid exactly what we claim. */
bool receipt_paid(const struct receipt *receipt,
                  const struct receipt_claim *claim);

#endif
