/* SPDX-License-Identifier: Apache-2.0 */
/* EIP-3009: TransferWithAuthorization, the payment itself. */
#ifndef X402_EIP3009_H
#define X402_EIP3009_H

#include <stdint.h>

#include <x402/address.h>
#include <x402/amount.h>
#include <x402/error.h>
#include <x402/network.h>
#include <x402/signer.h>

struct x402_authorization {
    struct x402_address from; /* payer */
    struct x402_address to;   /* payee */
    struct x402_amount value; /* atomic units */
    uint64_t valid_after_s;   /* the contract wants now > validAfter */
    uint64_t valid_before_s;  /* and now < validBefore; larger than 2^64-1 reads
                                 as 2^64-1 only  in x402_payment_decode's
                                 refusal,  never silently */
    uint8_t nonce[32];
};

/** The EIP-712 digest that the payer signs; the domain comes from OUR asset,
 * never from the payload. */
void x402_eip3009_digest(uint8_t out32[32],
                         const struct x402_authorization *auth,
                         const struct x402_asset *asset);
/** The same with a domain separator computed before (per asset, once). */
void x402_eip3009_digest_in(uint8_t out32[32],
                            const struct x402_authorization *auth,
                            const uint8_t domain32[32]);

X402_MUST_CHECK enum x402_err
x402_eip3009_sign(uint8_t out65[65], const struct x402_authorization *auth,
                  const struct x402_asset *asset,
                  const struct x402_signer *signer);
/** X402_OK when signature65 was made by auth->from; X402_ERR_SIGNATURE
 * otherwise (a zero `from` too). */
X402_MUST_CHECK enum x402_err
x402_eip3009_verify(const struct x402_authorization *auth,
                    const uint8_t domain32[32], const uint8_t signature65[65]);

#endif
