/* SPDX-License-Identifier: Apache-2.0 */
/* Permit2 authorizations: what the owner signs, and where they are used. */
#include <x402/permit2.h>

#include <assert.h>

#include <x402/eip712.h>

/* 0x000000000022D473030F116dDEE9F6B43aC78BA3 */
const struct x402_address x402_permit2_contract = {
    {0x00, 0x00, 0x00, 0x00, 0x00, 0x22, 0xd4, 0x73, 0x03, 0x0f,
     0x11, 0x6d, 0xde, 0xe9, 0xf6, 0xb4, 0x3a, 0xc7, 0x8b, 0xa3}};
/* 0x402085c248EeA27D92E8b30b2C58ed07f9E20001 */
const struct x402_address x402_permit2_exact_proxy = {
    {0x40, 0x20, 0x85, 0xc2, 0x48, 0xee, 0xa2, 0x7d, 0x92, 0xe8,
     0xb3, 0x0b, 0x2c, 0x58, 0xed, 0x07, 0xf9, 0xe2, 0x00, 0x01}};
/* 0x4020A4f3b7b90ccA423B9fabCc0CE57C6C240002 */
const struct x402_address x402_permit2_upto_proxy = {
    {0x40, 0x20, 0xa4, 0xf3, 0xb7, 0xb9, 0x0c, 0xca, 0x42, 0x3b,
     0x9f, 0xab, 0xcc, 0x0c, 0xe5, 0x7c, 0x6c, 0x24, 0x00, 0x02}};

/* Typehashes are constants, because they are used once per payment; the tests
 * compute them again.  "TokenPermissions(address token,uint256 amount)" */
static const uint8_t permissions_hash[32] = {
    0x61, 0x83, 0x58, 0xac, 0x3d, 0xb8, 0xdc, 0x27, 0x4f, 0x0c, 0xd8,
    0x82, 0x9d, 0xa7, 0xe2, 0x34, 0xbd, 0x48, 0xcd, 0x73, 0xc4, 0xa7,
    0x40, 0xae, 0xde, 0x1a, 0xde, 0xc9, 0x84, 0x6d, 0x06, 0xa1};
/* "Witness(address to,uint256 validAfter)" */
static const uint8_t exact_witness_hash[32] = {
    0xd9, 0x7b, 0x32, 0x39, 0xa7, 0xf3, 0x22, 0x95, 0x51, 0x7b, 0xd1,
    0x4c, 0xb0, 0x74, 0xed, 0xfd, 0xd1, 0x88, 0xdf, 0xe5, 0xeb, 0x42,
    0xf8, 0x02, 0xbb, 0x26, 0xd4, 0xfd, 0x1e, 0xb1, 0x2c, 0x37};
/* "Witness(address to,address facilitator,uint256 validAfter)" */
static const uint8_t upto_witness_hash[32] = {
    0xd4, 0x17, 0x1c, 0x44, 0x5a, 0x74, 0x21, 0x8b, 0x01, 0xd4, 0xfd,
    0x8a, 0xf3, 0x4f, 0xf1, 0x10, 0x65, 0x80, 0xea, 0x1e, 0x36, 0xff,
    0x83, 0x7e, 0x64, 0x48, 0x4b, 0xfa, 0xa2, 0x25, 0x3b, 0x75};
/* "PermitWitnessTransferFrom(TokenPermissions permitted,address spender,uint256
 * nonce,uint256 deadline,Witness witness)", then TokenPermissions and the
 * method's Witness as above */
static const uint8_t exact_permit_hash[32] = {
    0xeb, 0xc1, 0x56, 0xcd, 0x23, 0x67, 0x8a, 0x74, 0xc9, 0x4d, 0xf1,
    0x3d, 0x77, 0x2e, 0xf5, 0x47, 0x84, 0x20, 0x63, 0x7f, 0x0c, 0x94,
    0xbd, 0x10, 0xd5, 0x09, 0xe1, 0xdc, 0x98, 0xf5, 0x21, 0xc7};
static const uint8_t upto_permit_hash[32] = {
    0x51, 0xdf, 0xf6, 0x97, 0x4a, 0xd4, 0x38, 0x8c, 0x49, 0x9e, 0x7f,
    0xcf, 0xe8, 0x38, 0xd2, 0xbd, 0x76, 0x71, 0x62, 0x55, 0x3a, 0x14,
    0x40, 0x98, 0xce, 0x20, 0xea, 0x66, 0x1d, 0x70, 0xc2, 0xee};

const char *
x402_method_scheme(enum x402_method method)
{
    return method == X402_METHOD_PERMIT2_UPTO ? "upto" : "exact";
}

const struct x402_address *
x402_method_contract(enum x402_method method, const struct x402_address *token)
{
    return method == X402_METHOD_EIP3009 ? token : &x402_permit2_contract;
}

const struct x402_address *
x402_method_target(enum x402_method method, const struct x402_address *token)
{
    switch (method) {
    case X402_METHOD_EIP3009:
        break;
    case X402_METHOD_PERMIT2_EXACT:
        return &x402_permit2_exact_proxy;
    case X402_METHOD_PERMIT2_UPTO:
        return &x402_permit2_upto_proxy;
    }
    return token;
}

/* Permit2, EIP712.sol: "EIP712Domain(string name,uint256 chainId,address
 * verifyingContract)": there is no version. */
static void
permit2_domain(uint8_t out32[32], uint64_t chain_id)
{
    struct x402_amount chain = x402_amount_of(chain_id);
    struct x402_eip712_struct s;

    x402_eip712_begin(&s, "EIP712Domain(string name,uint256 chainId,"
                          "address verifyingContract)");
    x402_eip712_string(&s, x402_span_of("Permit2"));
    x402_eip712_amount(&s, &chain);
    x402_eip712_address(&s, &x402_permit2_contract);
    x402_eip712_end(&s, out32);
}

void
x402_method_domain(uint8_t out32[32], enum x402_method method,
                   const struct x402_asset *asset)
{
    if (method == X402_METHOD_EIP3009)
        x402_eip712_domain(out32, x402_span_of(asset->eip712_name),
                           x402_span_of(asset->eip712_version), asset->chain_id,
                           &asset->address);
    else
        permit2_domain(out32, asset->chain_id);
}

static void
hash_permissions(uint8_t out32[32], const struct x402_address *token,
                 const struct x402_amount *amount)
{
    struct x402_eip712_struct s;

    s.count = 0;
    x402_eip712_word(&s, permissions_hash);
    x402_eip712_address(&s, token);
    x402_eip712_amount(&s, amount);
    x402_eip712_end(&s, out32);
}

static void
hash_witness(uint8_t out32[32], enum x402_method method,
             const struct x402_authorization *auth,
             const struct x402_address *facilitator)
{
    struct x402_amount after = x402_amount_of(auth->valid_after_s);
    struct x402_eip712_struct s;
    bool upto = method == X402_METHOD_PERMIT2_UPTO;

    s.count = 0;
    x402_eip712_word(&s, upto ? upto_witness_hash : exact_witness_hash);
    x402_eip712_address(&s, &auth->to);
    if (upto)
        x402_eip712_address(&s, facilitator);
    x402_eip712_amount(&s, &after);
    x402_eip712_end(&s, out32);
}

void
x402_permit2_digest_in(uint8_t out32[32], enum x402_method method,
                       const struct x402_authorization *auth,
                       const struct x402_address *token,
                       const struct x402_address *facilitator,
                       const uint8_t domain32[32])
{
    struct x402_amount deadline = x402_amount_of(auth->valid_before_s);
    struct x402_eip712_struct s;
    uint8_t hash[32];

    assert(method != X402_METHOD_EIP3009);
    s.count = 0;
    x402_eip712_word(&s, method == X402_METHOD_PERMIT2_UPTO
                             ? upto_permit_hash
                             : exact_permit_hash);
    hash_permissions(hash, token, &auth->value);
    x402_eip712_word(&s, hash);
    x402_eip712_address(&s, x402_method_target(method, token));
    x402_eip712_word(&s, auth->nonce);
    x402_eip712_amount(&s, &deadline);
    hash_witness(hash, method, auth, facilitator);
    x402_eip712_word(&s, hash);
    x402_eip712_end(&s, hash);
    x402_eip712_digest(out32, domain32, hash);
}
