/* SPDX-License-Identifier: Apache-2.0 */
/* secp256k1 keys: sign a digest, recover who signed one. */
#ifndef X402_SIGNER_H
#define X402_SIGNER_H

#include <stdint.h>

#include <x402/address.h>
#include <x402/error.h>

/** A private key ready to sign.  Opaque to callers; wiped by x402_signer_close.
 */
struct x402_signer {
    void *context; /* secp256k1_context, randomised */
    uint8_t key[32];
    struct x402_address address;
};

/** Prepare a key.
 *  In: key32; seed32 = 32 random bytes that blind the context against side
 * channels. Returns: X402_ERR_RANGE when the key is 0 or >= n. Memory: one
 * allocation inside libsecp256k1, freed by x402_signer_close. */
X402_MUST_CHECK enum x402_err x402_signer_open(struct x402_signer *out,
                                               const uint8_t key32[32],
                                               const uint8_t seed32[32]);
void x402_signer_close(struct x402_signer *signer);
/** The public point: x, then y, 32 bytes each, big-endian. */
void x402_signer_public(uint8_t out64[64], const struct x402_signer *signer);

/** Sign (RFC 6979, low s) and verify what was signed before giving it out.
 *  Out: r || s || v with v = 27 or 28.
 *  Returns: X402_ERR_INTERNAL when the check fails (memory fault). Threads:
 * owner only. */
X402_MUST_CHECK enum x402_err x402_sign(uint8_t out65[65],
                                        const struct x402_signer *signer,
                                        const uint8_t digest32[32]);

/** Recover the signer of a digest.
 *  In: r || s || v; v 27/28, or 0/1 which mean the same.  High s is refused
 *      (EIP-2; USDC refuses it).
 *  Returns: X402_ERR_SIGNATURE.  Threads: any.  Time: not constant, all public.
 */
X402_MUST_CHECK enum x402_err x402_recover(struct x402_address *out,
                                           const uint8_t signature65[65],
                                           const uint8_t digest32[32]);

#endif
