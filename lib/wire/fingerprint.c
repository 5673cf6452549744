/* SPDX-License-Identifier: Apache-2.0 */
/* What a payment is bound to: the request it was first used for, and its price.
 * The EIP-3009 signature covers no resource, so this digest does it. */
#include <stdlib.h>

#include <openssl/evp.h>

#include <x402/payment.h>

#include "../mutant.h"

static void
must(int ok)
{
    /* libcrypto fails here for lack of memory alone, and a digest of anything
     * less than everything would let one payment buy another request. */
    if (ok != 1)
        abort();
}

static void
add_number(EVP_MD_CTX *sha256, uint64_t value)
{
    uint8_t be[8];

    for (size_t i = 0; i < sizeof(be); i++)
        be[i] = (uint8_t)(value >> (56 - 8 * i));
    must(EVP_DigestUpdate(sha256, be, sizeof(be)));
}

/* The length first, so that no byte can move from one field to the next. */
static void
add_text(EVP_MD_CTX *sha256, struct x402_span text)
{
    add_number(sha256, text.len);
    must(EVP_DigestUpdate(sha256, text.at, text.len));
}

void
x402_fingerprint(uint8_t out32[32], struct x402_span method,
                 struct x402_span origin, struct x402_span target,
                 const struct x402_amount *price,
                 const struct x402_asset *asset, const uint8_t body32[32])
{
    EVP_MD_CTX *sha256 = EVP_MD_CTX_new();
    uint8_t amount[32];

    must(sha256 != NULL);
    must(EVP_DigestInit_ex(sha256, EVP_sha256(), NULL));
    if (!mutant("fingerprint_method"))
        add_text(sha256, method);
    add_text(sha256, origin);
    if (!mutant("fingerprint_target"))
        add_text(sha256, target);
    x402_amount_to_be32(amount, price);
    must(EVP_DigestUpdate(sha256, amount, sizeof(amount)));
    add_number(sha256, asset->chain_id);
    must(EVP_DigestUpdate(sha256, asset->address.byte,
                          sizeof(asset->address.byte)));
    must(EVP_DigestUpdate(sha256, body32, 32));
    must(EVP_DigestFinal_ex(sha256, out32, NULL));
    EVP_MD_CTX_free(sha256);
}
