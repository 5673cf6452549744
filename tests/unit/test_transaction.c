/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions against viem and ethers, written and read, and what the reader
 * must not let pass. */
#include "test.h"

#include <x402/keccak.h>
#include <x402/rlp.h>
#include <x402/transaction.h>

#define RAW_MAX 16384

static const uint8_t seed[32] = {1};

static struct x402_amount
decimal(const json_t *row, const char *key)
{
    struct x402_amount out;

    test_need(x402_amount_parse(&out, x402_span_of(test_string(row, key))) ==
                  X402_OK,
              key);
    return out;
}

static struct x402_address
address(const char *text)
{
    struct x402_address out;

    test_need(x402_address_parse(&out, x402_span_of(text)) == X402_OK, text);
    return out;
}

static bool
same(const struct x402_transaction *a, const struct x402_transaction *b)
{
    return a->chain_id == b->chain_id && a->nonce == b->nonce &&
           x402_amount_cmp(&a->max_priority_fee, &b->max_priority_fee) == 0 &&
           x402_amount_cmp(&a->max_fee, &b->max_fee) == 0 &&
           a->gas_limit == b->gas_limit && x402_address_eq(&a->to, &b->to) &&
           x402_amount_cmp(&a->value, &b->value) == 0 &&
           a->data_len == b->data_len &&
           (a->data_len == 0 || memcmp(a->data, b->data, a->data_len) == 0);
}

/* ---- viem ---- */

static uint64_t
integer(const json_t *row, const char *key)
{
    const json_t *value = json_object_get(row, key);

    test_need(json_is_integer(value), key);
    return (uint64_t)json_integer_value(value);
}

/* *data is the caller's to free. */
static struct x402_transaction
read_viem(const json_t *row, uint8_t **data)
{
    struct x402_transaction tx = {
        .chain_id = integer(row, "chainId"),
        .nonce = integer(row, "nonce"),
        .max_priority_fee = decimal(row, "maxPriorityFeePerGas"),
        .max_fee = decimal(row, "maxFeePerGas"),
        .to = address(test_string(row, "to")),
        .value = decimal(row, "value"),
    };
    struct x402_amount gas = decimal(row, "gas");

    test_need(x402_amount_u64(&tx.gas_limit, &gas), "gas");
    *data = test_unhex(&tx.data_len, test_string(row, "data"));
    tx.data = *data;
    return tx;
}

/* Every capacity that is too small says so. */
static void
check_caps(const struct x402_transaction *tx, const struct x402_signer *signer,
           size_t raw_len)
{
    static uint8_t raw[RAW_MAX];
    uint8_t hash[32];
    unsigned refused = 0, caps = 0;

    for (size_t cap = 0; cap<raw_len; cap += raw_len> 400 ? 97 : 1) {
        size_t len = 12345;

        raw[cap] = 0x55;
        caps++;
        refused += x402_transaction_sign(raw, &len, cap, hash, tx, signer) ==
                       X402_ERR_TOO_LARGE &&
                   len == 12345 && raw[cap] == 0x55;
    }
    test_ok(refused == caps, "too small is too small");
}

static void
check_viem(const json_t *row)
{
    static uint8_t raw[RAW_MAX];
    struct x402_address from = address(test_string(row, "from")), sender;
    struct x402_transaction back, tx;
    struct x402_signer signer;
    uint8_t key[32], hash[32], want_hash[32], *data, *want;
    size_t len = 0, want_len;
    struct x402_span edge;

    tx = read_viem(row, &data);
    want = test_unhex(&want_len, test_string(row, "raw"));
    test_member(key, 32, row, "key");
    test_member(want_hash, 32, row, "hash");
    test_need(x402_signer_open(&signer, key, seed) == X402_OK, "key");
    test_ok(x402_transaction_sign(raw, &len,
                                  tx.data_len + X402_TRANSACTION_OVERHEAD, hash,
                                  &tx, &signer) == X402_OK,
            "signed within the stated overhead");
    test_bytes(raw, len, want, want_len, "as viem's");
    test_bytes(hash, 32, want_hash, 32, "its hash");
    check_caps(&tx, &signer, want_len);
    edge = test_edge(want, want_len);
    test_ok(x402_transaction_decode(&back, &sender, (const uint8_t *)edge.at,
                                    edge.len) == X402_OK &&
                same(&back, &tx) && x402_address_eq(&sender, &from),
            "and read back");
    x402_signer_close(&signer);
    free(data);
    free(want);
}

static void
test_viem(void)
{
    json_t *rows = test_vectors("viem/transactions.json"), *row;
    size_t i;

    json_array_foreach(rows, i, row) check_viem(row);
    test_ok(i == 60, "60 transactions");
    json_decref(rows);
}

/* ---- ethers, type 2 ---- */

/* A call to a contract, without access list: what we make. */
static bool
is_ours(const json_t *tx)
{
    const char *to = json_string_value(json_object_get(tx, "to"));

    return to != NULL && strlen(to) == 42 &&
           json_array_size(json_object_get(tx, "accessList")) == 0;
}

static void
check_type2(const json_t *row)
{
    static uint8_t raw[RAW_MAX];
    const char *name = test_string(row, "name");
    struct x402_transaction tx;
    struct x402_address sender = {{0}};
    struct x402_signer signer;
    uint8_t key[32], hash[32];
    size_t len, again = 0;
    uint8_t *text = test_unhex(&len, test_string(row, "signed"));
    enum x402_err err = x402_transaction_decode(&tx, &sender, text, len);

    if (!is_ours(json_object_get(row, "tx"))) {
        test_ok(err == X402_ERR_SYNTAX && x402_address_is_zero(&sender),
                "%s: not of our shape", name);
        free(text);
        return;
    }
    test_ok(err == X402_OK, "%s: read", name);
    test_member(key, 32, row, "key");
    test_need(x402_signer_open(&signer, key, seed) == X402_OK, "key");
    test_ok(x402_address_eq(&sender, &signer.address), "its sender");
    test_ok(x402_transaction_sign(raw, &again, sizeof raw, hash, &tx,
                                  &signer) == X402_OK,
            "signed again");
    test_bytes(raw, again, text, len, "the same bytes");
    x402_signer_close(&signer);
    free(text);
}

static void
test_ethers_type2(void)
{
    json_t *rows = test_vectors("ethers/type2.json"), *row;
    size_t i, ours = 0;

    json_array_foreach(rows, i, row)
    {
        ours += is_ours(json_object_get(row, "tx"));
        check_type2(row);
    }
    test_ok(ours > 80 && i - ours > 50, "%zu of %zu are of our shape", ours, i);
    json_decref(rows);
}

/* ---- ethers, before type 2: RLP and recovery only ---- */

/* Read a list of strings and write it again. */
static void
check_rewrite(const uint8_t *text, size_t len, const char *why)
{
    static uint8_t memory[RAW_MAX];
    struct x402_rlp_writer w = {memory, sizeof memory, sizeof memory, false};
    struct x402_rlp_item list, items[16];
    const uint8_t *at = text;
    size_t left = len, count = 0;

    test_need(x402_rlp_read(&list, &at, &left) == X402_OK && list.list &&
                  left == 0,
              why);
    at = list.at;
    left = list.len;
    while (left > 0) {
        test_need(count < TEST_LEN(items) &&
                      x402_rlp_read(&items[count], &at, &left) == X402_OK &&
                      !items[count].list,
                  why);
        count++;
    }
    while (count-- > 0)
        x402_rlp_bytes(&w, items[count].at, items[count].len);
    x402_rlp_list(&w, sizeof memory);
    test_ok(!w.full && sizeof memory - w.start == len &&
                memcmp(memory + w.start, text, len) == 0,
            "%s: written again", why);
}

/* The last three strings of a signed one: v, r, s. */
static uint64_t
read_signature(uint8_t out65[65], const uint8_t *text, size_t len)
{
    struct x402_rlp_item item = {false, NULL, 0};
    const uint8_t *at = text;
    uint64_t v = 0;
    size_t left = len;

    memset(out65, 0, 65);
    test_need(x402_rlp_read(&item, &at, &left) == X402_OK, "list");
    at = item.at;
    left = item.len;
    for (unsigned i = 0; i < 9; i++) {
        test_need(x402_rlp_read(&item, &at, &left) == X402_OK, "item");
        if (i == 6) {
            for (size_t j = 0; j < item.len; j++)
                v = v << 8 | item.at[j];
        } else if (i > 6) {
            memcpy(out65 + 32 * (i - 6) - item.len, item.at, item.len);
        }
    }
    return v;
}

static void
check_legacy(const json_t *row, const char *unsigned_key,
             const char *signed_key, uint64_t chain_id)
{
    struct x402_address want = address(test_string(row, "accountAddress"));
    struct x402_address who;
    uint8_t digest[32], signature[65];
    size_t len, signed_len;
    uint8_t *text = test_unhex(&len, test_string(row, unsigned_key));
    uint8_t *whole = test_unhex(&signed_len, test_string(row, signed_key));
    uint64_t v = read_signature(signature, whole, signed_len);

    check_rewrite(text, len, unsigned_key);
    check_rewrite(whole, signed_len, signed_key);
    /* EIP-155: "v of the signature MUST be set to {0,1} + CHAIN_ID * 2 + 35" */
    if (chain_id != 0)
        v = v - 35 - 2 * chain_id + 27;
    signature[64] = (uint8_t)v;
    x402_keccak256(digest, text, len);
    test_ok(x402_recover(&who, signature, digest) == X402_OK &&
                x402_address_eq(&who, &want),
            "%s: its sender", test_string(row, "name"));
    free(text);
    free(whole);
}

static void
test_ethers_legacy(void)
{
    json_t *rows = test_vectors("ethers/transactions.json"), *row;
    size_t i;

    json_array_foreach(rows, i, row)
    {
        check_legacy(row, "unsignedTransaction", "signedTransaction", 0);
        check_legacy(row, "unsignedTransactionChainId5",
                     "signedTransactionChainId5", 5);
    }
    test_ok(i == 200, "200 transactions");
    json_decref(rows);
}

/* ---- what must not pass ---- */

/* A signed transaction of 200 bytes or so to take apart. */
static size_t
make(uint8_t raw[RAW_MAX], struct x402_transaction *tx,
     struct x402_address *sender)
{
    static const uint8_t data[36] = {0x70, 0xa0, 0x82, 0x31, 0, 0, 7};
    struct x402_signer signer;
    uint8_t key[32], hash[32];
    size_t len;

    memset(key, 0x11, sizeof key);
    *tx = (struct x402_transaction){
        .chain_id = 8453,
        .nonce = 7,
        .max_priority_fee = x402_amount_of(1000000),
        .max_fee = x402_amount_of(2000000000),
        .gas_limit = 90000,
        .to = address("0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"),
        .value = x402_amount_of(0),
        .data = data,
        .data_len = sizeof data,
    };
    test_need(x402_signer_open(&signer, key, seed) == X402_OK, "key");
    *sender = signer.address;
    test_need(x402_transaction_sign(raw, &len, RAW_MAX, hash, tx, &signer) ==
                  X402_OK,
              "sign");
    x402_signer_close(&signer);
    return len;
}

/* Whatever one bit is flipped: refused, or somebody else's transaction. */
static void
test_every_bit(void)
{
    static uint8_t raw[RAW_MAX];
    struct x402_transaction tx, got;
    struct x402_address sender, who;
    size_t len = make(raw, &tx, &sender);
    unsigned passed = 0;

    for (size_t bit = 0; bit < 8 * len; bit++) {
        struct x402_span edge;

        raw[bit / 8] ^= (uint8_t)(1u << bit % 8);
        edge = test_edge(raw, len);
        if (x402_transaction_decode(&got, &who, (const uint8_t *)edge.at,
                                    len) == X402_OK &&
            x402_address_eq(&who, &sender))
            passed++;
        raw[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    test_ok(passed == 0, "no flipped bit passes as the sender's");
}

static void
test_lengths(void)
{
    static uint8_t raw[RAW_MAX];
    struct x402_transaction tx, got;
    struct x402_address sender, who;
    size_t len = make(raw, &tx, &sender);
    unsigned passed = 0;

    for (size_t cut = 0; cut < len; cut++) {
        struct x402_span edge = test_edge(raw, cut);

        passed += x402_transaction_decode(&got, &who, (const uint8_t *)edge.at,
                                          cut) == X402_OK;
    }
    test_ok(passed == 0, "refused when cut anywhere");
    raw[len] = 0;
    test_ok(x402_transaction_decode(&got, &who, raw, len + 1) ==
                X402_ERR_SYNTAX,
            "a byte after the end");
    raw[0] = 0x01;
    test_ok(x402_transaction_decode(&got, &who, raw, len) == X402_ERR_SYNTAX,
            "another type");
}

/* The fields of a transaction as strings and lists, to be put together wrongly
 * and signed all the same: refused for their form, not for the signature. */
struct field {
    const char *bytes; /* hex; NULL: an empty list */
};

struct broken {
    const char *why;
    unsigned at; /* which of the nine fields is another one */
    struct field field;
};

static const struct field whole[9] = {
    {"0x2105"},   {"0x07"},
    {"0x0f4240"}, {"0x77359400"},
    {"0x015f90"}, {"0x833589fcd6edb6e08f4c7c32d4f71b54bda02913"},
    {"0x"},       {"0x70a08231"},
    {NULL},
};

static void
put_field(struct x402_rlp_writer *w, struct field field)
{
    size_t len;
    uint8_t *bytes;

    if (field.bytes == NULL) {
        x402_rlp_list(w, w->start);
        return;
    }
    bytes = test_unhex(&len, field.bytes);
    x402_rlp_bytes(w, bytes, len);
    free(bytes);
}

static void
put_fields(struct x402_rlp_writer *w, const struct broken *broken)
{
    for (unsigned i = 9; i-- > 0;)
        put_field(w, broken->at == i ? broken->field : whole[i]);
}

/* Sign the broken fields as if they were right; `tail` more strings follow. */
static enum x402_err
decode_broken(const struct broken *broken, uint8_t parity_is, unsigned tail)
{
    uint8_t memory[512], digest[32], signature[65], key[32];
    struct x402_rlp_writer w = {memory, sizeof memory, sizeof memory, false};
    struct x402_transaction tx;
    struct x402_address who;
    struct x402_signer signer;

    memset(key, 0x11, sizeof key);
    test_need(x402_signer_open(&signer, key, seed) == X402_OK, "key");
    put_fields(&w, broken);
    x402_rlp_list(&w, sizeof memory);
    memory[--w.start] = 2;
    x402_keccak256(digest, memory + w.start, sizeof memory - w.start);
    test_need(x402_sign(signature, &signer, digest) == X402_OK, "sign");
    x402_signer_close(&signer);

    w.start = sizeof memory;
    while (tail-- > 0)
        x402_rlp_u64(&w, 1);
    x402_rlp_bytes(&w, signature + 32, 32);
    x402_rlp_bytes(&w, signature, 32);
    x402_rlp_u64(&w, (uint64_t)(signature[64] - 27) + parity_is);
    put_fields(&w, broken);
    x402_rlp_list(&w, sizeof memory);
    memory[--w.start] = 2;
    test_need(!w.full, "room");
    return x402_transaction_decode(&tx, &who, memory + w.start,
                                   sizeof memory - w.start);
}

static void
test_forms(void)
{
    static const struct broken rows[] = {
        {"chain id with a leading zero", 0, {"0x002105"}},
        {"chain id of 9 bytes", 0, {"0x010000000000000000"}},
        {"chain id a list", 0, {NULL}},
        {"nonce zero as a byte", 1, {"0x00"}},
        {"nonce with a leading zero", 1, {"0x0007"}},
        {"nonce of 9 bytes", 1, {"0x010000000000000000"}},
        {"priority fee with a leading zero", 2, {"0x000f4240"}},
        {"priority fee of 33 bytes",
         2,
         {"0x01000000000000000000000000000000000000000000000000000000000000000"
          "0"}},
        {"fee a list", 3, {NULL}},
        {"gas of 9 bytes", 4, {"0x010000000000000000"}},
        {"no address: a contract would be made", 5, {"0x"}},
        {"address of 19 bytes",
         5,
         {"0x833589fcd6edb6e08f4c7c32d4f71b54bda029"}},
        {"address of 21 bytes",
         5,
         {"0x00833589fcd6edb6e08f4c7c32d4f71b54bda02913"}},
        {"address a list", 5, {NULL}},
        {"value zero as a byte", 6, {"0x00"}},
        {"data a list", 7, {NULL}},
        {"access list a string", 8, {"0x"}},
        {"access list a string of 0xc0", 8, {"0xc0"}},
    };
    static const struct broken fine = {"nothing wrong", 99, {NULL}};

    test_ok(decode_broken(&fine, 0, 0) == X402_OK, "the parts put together");
    for (size_t i = 0; i < TEST_LEN(rows); i++)
        test_ok(decode_broken(&rows[i], 0, 0) == X402_ERR_SYNTAX, "%s",
                rows[i].why);
    test_ok(decode_broken(&fine, 2, 0) == X402_ERR_SYNTAX, "parity above 1");
    test_ok(decode_broken(&fine, 27, 0) == X402_ERR_SYNTAX, "parity of 27");
    test_ok(decode_broken(&fine, 0, 1) == X402_ERR_SYNTAX, "a 13th field");
}

int
main(void)
{
    test_viem();
    test_ethers_type2();
    test_ethers_legacy();
    test_every_bit();
    test_lengths();
    test_forms();
    return test_done();
}
