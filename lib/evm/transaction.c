/* SPDX-License-Identifier: Apache-2.0 */
/* EIP-1559 transactions, written and signed.  EIP-1559: "0x02 || rlp([chain_id,
 * nonce, max_priority_fee_per_gas, max_fee_per_gas, gas_limit, destination,
 * amount, data, access_list, signature_y_parity, signature_r, signature_s])".
 */
#include <x402/transaction.h>

#include <string.h>

#include <x402/keccak.h>
#include <x402/rlp.h>

#define TYPE_2 0x02

/* Back to front, as the writer goes.  The access list is always empty. */
static void
put_fields(struct x402_rlp_writer *w, const struct x402_transaction *tx)
{
    x402_rlp_list(w, w->start);
    x402_rlp_bytes(w, tx->data, tx->data_len);
    x402_rlp_amount(w, &tx->value);
    x402_rlp_bytes(w, tx->to.byte, sizeof tx->to.byte);
    x402_rlp_u64(w, tx->gas_limit);
    x402_rlp_amount(w, &tx->max_fee);
    x402_rlp_amount(w, &tx->max_priority_fee);
    x402_rlp_u64(w, tx->nonce);
    x402_rlp_u64(w, tx->chain_id);
}

static void
put_signature(struct x402_rlp_writer *w, const uint8_t signature65[65])
{
    struct x402_amount r, s;

    x402_amount_from_be32(&r, signature65);
    x402_amount_from_be32(&s, signature65 + 32);
    x402_rlp_amount(w, &s);
    x402_rlp_amount(w, &r);
    x402_rlp_u64(w, (uint64_t)signature65[64] - 27);
}

/* Encode into the end of raw[0..cap); without a signature it is the text that
 * gets signed.  *start is where it begins. */
static enum x402_err
encode(uint8_t *raw, size_t *start, size_t cap,
       const struct x402_transaction *tx, const uint8_t *signature65)
{
    struct x402_rlp_writer w = {raw, cap, cap, false};

    if (signature65 != NULL)
        put_signature(&w, signature65);
    put_fields(&w, tx);
    x402_rlp_list(&w, cap);
    if (w.full || w.start == 0)
        return X402_ERR_TOO_LARGE;
    raw[--w.start] = TYPE_2;
    *start = w.start;
    return X402_OK;
}

enum x402_err
x402_transaction_sign(uint8_t *raw, size_t *raw_len, size_t cap,
                      uint8_t hash32[32], const struct x402_transaction *tx,
                      const struct x402_signer *signer)
{
    uint8_t digest[32], signature[65];
    size_t start;
    enum x402_err err = encode(raw, &start, cap, tx, NULL);

    if (err != X402_OK)
        return err;
    x402_keccak256(digest, raw + start, cap - start);
    err = x402_sign(signature, signer, digest);
    if (err != X402_OK)
        return err;
    return x402_transaction_write(raw, raw_len, cap, hash32, tx, signature);
}

enum x402_err
x402_transaction_write(uint8_t *raw, size_t *raw_len, size_t cap,
                       uint8_t hash32[32], const struct x402_transaction *tx,
                       const uint8_t signature65[65])
{
    size_t start;
    enum x402_err err = encode(raw, &start, cap, tx, signature65);

    if (err != X402_OK)
        return err;
    memmove(raw, raw + start, cap - start);
    *raw_len = cap - start;
    x402_keccak256(hash32, raw, *raw_len);
    return X402_OK;
}
