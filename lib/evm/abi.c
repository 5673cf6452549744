/* SPDX-License-Identifier: Apache-2.0 */
/* Contract calls, written.  Selectors are the first four bytes of the keccak of
 * the signature beside them; the tests compute them again. */
#include <x402/abi.h>

#include <assert.h>
#include <string.h>

#include "../mutant.h"

#define WORD 32

const uint8_t x402_abi_topic_transfer[32] = {
    0xdd, 0xf2, 0x52, 0xad, 0x1b, 0xe2, 0xc8, 0x9b, 0x69, 0xc2, 0xb0,
    0x68, 0xfc, 0x37, 0x8d, 0xaa, 0x95, 0x2b, 0xa7, 0xf1, 0x63, 0xc4,
    0xa1, 0x16, 0x28, 0xf5, 0x5a, 0x4d, 0xf5, 0x23, 0xb3, 0xef};
const uint8_t x402_abi_topic_authorization_used[32] = {
    0x98, 0xde, 0x50, 0x35, 0x28, 0xee, 0x59, 0xb5, 0x75, 0xef, 0x0c,
    0x0a, 0x25, 0x76, 0xa8, 0x24, 0x97, 0xbf, 0xc0, 0x29, 0xa5, 0x68,
    0x5b, 0x20, 0x9e, 0x9e, 0xc3, 0x33, 0x47, 0x9b, 0x10, 0xa5};
const uint8_t x402_abi_topic_authorization_canceled[32] = {
    0x1c, 0xdd, 0x46, 0xff, 0x24, 0x27, 0x16, 0xcd, 0xaa, 0x72, 0xd1,
    0x59, 0xd3, 0x39, 0xa4, 0x85, 0xb3, 0x43, 0x83, 0x98, 0x34, 0x8d,
    0x68, 0xf0, 0x9d, 0x7c, 0x8c, 0x0a, 0x59, 0x35, 0x3d, 0x81};

const uint8_t x402_abi_topic_settled[32] = {
    0x97, 0x08, 0x8e, 0xc3, 0x60, 0x6c, 0xfe, 0x8c, 0xc1, 0x12, 0x18,
    0x05, 0x70, 0xd0, 0x3f, 0xcd, 0xe0, 0x5f, 0x9b, 0x8e, 0x1b, 0xfe,
    0xf8, 0xe2, 0x77, 0x84, 0xea, 0xf5, 0xdd, 0x56, 0x91, 0xb6};
const uint8_t x402_abi_topic_settled_with_permit[32] = {
    0xde, 0x5b, 0x89, 0xd1, 0x0f, 0xc8, 0x00, 0xc4, 0x59, 0x32, 0x9c,
    0x38, 0x2f, 0xab, 0xfc, 0xad, 0x0b, 0xe0, 0xed, 0x7e, 0x53, 0x28,
    0xe0, 0x1f, 0xae, 0x04, 0xe5, 0x07, 0xb0, 0x9e, 0xf5, 0xd8};

/* transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,
 * uint8,bytes32,bytes32) */
static const uint8_t transfer_vrs[4] = {0xe3, 0xee, 0x16, 0x0e};
/* transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,
 * bytes) */
static const uint8_t transfer_bytes[4] = {0xcf, 0x09, 0x29, 0x95};
/* settle(((address,uint256),uint256,uint256),address,(address,uint256),bytes)
 */
static const uint8_t settle_exact[4] = {0x13, 0xcd, 0x3b, 0x53};
/* settle(((address,uint256),uint256,uint256),uint256,address,(address,address,
 * uint256),bytes) */
static const uint8_t settle_upto[4] = {0xff, 0x11, 0xe7, 0xb4};
/* settleWithPermit: (uint256,uint256,bytes32,bytes32,uint8) before the same */
static const uint8_t settle_exact_with_permit[4] = {0xfa, 0x34, 0x03, 0x78};
static const uint8_t settle_upto_with_permit[4] = {0x01, 0x6c, 0x17, 0x48};
/* allowance(address,address) */
static const uint8_t allowance[4] = {0xdd, 0x62, 0xed, 0x3e};
/* nonceBitmap(address,uint256) */
static const uint8_t nonce_bitmap[4] = {0x4f, 0xe0, 0x2b, 0x44};
/* balanceOf(address) */
static const uint8_t balance_of[4] = {0x70, 0xa0, 0x82, 0x31};
/* authorizationState(address,bytes32) */
static const uint8_t authorization_state[4] = {0xe9, 0x4a, 0x01, 0x02};
/* getBlockNumber() */
static const uint8_t block_number[4] = {0x42, 0xcb, 0xb1, 0x5c};
/* getCurrentBlockTimestamp() */
static const uint8_t block_timestamp[4] = {0x0f, 0x28, 0xc9, 0x7d};
/* isValidSignature(bytes32,bytes) */
static const uint8_t is_valid_signature[4] = {0x16, 0x26, 0xba, 0x7e};
/* DOMAIN_SEPARATOR() */
static const uint8_t domain_separator[4] = {0x36, 0x44, 0xe5, 0x15};
/* aggregate3((address,bool,bytes)[]) */
static const uint8_t aggregate3[4] = {0x82, 0xad, 0x56, 0xcb};

/* Each put returns where the next one goes. */

static uint8_t *
put_selector(uint8_t *out, const uint8_t selector4[4])
{
    memcpy(out, selector4, 4);
    return out + 4;
}

static uint8_t *
put_word(uint8_t *out, const uint8_t word32[32])
{
    memcpy(out, word32, WORD);
    return out + WORD;
}

static uint8_t *
put_amount(uint8_t *out, const struct x402_amount *amount)
{
    x402_amount_to_be32(out, amount);
    return out + WORD;
}

static uint8_t *
put_u64(uint8_t *out, uint64_t value)
{
    struct x402_amount amount = x402_amount_of(value);

    return put_amount(out, &amount);
}

static uint8_t *
put_address(uint8_t *out, const struct x402_address *address)
{
    memset(out, 0, 12);
    memcpy(out + 12, address->byte, 20);
    return out + WORD;
}

/* Length of `bytes` with its zeros up to a whole word. */
static size_t
padded(size_t len)
{
    return (len + WORD - 1) / WORD * WORD;
}

/* `bytes`: the length, the bytes, zeros. */
static uint8_t *
put_bytes(uint8_t *out, const uint8_t *bytes, size_t len)
{
    out = put_u64(out, len);
    memset(out, 0, padded(len));
    if (len > 0)
        memcpy(out, bytes, len);
    return out + padded(len);
}

static uint8_t *
put_authorization(uint8_t *out, const struct x402_authorization *auth)
{
    out = put_address(out, &auth->from);
    out = put_address(out, &auth->to);
    out = put_amount(out, &auth->value);
    out = put_u64(out, auth->valid_after_s);
    out = put_u64(out, auth->valid_before_s);
    return put_word(out, auth->nonce);
}

size_t
x402_abi_transfer(uint8_t *out, const struct x402_authorization *auth,
                  const uint8_t *signature, size_t signature_len)
{
    uint8_t *end;

    assert(signature_len <= X402_SIGNATURE_MAX);
    /* a contract may put anything in the last byte (Safe: 31, 32) */
    if (signature_len == 65 && (signature[64] == 27 || signature[64] == 28)) {
        end = put_authorization(put_selector(out, transfer_vrs), auth);
        end = put_u64(end, signature[64]);
        end = put_word(end, signature + (mutant("call_misshaped") ? 32 : 0));
        end = put_word(end, signature + 32);
    } else {
        end = put_authorization(put_selector(out, transfer_bytes), auth);
        end = put_u64(end, 7 * WORD); /* the bytes follow seven words */
        end = put_bytes(end, signature, signature_len);
    }
    return (size_t)(end - out);
}

static const uint8_t *
settle_selector(const struct x402_abi_permit2 *payment)
{
    if (payment->method == X402_METHOD_PERMIT2_UPTO)
        return payment->sponsor != NULL ? settle_upto_with_permit : settle_upto;
    return payment->sponsor != NULL ? settle_exact_with_permit : settle_exact;
}

/* All words but the last of the head, which says where the signature is. */
static uint8_t *
put_settle_head(uint8_t *out, const struct x402_abi_permit2 *payment)
{
    const struct x402_authorization *auth = payment->auth;
    bool upto = payment->method == X402_METHOD_PERMIT2_UPTO;

    if (payment->sponsor != NULL) {
        memcpy(out, payment->sponsor->data, payment->sponsor->len);
        out += payment->sponsor->len;
    }
    out = put_address(out, payment->token);
    out = put_amount(out, &auth->value);
    out = put_word(out, auth->nonce);
    out = put_u64(out, auth->valid_before_s);
    if (upto)
        out = put_amount(out, payment->charge);
    out = put_address(out, &auth->from);
    out = put_address(out, &auth->to);
    if (upto)
        out = put_address(out, payment->facilitator);
    return put_u64(out, auth->valid_after_s);
}

size_t
x402_abi_settle(uint8_t *out, const struct x402_abi_permit2 *payment)
{
    uint8_t *head = put_selector(out, settle_selector(payment));
    uint8_t *end = put_settle_head(head, payment);

    assert(payment->signature_len <= X402_SIGNATURE_MAX);
    end = put_u64(end, (uint64_t)(end - head) + WORD);
    end = put_bytes(end, payment->signature, payment->signature_len);
    return (size_t)(end - out);
}

size_t
x402_abi_allowance(uint8_t out[68], const struct x402_address *owner)
{
    uint8_t *end = put_address(put_selector(out, allowance), owner);

    return (size_t)(put_address(end, &x402_permit2_contract) - out);
}

/* SignatureTransfer.bitmapPositions: "wordPos = uint248(nonce >> 8); bitPos =
 * uint8(nonce);" */
size_t
x402_abi_nonce_bitmap(uint8_t out[68], const struct x402_address *owner,
                      const uint8_t nonce32[32])
{
    uint8_t *end = put_address(put_selector(out, nonce_bitmap), owner);

    end[0] = 0;
    memcpy(end + 1, nonce32, 31);
    return (size_t)(end + WORD - out);
}

bool
x402_abi_nonce_bit(const uint8_t word32[32], const uint8_t nonce32[32])
{
    unsigned bit = nonce32[31];

    return (word32[31 - bit / 8] >> (bit % 8) & 1) != 0;
}

size_t
x402_abi_balance_of(uint8_t out[36], const struct x402_address *owner)
{
    return (size_t)(put_address(put_selector(out, balance_of), owner) - out);
}

size_t
x402_abi_authorization_state(uint8_t out[68], const struct x402_address *owner,
                             const uint8_t nonce32[32])
{
    uint8_t *end = put_selector(out, authorization_state);

    return (size_t)(put_word(put_address(end, owner), nonce32) - out);
}

size_t
x402_abi_block_number(uint8_t out[4])
{
    return (size_t)(put_selector(out, block_number) - out);
}

size_t
x402_abi_block_timestamp(uint8_t out[4])
{
    return (size_t)(put_selector(out, block_timestamp) - out);
}

size_t
x402_abi_domain_separator(uint8_t out[4])
{
    return (size_t)(put_selector(out, domain_separator) - out);
}

size_t
x402_abi_is_valid_signature(uint8_t *out, const uint8_t hash32[32],
                            const uint8_t *signature, size_t signature_len)
{
    uint8_t *end = put_word(put_selector(out, is_valid_signature), hash32);

    assert(signature_len <= X402_SIGNATURE_MAX);
    end = put_u64(end, 2 * WORD);
    return (size_t)(put_bytes(end, signature, signature_len) - out);
}

/* One call inside aggregate3: target, allowFailure, where the data is, data. */
static size_t
call_len(const struct x402_abi_call *call)
{
    return 4 * WORD + padded(call->data_len);
}

size_t
x402_abi_aggregate3_len(const struct x402_abi_call *calls, size_t calls_len)
{
    size_t len = 4 + 2 * WORD + calls_len * WORD;

    for (size_t i = 0; i < calls_len; i++)
        len += call_len(&calls[i]);
    return len;
}

size_t
x402_abi_aggregate3(uint8_t *out, const struct x402_abi_call *calls,
                    size_t calls_len)
{
    uint8_t *end = put_selector(out, aggregate3);
    size_t offset = calls_len * WORD; /* counted from the first offset */

    end = put_u64(end, WORD);
    end = put_u64(end, calls_len);
    for (size_t i = 0; i < calls_len; i++) {
        end = put_u64(end, offset);
        offset += call_len(&calls[i]);
    }
    for (size_t i = 0; i < calls_len; i++) {
        end = put_address(end, &calls[i].target);
        end = put_u64(end, calls[i].allow_failure);
        end = put_u64(end, 3 * WORD);
        end = put_bytes(end, calls[i].data, calls[i].data_len);
    }
    return (size_t)(end - out);
}
