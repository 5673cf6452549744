/* SPDX-License-Identifier: Apache-2.0 */
/* EIP-3009 authorizations: what the payer signs, and who signed. */
#include <x402/eip3009.h>

#include <x402/eip712.h>

#include "../mutant.h"

/* keccak256 of EIP-3009's TRANSFER_WITH_AUTHORIZATION_TYPEHASH text:
 * "TransferWithAuthorization(address from,address to,uint256 value,uint256
 * validAfter,uint256 validBefore,bytes32 nonce)".  A constant, because this
 * runs once per payment. */
static const uint8_t typehash[32] = {
    0x7c, 0x7c, 0x6c, 0xdb, 0x67, 0xa1, 0x87, 0x43, 0xf4, 0x9e, 0xc6,
    0xfa, 0x9b, 0x35, 0xf5, 0x0d, 0x52, 0xed, 0x05, 0xcb, 0xed, 0x4c,
    0xc5, 0x92, 0xe1, 0x3b, 0x44, 0x50, 0x1c, 0x1a, 0x22, 0x67};

void
x402_eip3009_digest_in(uint8_t out32[32], const struct x402_authorization *auth,
                       const uint8_t domain32[32])
{
    struct x402_amount after = x402_amount_of(auth->valid_after_s);
    struct x402_amount before = x402_amount_of(auth->valid_before_s);
    struct x402_eip712_struct s;
    uint8_t hash[32];

    s.count = 0;
    x402_eip712_word(&s, typehash);
    x402_eip712_address(&s, &auth->from);
    x402_eip712_address(&s, &auth->to);
    x402_eip712_amount(&s, &auth->value);
    x402_eip712_amount(&s, &after);
    x402_eip712_amount(&s, &before);
    x402_eip712_word(&s, auth->nonce);
    x402_eip712_end(&s, hash);
    x402_eip712_digest(out32, domain32, hash);
}

void
x402_eip3009_digest(uint8_t out32[32], const struct x402_authorization *auth,
                    const struct x402_asset *asset)
{
    uint8_t domain[32];

    x402_eip712_domain(domain, x402_span_of(asset->eip712_name),
                       x402_span_of(asset->eip712_version), asset->chain_id,
                       &asset->address);
    x402_eip3009_digest_in(out32, auth, domain);
}

enum x402_err
x402_eip3009_sign(uint8_t out65[65], const struct x402_authorization *auth,
                  const struct x402_asset *asset,
                  const struct x402_signer *signer)
{
    uint8_t digest[32];

    x402_eip3009_digest(digest, auth, asset);
    return x402_sign(out65, signer, digest);
}

enum x402_err
x402_eip3009_verify(const struct x402_authorization *auth,
                    const uint8_t domain32[32], const uint8_t signature65[65])
{
    struct x402_address signer;
    uint8_t digest[32];
    enum x402_err err;

    /* Elsewhere the zero address means "no signer": it never is one here. */
    if (x402_address_is_zero(&auth->from) && !mutant("recover_zero"))
        return X402_ERR_SIGNATURE;
    x402_eip3009_digest_in(digest, auth, domain32);
    err = x402_recover(&signer, signature65, digest);
    if (err != X402_OK && mutant("recover_zero"))
        signer = (struct x402_address){{0}};
    else if (err != X402_OK)
        return err;
    return x402_address_eq(&signer, &auth->from) || mutant("any_signer")
               ? X402_OK
               : X402_ERR_SIGNATURE;
}
