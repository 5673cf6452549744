/* SPDX-License-Identifier: Apache-2.0 */
/* L402: a macaroon and the preimage of the invoice that came with it. */
#ifndef X402_L402_H
#define X402_L402_H

#include <stdbool.h>
#include <stdint.h>

#include <x402/buf.h>

#define X402_MACAROON_MAX 1024 /* bytes; ours have about 250 */
#define X402_MACAROON_CAVEATS_MAX 8

/** A macaroon, version 2 binary.  Spans borrow from the bytes. */
struct x402_macaroon {
    struct x402_span location; /* {NULL,0}: none */
    struct x402_span id;
    struct x402_span caveat[X402_MACAROON_CAVEATS_MAX]; /* first-party */
    size_t caveats_len;
    uint8_t signature[32];
};

/** Read the binary form: exactly one macaroon, fields in order, third-party
 *  caveats refused.
 *  Returns: X402_ERR_TOO_LARGE past X402_MACAROON_MAX or too many caveats;
 *           X402_ERR_SYNTAX.  Out: unspecified on error. */
X402_MUST_CHECK enum x402_err x402_macaroon_decode(struct x402_macaroon *out,
                                                   const uint8_t *bytes,
                                                   size_t len);
void x402_macaroon_encode(struct x402_buf *buf,
                          const struct x402_macaroon *macaroon);
/** The chain: HMAC-SHA256 over id and caveats, beginning with the key that
 *  "macaroons-key-generator" makes of root32. */
void x402_macaroon_sign(uint8_t out32[32], const struct x402_macaroon *macaroon,
                        const uint8_t root32[32]);
/** Is the signature the chain's?  Time: constant in the signature. */
X402_MUST_CHECK bool x402_macaroon_verify(const struct x402_macaroon *macaroon,
                                          const uint8_t root32[32]);

/** What one of our macaroons says.  The identifier is version 0 (u16, big
 *  endian), payment hash and token id; the rest are the caveats
 *  "x402_request=<64 hex>" and "x402_valid_until=<unix seconds>", both
 *  required, once, and no others. */
struct x402_l402_claims {
    uint8_t payment_hash[32];
    uint8_t token_id[32]; /* random */
    uint8_t request_hash[32];
    uint64_t valid_until_s;
};

/** Write a signed macaroon (binary). */
void x402_l402_mint(struct x402_buf *buf, const struct x402_l402_claims *claims,
                    const uint8_t root32[32]);

/** What an Authorization header carries. */
struct x402_l402_credential {
    uint8_t macaroon[X402_MACAROON_MAX];
    size_t macaroon_len;
    uint8_t preimage[32];
};

/** Does the value name the scheme (L402 or LSAT, any case, then a space)? */
bool x402_l402_is(struct x402_span authorization);

/** Read "L402 <base64 macaroon>:<64 lower-case hex>", LSAT too; the whole value
 *  and nothing else; one macaroon.
 *  Returns: X402_ERR_SYNTAX, X402_ERR_TOO_LARGE */
X402_MUST_CHECK enum x402_err x402_l402_decode(struct x402_l402_credential *out,
                                               struct x402_span authorization);

/** The macaroon is ours, the preimage is its invoice's, the request is the one
 *  it was minted for, and it is still valid.  Whether it was paid and not yet
 *  used is the ledger's to say.
 *  Out:     *out  what it says; unspecified on error
 *  Returns: X402_ERR_LN_CHALLENGE   not one of ours, changed, or a caveat that
 *                                   is unknown, missing or there twice
 *           X402_ERR_LN_PREIMAGE
 *           X402_ERR_LN_REQUEST
 *           X402_ERR_LN_INVOICE_EXPIRED  at valid_until and later */
X402_MUST_CHECK enum x402_err x402_l402_check(
    struct x402_l402_claims *out, const struct x402_l402_credential *credential,
    const uint8_t root32[32], const uint8_t request_hash[32], uint64_t now_s);

/** Value of WWW-Authenticate, for both generations of clients:
 *  L402 macaroon="T", invoice="P", version="0", token="T" */
void x402_l402_challenge(struct x402_buf *buf, const uint8_t *macaroon,
                         size_t macaroon_len, struct x402_span invoice);

#endif
