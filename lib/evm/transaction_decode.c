/* SPDX-License-Identifier: Apache-2.0 */
/* A signed EIP-1559 transaction, read again by code that shares nothing with
 * the writer but the RLP reader: the last look before money moves. */
#include <x402/transaction.h>

#include <string.h>

#include <x402/keccak.h>
#include <x402/rlp.h>

/* What is left of the transaction's list. */
struct reader {
    const uint8_t *at;
    size_t len;
};

static enum x402_err
read_string(struct x402_rlp_item *out, struct reader *r)
{
    enum x402_err err = x402_rlp_read(out, &r->at, &r->len);

    if (err != X402_OK)
        return err;
    return out->list ? X402_ERR_SYNTAX : X402_OK;
}

/* An integer of at most 32 bytes, no leading zero, as a word. */
static enum x402_err
read_word(uint8_t out32[32], struct reader *r)
{
    struct x402_rlp_item item;
    enum x402_err err = read_string(&item, r);

    if (err != X402_OK)
        return err;
    if (item.len > 32 || (item.len > 0 && item.at[0] == 0))
        return X402_ERR_SYNTAX;
    memset(out32, 0, 32);
    memcpy(out32 + 32 - item.len, item.at, item.len);
    return X402_OK;
}

static enum x402_err
read_amount(struct x402_amount *out, struct reader *r)
{
    uint8_t word[32];
    enum x402_err err = read_word(word, r);

    if (err == X402_OK)
        x402_amount_from_be32(out, word);
    return err;
}

static enum x402_err
read_u64(uint64_t *out, struct reader *r)
{
    struct x402_amount value;
    enum x402_err err = read_amount(&value, r);

    if (err != X402_OK)
        return err;
    return x402_amount_u64(out, &value) ? X402_OK : X402_ERR_SYNTAX;
}

/* We never create contracts: an empty `to` is refused. */
static enum x402_err
read_address(struct x402_address *out, struct reader *r)
{
    struct x402_rlp_item item;
    enum x402_err err = read_string(&item, r);

    if (err != X402_OK)
        return err;
    if (item.len != sizeof out->byte)
        return X402_ERR_SYNTAX;
    memcpy(out->byte, item.at, sizeof out->byte);
    return X402_OK;
}

static enum x402_err
read_data(struct x402_transaction *out, struct reader *r)
{
    struct x402_rlp_item item;
    enum x402_err err = read_string(&item, r);

    if (err != X402_OK)
        return err;
    out->data = item.at;
    out->data_len = item.len;
    return X402_OK;
}

static enum x402_err
read_empty_list(struct reader *r)
{
    struct x402_rlp_item item;
    enum x402_err err = x402_rlp_read(&item, &r->at, &r->len);

    if (err != X402_OK)
        return err;
    return item.list && item.len == 0 ? X402_OK : X402_ERR_SYNTAX;
}

static enum x402_err
read_fields(struct x402_transaction *out, struct reader *r)
{
    enum x402_err err = read_u64(&out->chain_id, r);

    if (err == X402_OK)
        err = read_u64(&out->nonce, r);
    if (err == X402_OK)
        err = read_amount(&out->max_priority_fee, r);
    if (err == X402_OK)
        err = read_amount(&out->max_fee, r);
    if (err == X402_OK)
        err = read_u64(&out->gas_limit, r);
    if (err == X402_OK)
        err = read_address(&out->to, r);
    if (err == X402_OK)
        err = read_amount(&out->value, r);
    if (err == X402_OK)
        err = read_data(out, r);
    if (err == X402_OK)
        err = read_empty_list(r);
    return err;
}

static enum x402_err
read_signature(uint8_t out65[65], struct reader *r)
{
    uint64_t parity = 0;
    enum x402_err err = read_u64(&parity, r);

    if (err == X402_OK)
        err = read_word(out65, r);
    if (err == X402_OK)
        err = read_word(out65 + 32, r);
    if (err != X402_OK)
        return err;
    if (parity > 1)
        return X402_ERR_SYNTAX;
    out65[64] = (uint8_t)(27 + parity);
    return X402_OK;
}

/* What was signed: the type and the same fields in a list of their own. */
static void
hash_unsigned(uint8_t out32[32], const uint8_t *fields, size_t len)
{
    uint8_t header[2 + sizeof len] = {0x02};
    struct x402_keccak keccak;
    size_t n = 0;

    if (len <= 55) {
        header[1] = (uint8_t)(0xc0 + len);
    } else {
        while (n < sizeof len && len >> (8 * n) != 0)
            n++;
        header[1] = (uint8_t)(0xf7 + n);
        for (size_t i = 0; i < n; i++)
            header[2 + i] = (uint8_t)(len >> (8 * (n - 1 - i)));
    }
    x402_keccak_begin(&keccak);
    x402_keccak_add(&keccak, header, 2 + n);
    x402_keccak_add(&keccak, fields, len);
    x402_keccak_end(&keccak, out32);
}

/* Open the envelope: the type byte and one list that ends where raw ends. */
static enum x402_err
open_list(struct reader *out, const uint8_t *raw, size_t raw_len)
{
    struct x402_rlp_item list;
    struct reader r;
    enum x402_err err;

    if (raw_len == 0 || raw[0] != 0x02)
        return X402_ERR_SYNTAX;
    r = (struct reader){raw + 1, raw_len - 1};
    err = x402_rlp_read(&list, &r.at, &r.len);
    if (err != X402_OK)
        return err;
    if (!list.list || r.len != 0)
        return X402_ERR_SYNTAX;
    *out = (struct reader){list.at, list.len};
    return X402_OK;
}

enum x402_err
x402_transaction_read(struct x402_transaction *out, uint8_t signature65[65],
                      uint8_t digest32[32], const uint8_t *raw, size_t raw_len)
{
    struct x402_transaction tx;
    const uint8_t *fields;
    struct reader r;
    enum x402_err err = open_list(&r, raw, raw_len);

    if (err != X402_OK)
        return err;
    fields = r.at;
    err = read_fields(&tx, &r);
    if (err != X402_OK)
        return err;
    hash_unsigned(digest32, fields, (size_t)(r.at - fields));
    err = read_signature(signature65, &r);
    if (err != X402_OK)
        return err;
    if (r.len != 0)
        return X402_ERR_SYNTAX;
    *out = tx;
    return X402_OK;
}

enum x402_err
x402_transaction_decode(struct x402_transaction *out,
                        struct x402_address *sender, const uint8_t *raw,
                        size_t raw_len)
{
    struct x402_transaction tx;
    uint8_t signature[65], digest[32];
    enum x402_err err =
        x402_transaction_read(&tx, signature, digest, raw, raw_len);

    if (err == X402_OK)
        err = x402_recover(sender, signature, digest);
    if (err == X402_OK)
        *out = tx;
    return err;
}
