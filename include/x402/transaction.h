/* SPDX-License-Identifier: Apache-2.0 */
/* Ethereum transactions of type 2 (EIP-1559), and RLP as far as they need it.
 */
#ifndef X402_TRANSACTION_H
#define X402_TRANSACTION_H

#include <stddef.h>
#include <stdint.h>

#include <x402/address.h>
#include <x402/amount.h>
#include <x402/error.h>
#include <x402/signer.h>
#include <x402/span.h>

struct x402_transaction {
    uint64_t chain_id;
    uint64_t nonce;                      /* of the account */
    struct x402_amount max_priority_fee; /* wei per gas */
    struct x402_amount max_fee;          /* wei per gas */
    uint64_t gas_limit;
    struct x402_address to;
    struct x402_amount value;
    const uint8_t *data; /* borrowed */
    size_t data_len;
};

/** Encode and sign.  raw needs data_len + X402_TRANSACTION_OVERHEAD bytes.
 *  Out: raw[0..*raw_len), hash32 = keccak256(raw).
 *  Returns: X402_ERR_TOO_LARGE when cap is short; X402_ERR_INTERNAL from
 * x402_sign. */
#define X402_TRANSACTION_OVERHEAD 256
X402_MUST_CHECK enum x402_err
x402_transaction_sign(uint8_t *raw, size_t *raw_len, size_t cap,
                      uint8_t hash32[32], const struct x402_transaction *tx,
                      const struct x402_signer *signer);
/** The same with a signature that is there already: 65 bytes, v 27 or 28. */
X402_MUST_CHECK enum x402_err
x402_transaction_write(uint8_t *raw, size_t *raw_len, size_t cap,
                       uint8_t hash32[32], const struct x402_transaction *tx,
                       const uint8_t signature65[65]);
/** Decode a signed type 2 transaction and leave it open whose it is: its
 *  signature (v 27 or 28) is of digest32.  data borrows from raw. */
X402_MUST_CHECK enum x402_err
x402_transaction_read(struct x402_transaction *out, uint8_t signature65[65],
                      uint8_t digest32[32], const uint8_t *raw, size_t raw_len);
/** Decode a signed type 2 transaction and recover its sender; data borrows from
 * raw. Non-canonical RLP is X402_ERR_SYNTAX.  Used to look at a transaction
 * once more, with other code, before it is broadcast. */
X402_MUST_CHECK enum x402_err
x402_transaction_decode(struct x402_transaction *out,
                        struct x402_address *sender, const uint8_t *raw,
                        size_t raw_len);

#endif
