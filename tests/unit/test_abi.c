/* SPDX-License-Identifier: Apache-2.0 */
/* Calls and answers against viem, and the last look before signing against
 * calldata that was changed. */
#include "test.h"

#include <x402/abi.h>
#include <x402/keccak.h>

#define CALLS 16
#define AREA 65536

/* ---- reading vectors ---- */

static struct x402_address
address(const json_t *row, const char *key)
{
    struct x402_address out;

    test_need(x402_address_parse(&out, x402_span_of(test_string(row, key))) ==
                  X402_OK,
              key);
    return out;
}

static struct x402_amount
decimal(const json_t *row, const char *key)
{
    struct x402_amount out;

    test_need(x402_amount_parse(&out, x402_span_of(test_string(row, key))) ==
                  X402_OK,
              key);
    return out;
}

static struct x402_authorization
authorization(const json_t *row)
{
    struct x402_authorization auth = {.from = address(row, "from"),
                                      .to = address(row, "to"),
                                      .value = decimal(row, "value")};
    struct x402_amount after = decimal(row, "validAfter");
    struct x402_amount before = decimal(row, "validBefore");

    test_need(x402_amount_u64(&auth.valid_after_s, &after) &&
                  x402_amount_u64(&auth.valid_before_s, &before),
              "seconds");
    test_member(auth.nonce, 32, row, "nonce");
    return auth;
}

static bool
same_authorization(const struct x402_authorization *a,
                   const struct x402_authorization *b)
{
    return x402_address_eq(&a->from, &b->from) &&
           x402_address_eq(&a->to, &b->to) &&
           x402_amount_cmp(&a->value, &b->value) == 0 &&
           a->valid_after_s == b->valid_after_s &&
           a->valid_before_s == b->valid_before_s &&
           memcmp(a->nonce, b->nonce, 32) == 0;
}

/* ---- names ---- */

static void
check_selector(const uint8_t *call, const char *signature)
{
    uint8_t hash[32];

    x402_keccak256(hash, signature, strlen(signature));
    test_bytes(call, 4, hash, 4, signature);
}

static void
test_selectors(void)
{
    static const struct x402_authorization auth = {.nonce = {0}};
    static const uint8_t signature[66] = {[64] = 27};
    uint8_t out[X402_ABI_TRANSFER_MAX];

    x402_abi_transfer(out, &auth, signature, 65);
    check_selector(out, "transferWithAuthorization(address,address,uint256,"
                        "uint256,uint256,bytes32,uint8,bytes32,bytes32)");
    x402_abi_transfer(out, &auth, signature, 66);
    check_selector(out, "transferWithAuthorization(address,address,uint256,"
                        "uint256,uint256,bytes32,bytes)");
    x402_abi_balance_of(out, &auth.from);
    check_selector(out, "balanceOf(address)");
    x402_abi_authorization_state(out, &auth.from, auth.nonce);
    check_selector(out, "authorizationState(address,bytes32)");
    x402_abi_aggregate3(out, NULL, 0);
    check_selector(out, "aggregate3((address,bool,bytes)[])");
    test_ok(x402_abi_block_number(out) == 4, "a call of four bytes");
    check_selector(out, "getBlockNumber()");
    test_ok(x402_abi_block_timestamp(out) == 4, "a call of four bytes");
    check_selector(out, "getCurrentBlockTimestamp()");
    test_ok(x402_abi_domain_separator(out) == 4, "a call of four bytes");
    check_selector(out, "DOMAIN_SEPARATOR()");
}

static void
test_names(void)
{
    const struct {
        const char *name;
        const uint8_t *topic;
    } topics[] = {
        {"Transfer", x402_abi_topic_transfer},
        {"AuthorizationUsed", x402_abi_topic_authorization_used},
        {"AuthorizationCanceled", x402_abi_topic_authorization_canceled},
    };
    json_t *rows = test_vectors("viem/names.json"), *row;
    size_t i, seen = 0;

    json_array_foreach(rows, i, row)
    {
        for (size_t j = 0; j < TEST_LEN(topics); j++) {
            uint8_t want[32];

            if (strcmp(test_string(row, "name"), topics[j].name) != 0)
                continue;
            test_member(want, 32, row, "bytes");
            test_bytes(topics[j].topic, 32, want, 32, topics[j].name);
            seen++;
        }
    }
    test_ok(seen == 3, "three topics");
    json_decref(rows);
}

/* ---- calls ---- */

static void
check_transfer(const json_t *row)
{
    struct x402_authorization auth = authorization(row);
    struct x402_abi_seen seen;
    struct x402_span edge;
    uint8_t out[X402_ABI_TRANSFER_MAX + 1];
    size_t signature_len, want_len, len, count = 0;
    uint8_t *signature =
        test_unhex(&signature_len, test_string(row, "signature"));
    uint8_t *want = test_unhex(&want_len, test_string(row, "data"));

    memset(out, 0x55, sizeof out);
    len = x402_abi_transfer(out, &auth, signature, signature_len);
    test_bytes(out, len, want, want_len, "transfer as viem's");
    test_ok(out[X402_ABI_TRANSFER_MAX] == 0x55, "within the stated size");
    test_ok(signature_len != 65 || len == X402_ABI_TRANSFER_VRS_LEN,
            "of the stated length");
    edge = test_edge(want, want_len);
    test_ok(x402_abi_inspect(&seen, &count, 1, (const uint8_t *)edge.at,
                             edge.len) == X402_OK &&
                count == 1 && same_authorization(&seen.auth, &auth) &&
                x402_address_is_zero(&seen.target),
            "and seen again");
    test_ok(x402_abi_inspect(&seen, &count, 0, want, want_len) ==
                X402_ERR_TOO_LARGE,
            "no room for one");
    free(signature);
    free(want);
}

static void
test_transfers(void)
{
    json_t *rows = test_vectors("viem/transfers.json"), *row;
    size_t i;

    json_array_foreach(rows, i, row) check_transfer(row);
    test_ok(i == 48, "48 transfers");
    json_decref(rows);
}

static void
test_reads(void)
{
    json_t *rows = test_vectors("viem/reads.json"), *row;
    size_t i;

    json_array_foreach(rows, i, row)
    {
        struct x402_address owner = address(row, "owner");
        uint8_t nonce[32], out[68], want[68];

        test_member(nonce, 32, row, "nonce");
        test_member(want, 36, row, "balanceOf");
        test_bytes(out, x402_abi_balance_of(out, &owner), want, 36,
                   "balanceOf");
        test_member(want, 68, row, "authorizationState");
        test_bytes(out, x402_abi_authorization_state(out, &owner, nonce), want,
                   68, "authorizationState");
    }
    json_decref(rows);
}

static void
check_batch(const json_t *row)
{
    const json_t *list = json_object_get(row, "calls"), *item;
    struct x402_abi_call calls[CALLS];
    static uint8_t out[AREA];
    size_t i, len, want_len, count = json_array_size(list);
    uint8_t *data[CALLS], *want;

    test_need(count <= CALLS, "calls");
    json_array_foreach(list, i, item)
    {
        data[i] = test_unhex(&calls[i].data_len, test_string(item, "callData"));
        calls[i].data = data[i];
        calls[i].target = address(item, "target");
        calls[i].allow_failure =
            json_is_true(json_object_get(item, "allowFailure"));
    }
    want = test_unhex(&want_len, test_string(row, "data"));
    memset(out, 0x55, sizeof out);
    len = x402_abi_aggregate3(out, calls, count);
    test_bytes(out, len, want, want_len, "aggregate3 as viem's");
    test_ok(x402_abi_aggregate3_len(calls, count) == len && out[len] == 0x55,
            "of the length said before, %zu calls", count);
    for (i = 0; i < count; i++)
        free(data[i]);
    free(want);
}

static void
test_batches(void)
{
    json_t *rows = test_vectors("viem/batches.json"), *row;
    size_t i;

    json_array_foreach(rows, i, row) check_batch(row);
    json_decref(rows);
}

/* ---- answers ---- */

static bool
same_result(const struct x402_abi_result *got, const json_t *want)
{
    size_t len;
    uint8_t *data = test_unhex(&len, test_string(want, "returnData"));
    bool same =
        got->success == json_is_true(json_object_get(want, "success")) &&
        got->data_len == len && memcmp(got->data, data, len) == 0;

    free(data);
    return same;
}

static enum x402_err
decode(struct x402_abi_result *results, size_t count, const void *answer,
       size_t len)
{
    struct x402_span edge = test_edge(answer, len);

    return x402_abi_aggregate3_decode(results, count, (const uint8_t *)edge.at,
                                      edge.len);
}

static void
check_answer(const json_t *row)
{
    const json_t *list = json_object_get(row, "results"), *item;
    struct x402_abi_result results[CALLS];
    size_t i, len, count = json_array_size(list);
    uint8_t *answer = test_unhex(&len, test_string(row, "data"));
    unsigned right = 0, refused = 0, cuts = 0;

    test_ok(decode(results, count, answer, len) == X402_OK,
            "an answer of %zu results", count);
    json_array_foreach(list, i, item) right += same_result(&results[i], item);
    test_ok(right == count, "all of them right");
    test_ok(decode(results, count + 1, answer, len) == X402_ERR_SYNTAX,
            "one too few");
    if (count > 0)
        test_ok(decode(results, count - 1, answer, len) == X402_ERR_SYNTAX,
                "one too many");
    /* The zeros behind the last result may be missing, nothing else. */
    for (size_t cut = 0; cut + 32 < len; cut++, cuts++)
        refused += decode(results, count, answer, cut) != X402_OK;
    test_ok(refused == cuts, "refused when cut anywhere");
    free(answer);
}

static void
test_answers(void)
{
    json_t *rows = test_vectors("viem/answers.json"), *row;
    size_t i;

    json_array_foreach(rows, i, row) check_answer(row);
    json_decref(rows);
}

/* One result whose words are what a lying node could send. */
static void
test_hostile_answers(void)
{
    static const char good[] =
        "0x"
        "0000000000000000000000000000000000000000000000000000000000000020"
        "0000000000000000000000000000000000000000000000000000000000000001"
        "0000000000000000000000000000000000000000000000000000000000000020"
        "0000000000000000000000000000000000000000000000000000000000000001"
        "0000000000000000000000000000000000000000000000000000000000000040"
        "0000000000000000000000000000000000000000000000000000000000000004"
        "aabbccdd00000000000000000000000000000000000000000000000000000000";
    static const struct {
        const char *why;
        unsigned word;
        const char *hex;
    } rows[] = {
        {"array past the end", 0, "0xe1"},
        {"array so that its length is past the end", 0, "0xe0"},
        {"array at 2^64 - 1", 0, "0xffffffffffffffff"},
        {"array at 2^64", 0, "0x010000000000000000"},
        {"no results", 1, "0x00"},
        {"two results", 1, "0x02"},
        {"2^64 + 1 results", 1, "0x010000000000000001"},
        {"tuple past the end", 2, "0xffff"},
        {"tuple at 2^64 - 31", 2, "0xffffffffffffffe1"},
        {"tuple at 2^256 - 32", 2,
         "0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe0"},
        {"success of 2", 3, "0x02"},
        {"success of 2^64", 3, "0x010000000000000000"},
        {"bytes past the end", 4, "0xffff"},
        {"bytes at 2^64 - 1", 4, "0xffffffffffffffff"},
        {"33 bytes", 5, "0x21"},
        {"2^64 - 1 bytes", 5, "0xffffffffffffffff"},
        {"2^64 + 4 bytes", 5, "0x010000000000000004"},
    };
    struct x402_abi_result result;
    size_t len;
    uint8_t *answer = test_unhex(&len, good);

    test_ok(decode(&result, 1, answer, len) == X402_OK && result.success &&
                result.data_len == 4 && result.data[3] == 0xdd,
            "good as it is");
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        uint8_t bad[7 * 32];
        size_t n;
        uint8_t *word = test_unhex(&n, rows[i].hex);

        memcpy(bad, answer, sizeof bad);
        memset(bad + 32 * rows[i].word, 0, 32);
        memcpy(bad + 32 * (rows[i].word + 1) - n, word, n);
        test_ok(decode(&result, 1, bad, sizeof bad) == X402_ERR_SYNTAX, "%s",
                rows[i].why);
        free(word);
    }
    free(answer);
}

static void
test_reverts(void)
{
    json_t *rows = test_vectors("viem/reverts.json"), *row;
    size_t i;

    json_array_foreach(rows, i, row)
    {
        const json_t *text = json_object_get(row, "text");
        size_t len;
        uint8_t *data = test_unhex(&len, test_string(row, "data"));
        struct x402_span edge = test_edge(data, len);
        struct x402_span got =
            x402_abi_revert_text((const uint8_t *)edge.at, len);
        unsigned cut_texts = 0;

        test_ok(
            json_is_null(text)
                ? got.at == NULL && got.len == 0
                : got.at != NULL &&
                      x402_span_eq(got, x402_span_of(json_string_value(text))),
            "revert %zu", i);
        for (size_t cut = 0; cut < 4 + 64 + got.len && cut < len; cut++) {
            edge = test_edge(data, cut);
            cut_texts +=
                x402_abi_revert_text((const uint8_t *)edge.at, cut).at != NULL;
        }
        test_ok(cut_texts == 0, "no text when cut short");
        free(data);
    }
    test_ok(x402_abi_revert_text(NULL, 0).at == NULL, "an empty revert");
    json_decref(rows);
}

/* ---- the last look ---- */

struct batch {
    uint8_t *data;
    size_t len, count;
    struct x402_abi_seen seen[CALLS];
};

static struct batch
read_batch(const json_t *row)
{
    const json_t *list = json_object_get(row, "seen"), *item;
    struct batch b = {.count = json_array_size(list)};
    size_t i;

    json_array_foreach(list, i, item)
    {
        b.seen[i].target = address(item, "token");
        b.seen[i].auth = authorization(item);
    }
    b.data = test_unhex(&b.len, test_string(row, "data"));
    return b;
}

static bool
sees(const struct batch *b, const uint8_t *data, size_t len)
{
    struct x402_abi_seen seen[CALLS];
    struct x402_span edge = test_edge(data, len);
    size_t count = 0;

    if (x402_abi_inspect(seen, &count, CALLS, (const uint8_t *)edge.at, len) !=
            X402_OK ||
        count != b->count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!x402_address_eq(&seen[i].target, &b->seen[i].target) ||
            !same_authorization(&seen[i].auth, &b->seen[i].auth))
            return false;
    }
    return true;
}

/* In calldata of one payment with a 65-byte signature: bytes that may differ
 * without another payment, because the contract itself holds them to account
 * (r, s and the last bit of v decide nothing but success) or because they are
 * the batch's own wish (allowFailure). */
static bool
is_free_bit(size_t bit, size_t bits)
{
    const size_t allow_failure = 4 + 32 + 32 + 32 + 32; /* of the first call */
    size_t byte = bit / 8, tail = bits / 8 - byte;

    if (byte == allow_failure + 31)
        return bit % 8 == 0;
    return tail > 28 && tail <= 28 + 64; /* r and s, then 28 zeros */
}

static void
test_flipped_bits(void)
{
    json_t *rows = test_vectors("viem/payments.json");
    struct batch b = read_batch(json_array_get(rows, 0));
    unsigned passed = 0, free_passed = 0, free_bits = 0;

    test_need(b.len == 4 + 7 * 32 + 292 + 28, "one payment of nine words");
    for (size_t bit = 0; bit < 8 * b.len; bit++) {
        bool is_free = is_free_bit(bit, 8 * b.len);

        b.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        free_bits += is_free;
        if (sees(&b, b.data, b.len)) {
            passed += !is_free;
            free_passed += is_free;
        }
        b.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    test_ok(passed == 0, "no other bit can flip unseen");
    test_ok(free_passed == free_bits && free_bits == 8 * 64 + 1,
            "r, s and allowFailure can");
    free(b.data);
    json_decref(rows);
}

static void
test_payments(void)
{
    json_t *rows = test_vectors("viem/payments.json"), *row;
    size_t i;

    json_array_foreach(rows, i, row)
    {
        struct batch b = read_batch(row);
        struct x402_abi_seen seen[CALLS];
        unsigned passed = 0;
        size_t count = 77;

        test_ok(sees(&b, b.data, b.len), "%zu payments seen", b.count);
        test_ok(x402_abi_inspect(seen, &count, b.count - 1, b.data, b.len) ==
                        X402_ERR_TOO_LARGE &&
                    count == 77,
                "one more than there is room for");
        for (size_t cut = 0; cut < b.len; cut++)
            passed += sees(&b, b.data, cut);
        test_ok(passed == 0, "refused when cut anywhere");
        b.data = realloc(b.data, b.len + 32);
        memset(b.data + b.len, 0, 32);
        test_ok(!sees(&b, b.data, b.len + 32) && !sees(&b, b.data, b.len + 1),
                "refused with bytes behind");
        free(b.data);
    }
    json_decref(rows);
}

static enum x402_err
inspect(const uint8_t *data, size_t len)
{
    struct x402_abi_seen seen[CALLS];
    struct x402_span edge = test_edge(data, len);
    size_t count;

    return x402_abi_inspect(seen, &count, CALLS, (const uint8_t *)edge.at, len);
}

/* Everything that is not a transfer, alone or among transfers. */
static void
test_other_calls(void)
{
    static const struct x402_authorization auth = {.nonce = {1}};
    static const uint8_t signature[65] = {[64] = 27};
    uint8_t transfer[X402_ABI_TRANSFER_MAX], out[4096], balance[36];
    struct x402_abi_call calls[2] = {{.allow_failure = true}};
    size_t len = x402_abi_transfer(transfer, &auth, signature, 65), n;

    test_ok(inspect(transfer, len) == X402_OK, "a transfer");
    calls[0].data = transfer;
    calls[0].data_len = len;
    calls[1].data = balance;
    calls[1].data_len = x402_abi_balance_of(balance, &auth.from);
    test_ok(inspect(balance, sizeof balance) == X402_ERR_SYNTAX,
            "balanceOf alone");
    n = x402_abi_aggregate3(out, calls, 2);
    test_ok(inspect(out, n) == X402_ERR_SYNTAX, "balanceOf beside a transfer");
    n = x402_abi_aggregate3(out, calls, 1);
    test_ok(inspect(out, n) == X402_OK, "the transfer alone");
    calls[1].data = out;
    calls[1].data_len = n;
    {
        static uint8_t nested[8192];

        n = x402_abi_aggregate3(nested, calls + 1, 1);
        test_ok(inspect(nested, n) == X402_ERR_SYNTAX, "a batch in a batch");
    }
    memcpy(transfer, "\xa9\x05\x9c\xbb", 4); /* transfer(address,uint256) */
    test_ok(inspect(transfer, len) == X402_ERR_SYNTAX, "another selector");
    test_ok(inspect(transfer, 0) == X402_ERR_SYNTAX, "no call at all");
}

/* The overload with bytes: its own padding, offset and length. */
static void
test_bytes_overload(void)
{
    static const struct x402_authorization auth = {.nonce = {1}};
    static const uint8_t signature[X402_SIGNATURE_MAX] = {1};
    uint8_t out[X402_ABI_TRANSFER_MAX + 64];
    const size_t offset_at = 4 + 6 * 32 + 31, len_at = offset_at + 32;
    size_t len = x402_abi_transfer(out, &auth, signature, 70);

    test_ok(inspect(out, len) == X402_OK, "70 bytes");
    out[len - 1] = 1;
    test_ok(inspect(out, len) == X402_ERR_SYNTAX, "padding that is not zero");
    out[len - 1] = 0;
    out[offset_at] ^= 0x20;
    test_ok(inspect(out, len) == X402_ERR_SYNTAX, "bytes elsewhere");
    out[offset_at] ^= 0x20;
    out[len_at] = 65;
    out[len_at + 1 + 64] = 31;
    test_ok(inspect(out, len) == X402_OK, "65 bytes of a contract");
    out[len_at + 1 + 64] = 28;
    test_ok(inspect(out, len) == X402_ERR_SYNTAX,
            "an account's belong into the other overload");
    out[len_at + 1 + 64] = 0;
    out[len_at] = 97;
    test_ok(inspect(out, len) == X402_ERR_SYNTAX, "more than there are");
    len = x402_abi_transfer(out, &auth, signature, X402_SIGNATURE_MAX);
    test_ok(inspect(out, len) == X402_OK, "the longest");
    memset(out + len, 0, 32);
    out[len_at]++;
    test_ok(inspect(out, len + 32) == X402_ERR_SYNTAX, "one byte longer");
}

int
main(void)
{
    test_selectors();
    test_names();
    test_transfers();
    test_reads();
    test_batches();
    test_answers();
    test_hostile_answers();
    test_reverts();
    test_payments();
    test_flipped_bits();
    test_other_calls();
    test_bytes_overload();
    return test_done();
}
