/* SPDX-License-Identifier: Apache-2.0 */
/* See approval.h. */
#include <x402/approval.h>

#include <assert.h>
#include <string.h>

#include <x402/transaction.h>

#include "../mutant.h"

enum { WORD = 32, CALL = 4 + 2 * WORD };

static const uint8_t approve[4] = {0x09, 0x5e, 0xa7, 0xb3};

static void
put_u64(uint8_t out[8], uint64_t value)
{
    for (unsigned i = 0; i < 8; i++)
        out[i] = (uint8_t)(value >> (56 - 8 * i));
}

static uint64_t
take_u64(const uint8_t in[8])
{
    uint64_t value = 0;

    for (unsigned i = 0; i < 8; i++)
        value = value << 8 | in[i];
    return value;
}

void
x402_approval_calldata(uint8_t out[68], const struct x402_amount *amount)
{
    memset(out, 0, CALL);
    memcpy(out, approve, sizeof approve);
    memcpy(out + 4 + 12, x402_permit2_contract.byte, 20);
    x402_amount_to_be32(out + 4 + WORD, amount);
}

static enum x402_err
check_call(const struct x402_transaction *tx, const struct x402_address *token,
           const struct x402_amount *least)
{
    static const uint8_t zeros[12];
    struct x402_amount amount;

    if (!x402_address_eq(&tx->to, token))
        return X402_ERR_APPROVAL_TARGET;
    if (tx->data_len < sizeof approve ||
        memcmp(tx->data, approve, sizeof approve) != 0)
        return X402_ERR_APPROVAL_SELECTOR;
    if (tx->data_len != CALL || memcmp(tx->data + 4, zeros, sizeof zeros) != 0)
        return X402_ERR_APPROVAL_CALLDATA;
    if (memcmp(tx->data + 4 + 12, x402_permit2_contract.byte, 20) != 0 &&
        !mutant("approval_any_spender"))
        return X402_ERR_APPROVAL_TX_SPENDER;
    x402_amount_from_be32(&amount, tx->data + 4 + WORD);
    return x402_amount_is_zero(&tx->value) &&
                   x402_amount_cmp(&amount, least) >= 0
               ? X402_OK
               : X402_ERR_APPROVAL_CALLDATA;
}

enum x402_err
x402_approval_read(struct x402_sponsor *out, const uint8_t *raw, size_t raw_len,
                   uint64_t chain_id, const struct x402_address *token,
                   const struct x402_amount *least)
{
    struct x402_transaction tx;
    uint8_t digest[32], signature[65];
    uint64_t max_fee, priority;
    enum x402_err err;

    if (x402_transaction_read(&tx, signature, digest, raw, raw_len) !=
            X402_OK ||
        tx.chain_id != chain_id || !x402_amount_u64(&max_fee, &tx.max_fee) ||
        !x402_amount_u64(&priority, &tx.max_priority_fee))
        return X402_ERR_APPROVAL_PARSE;
    err = check_call(&tx, token, least);
    if (err != X402_OK)
        return err;
    *out = (struct x402_sponsor){.kind = X402_SPONSOR_APPROVAL,
                                 .len = X402_SPONSOR_MAX};
    put_u64(out->data, tx.nonce);
    put_u64(out->data + 8, tx.gas_limit);
    put_u64(out->data + 16, max_fee);
    put_u64(out->data + 24, priority);
    memcpy(out->data + WORD, tx.data + 4 + WORD, WORD);
    memcpy(out->data + 2 * WORD, signature, 2 * WORD);
    out->data[5 * WORD - 1] = signature[64];
    return X402_OK;
}

void
x402_approval_of(struct x402_approval *out, const struct x402_sponsor *sponsor)
{
    const uint8_t *data = sponsor->data;

    assert(sponsor->kind == X402_SPONSOR_APPROVAL);
    *out = (struct x402_approval){.nonce = take_u64(data),
                                  .gas_limit = take_u64(data + 8),
                                  .max_fee = take_u64(data + 16),
                                  .max_priority_fee = take_u64(data + 24)};
    x402_amount_from_be32(&out->amount, data + WORD);
}

size_t
x402_approval_write(uint8_t *raw, uint8_t hash32[32],
                    const struct x402_sponsor *sponsor, uint64_t chain_id,
                    const struct x402_address *token)
{
    uint8_t data[CALL], signature[65];
    struct x402_approval approval;
    struct x402_transaction tx = {.chain_id = chain_id, .to = *token};
    size_t len;

    x402_approval_of(&approval, sponsor);
    x402_approval_calldata(data, &approval.amount);
    tx.nonce = approval.nonce;
    tx.gas_limit = approval.gas_limit;
    tx.max_fee = x402_amount_of(approval.max_fee);
    tx.max_priority_fee = x402_amount_of(approval.max_priority_fee);
    tx.data = data;
    tx.data_len = sizeof data;
    memcpy(signature, sponsor->data + 2 * WORD, 2 * WORD);
    signature[64] = sponsor->data[5 * WORD - 1];
    if (x402_transaction_write(raw, &len, X402_APPROVAL_RAW_MAX, hash32, &tx,
                               signature) != X402_OK)
        return 0; /* cannot be: 512 bytes hold every such transaction */
    return len;
}

enum x402_err
x402_approval_check(const struct x402_sponsor *sponsor, uint64_t chain_id,
                    const struct x402_address *token,
                    const struct x402_address *payer)
{
    uint8_t raw[X402_APPROVAL_RAW_MAX], hash[32];
    struct x402_transaction tx;
    struct x402_address sender;
    size_t len = x402_approval_write(raw, hash, sponsor, chain_id, token);

    if (x402_transaction_decode(&tx, &sender, raw, len) != X402_OK)
        return X402_ERR_APPROVAL_SIGNATURE;
    return x402_address_eq(&sender, payer) || mutant("approval_any_signer")
               ? X402_OK
               : X402_ERR_APPROVAL_SIGNER;
}
