/* SPDX-License-Identifier: Apache-2.0 */
/* What a receipt proves.  Logs are written as text, one letter an account:
 *     "T Uan"   token T: AuthorizationUsed(a, nonce n)
 *     "T Mab5"  token T: Transfer(a, b, 5)
 *     "T X"     token T: some other event
 *     "T Dab5"  token T: Transfer, but a's word is no address
 *     "P S"     Permit2's exact proxy (Q: the one for upto): Settled()
 *     "P W"     the same: SettledWithPermit() */
#include "chain/receipt.h"

#include <x402/abi.h>

#include "test.h"

#define LOGS_MAX 10

static const uint8_t tx_hash[32] = {0xaa}, block_hash[32] = {0xbb};

static json_t *
bytes(const uint8_t *at, size_t len)
{
    char text[2 * 64 + 3];

    x402_hex_encode(text, at, len);
    return json_string(text);
}

static json_t *
topic_of(char letter)
{
    uint8_t word[32] = {0};

    word[12] = word[31] = (uint8_t)letter;
    return bytes(word, 32);
}

static json_t *
no_address(char letter)
{
    uint8_t word[32] = {[11] = 1};

    word[12] = word[31] = (uint8_t)letter;
    return bytes(word, 32);
}

static struct x402_address
contract_of(char letter)
{
    struct x402_address out = {{0}};

    if (letter == 'P')
        return x402_permit2_exact_proxy;
    if (letter == 'Q')
        return x402_permit2_upto_proxy;
    out.byte[0] = out.byte[19] = (uint8_t)letter;
    return out;
}

/* No round number: of each limb something. */
static void
value_of(uint8_t out[32], char digit)
{
    out[0] = out[9] = out[18] = out[31] = (uint8_t)(digit - '0');
}

static json_t *
log_of(const char *text)
{
    struct x402_address token = contract_of(text[0]);
    uint8_t data[32] = {0};
    static const uint8_t other[32] = {0x77};
    json_t *topics = json_array();

    switch (text[2]) {
    case 'U':
        json_array_append_new(topics,
                              bytes(x402_abi_topic_authorization_used, 32));
        break;
    case 'M':
    case 'D':
        json_array_append_new(topics, bytes(x402_abi_topic_transfer, 32));
        value_of(data, text[5]);
        break;
    case 'S':
        json_array_append_new(topics, bytes(x402_abi_topic_settled, 32));
        break;
    case 'W':
        json_array_append_new(topics,
                              bytes(x402_abi_topic_settled_with_permit, 32));
        break;
    default:
        json_array_append_new(topics, bytes(other, 32));
    }
    if (strchr("UMD", text[2]) != NULL) {
        json_array_append_new(topics, text[2] == 'D' ? no_address(text[3])
                                                     : topic_of(text[3]));
        json_array_append_new(topics, topic_of(text[4]));
    }
    return json_pack("{s:o,s:o,s:o,s:o,s:o,s:b}", "address",
                     bytes(token.byte, 20), "topics", topics, "data",
                     strchr("MD", text[2]) != NULL ? bytes(data, 32)
                                                   : json_string("0x"),
                     "transactionHash", bytes(tx_hash, 32), "blockHash",
                     bytes(block_hash, 32), "removed", 0);
}

static json_t *
receipt_of(const char *const *logs, bool success)
{
    json_t *array = json_array();

    for (size_t i = 0; i < LOGS_MAX && logs[i] != NULL; i++)
        json_array_append_new(array, log_of(logs[i]));
    return json_pack("{s:o,s:s,s:s,s:o,s:o}", "transactionHash",
                     bytes(tx_hash, 32), "status", success ? "0x1" : "0x0",
                     "blockNumber", "0x10", "blockHash", bytes(block_hash, 32),
                     "logs", array);
}

static enum receipt_read
read_json(struct receipt *out, const json_t *json)
{
    char *text = json_dumps(json, JSON_ENCODE_ANY);
    enum receipt_read got = receipt_read(out, x402_span_of(text), tx_hash);

    free(text);
    return got;
}

/* -- who was paid -- */

/* The claim: token T, payer a, payee b, value 5, nonce n. */
static const struct {
    const char *why;
    const char *logs[LOGS_MAX];
    bool reverted;
    bool used, paid;
} rows[] = {
    {"used and paid", {"T Uan", "T Mab5"}, false, true, true},
    {"nothing happened", {NULL}, false, false, false},
    {"reverted", {"T Uan", "T Mab5"}, true, false, false},
    {"another value", {"T Uan", "T Mab4"}, false, true, false},
    {"another payee", {"T Uan", "T Mac5"}, false, true, false},
    {"another payer moved", {"T Uan", "T Mcb5"}, false, true, false},
    {"another nonce", {"T Uam", "T Mab5"}, false, false, false},
    {"another payer's nonce", {"T Ucn", "T Mab5"}, false, false, false},
    {"a transfer without authorization", {"T Mab5"}, false, false, false},
    {"used without a transfer", {"T Uan"}, false, true, false},
    {"a transfer before, not after", {"T Mab5", "T Uan"}, false, true, false},
    {"another token's transfer", {"T Uan", "S Mab5"}, false, true, false},
    {"another token's use", {"S Uan", "T Mab5"}, false, false, false},
    {"another token between",
     {"T Uan", "S X", "S Mab9", "T Mab5"},
     false,
     true,
     true},
    {"something of the token between",
     {"T Uan", "T X", "T Mab5"},
     false,
     true,
     false},
    {"among equal payments",
     {"T Uam", "T Mab5", "T Uan", "T Mab5"},
     false,
     true,
     true},
    {"one transfer does not prove two",
     {"T Uan", "T Uam", "T Mab5"},
     false,
     true,
     false},
    {"spent on himself, beside an equal one of ours",
     {"T Uan", "T Maa5", "T Uam", "T Mab5"},
     false,
     true,
     false},
    {"a fee on the way", {"T Uan", "T Mab4", "T Maz1"}, false, true, false},
    {"moved from what is no address", {"T Uan", "T Dab5"}, false, true, false},
    {"by Permit2, not by this authorization",
     {"T Mab5", "P S"},
     false,
     false,
     false},
};

/* The same claim by Permit2, which names no nonce. */
static const struct {
    const char *why;
    const char *logs[LOGS_MAX];
    bool reverted;
    bool exact, upto; /* paid by this method */
} permit2_rows[] = {
    {"moved, then settled", {"T Mab5", "P S"}, false, true, false},
    {"with a permit", {"T X", "T Mab5", "P W"}, false, true, false},
    {"upto", {"T Mab5", "Q S"}, false, false, true},
    {"reverted", {"T Mab5", "P S"}, true, false, false},
    {"settled without a transfer", {"P S"}, false, false, false},
    {"settled before it moved", {"P S", "T Mab5"}, false, false, false},
    {"some contract says Settled", {"T Mab5", "T S"}, false, false, false},
    {"a proxy says something else", {"T Mab5", "P X"}, false, false, false},
    {"another value", {"T Mab4", "P S"}, false, false, false},
    {"another payee", {"T Mac5", "P S"}, false, false, false},
    {"another payer", {"T Mcb5", "P S"}, false, false, false},
    {"another token", {"S Mab5", "P S"}, false, false, false},
    {"another token moved last",
     {"T Mab5", "S Mab5", "P S"},
     false,
     false,
     false},
    {"a fee moved last", {"T Mab5", "T Maz1", "P S"}, false, false, false},
    {"one transfer does not prove two",
     {"T Mab5", "Q S", "P S"},
     false,
     false,
     true},
    {"after somebody else's",
     {"T Mcd9", "P S", "T Mab5", "P S"},
     false,
     true,
     false},
    {"an EIP-3009 payment beside one that says so for nothing",
     {"T Uan", "T Mab5", "T Dab5", "P S"},
     false,
     false,
     false},
};

static struct receipt_claim
claim(void)
{
    static const struct x402_address token = {{'T', [19] = 'T'}},
                                     payer = {{'a', [19] = 'a'}},
                                     payee = {{'b', [19] = 'b'}};
    static const struct x402_amount value = {
        {5, 5ull << 40, 5ull << 48, 5ull << 56}};
    static const uint8_t nonce[32] = {[12] = 'n', [31] = 'n'};

    return (struct receipt_claim){.token = &token,
                                  .payer = &payer,
                                  .payee = &payee,
                                  .value = &value,
                                  .nonce = nonce};
}

static void
who_was_paid(void)
{
    struct receipt_claim mine = claim();

    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        json_t *json = receipt_of(rows[i].logs, !rows[i].reverted);
        struct receipt receipt;

        test_need(read_json(&receipt, json) == RECEIPT_READ, "readable");
        test_ok(receipt_used(&receipt, &mine) == rows[i].used &&
                    receipt_paid(&receipt, &mine) == rows[i].paid,
                "%s", rows[i].why);
        receipt_free(&receipt);
        json_decref(json);
    }
}

static bool
is_paid_by(const struct receipt *receipt, enum x402_method method)
{
    struct receipt_claim mine = claim();

    mine.method = method;
    return receipt_paid(receipt, &mine);
}

static void
who_was_paid_by_permit2(void)
{
    for (size_t i = 0; i < TEST_LEN(permit2_rows); i++) {
        json_t *json =
            receipt_of(permit2_rows[i].logs, !permit2_rows[i].reverted);
        struct receipt receipt;

        test_need(read_json(&receipt, json) == RECEIPT_READ, "readable");
        test_ok(is_paid_by(&receipt, X402_METHOD_PERMIT2_EXACT) ==
                        permit2_rows[i].exact &&
                    is_paid_by(&receipt, X402_METHOD_PERMIT2_UPTO) ==
                        permit2_rows[i].upto,
                "Permit2: %s", permit2_rows[i].why);
        receipt_free(&receipt);
        json_decref(json);
    }
}

/* Two endpoints must say the same of every payment. */
static void
two_witnesses(void)
{
    static const char *const said[][LOGS_MAX] = {
        {"T Uan", "T Mab5"}, {"T Uam", "T Mab5"},
        {"T Uan", "T Mab4"}, {"T Uan", "T Mac5"},
        {"T Uan"},           {"T Mab5", "P S"},
        {"T Mab5", "Q S"},   {"T Uan", "T Mab5", "T Mab5", "P S"}};

    for (size_t i = 0; i < TEST_LEN(said); i++) {
        for (size_t k = 0; k < TEST_LEN(said); k++) {
            json_t *one = receipt_of(said[i], true);
            json_t *two = receipt_of(said[k], true);
            struct receipt a, b;

            test_need(read_json(&a, one) == RECEIPT_READ &&
                          read_json(&b, two) == RECEIPT_READ,
                      "readable");
            test_ok(receipt_same(&a, &b) == (i == k), "witnesses %zu and %zu",
                    i, k);
            receipt_free(&a);
            receipt_free(&b);
            json_decref(one);
            json_decref(two);
        }
    }
}

/* -- what is believed -- */

static const struct {
    const char *why;
    const char *key; /* of the receipt, or "log.key" */
    const char *json;
} lies[] = {
    {"no hash", "transactionHash", NULL},
    {"another transaction's hash", "transactionHash",
     "\"0x00000000000000000000000000000000000000000000000000000000000000aa\""},
    {"no status", "status", NULL},
    {"a pre-Byzantium root instead", "status", "null"},
    {"status 2", "status", "\"0x2\""},
    {"status true", "status", "true"},
    {"no block", "blockNumber", "null"},
    {"a block number beyond 64 bits", "blockNumber", "\"0x10000000000000000\""},
    {"no block hash", "blockHash", "\"0x\""},
    {"no logs", "logs", NULL},
    {"logs that are no array", "logs", "{}"},
    {"a log that was removed", "log.removed", "true"},
    {"a log of another transaction", "log.transactionHash",
     "\"0x00000000000000000000000000000000000000000000000000000000000000aa\""},
    {"a log of another block", "log.blockHash",
     "\"0x00000000000000000000000000000000000000000000000000000000000000bb\""},
    {"a log without an address", "log.address", NULL},
    {"five topics", "log.topics", "[\"0x\",\"0x\",\"0x\",\"0x\",\"0x\"]"},
    {"a short topic", "log.topics", "[\"0x00\"]"},
};

static void
set(json_t *receipt, const char *key, const char *text)
{
    json_t *object = receipt;

    if (strncmp(key, "log.", 4) == 0) {
        object = json_array_get(json_object_get(receipt, "logs"), 0);
        key += 4;
    }
    if (text == NULL)
        json_object_del(object, key);
    else
        json_object_set_new(object, key,
                            json_loads(text, JSON_DECODE_ANY, NULL));
}

static void
what_is_believed(void)
{
    static const char *const logs[LOGS_MAX] = {"T Uan", "T Mab5"};
    struct receipt receipt;
    json_t *none = json_null();

    test_ok(read_json(&receipt, none) == RECEIPT_NONE, "null: not mined");
    for (size_t i = 0; i < TEST_LEN(lies); i++) {
        json_t *json = receipt_of(logs, true);

        set(json, lies[i].key, lies[i].json);
        test_ok(read_json(&receipt, json) == RECEIPT_BAD &&
                    receipt.uses == NULL,
                "%s", lies[i].why);
        json_decref(json);
    }
}

static void
too_many_logs(void)
{
    static const char *const logs[LOGS_MAX] = {NULL};
    json_t *json = receipt_of(logs, true);
    struct receipt receipt;

    for (size_t i = 0; i <= RECEIPT_LOGS_MAX; i++)
        json_array_append_new(json_object_get(json, "logs"), log_of("T X"));
    test_ok(read_json(&receipt, json) == RECEIPT_BAD,
            "more logs than a transaction of ours can make");
    json_decref(json);
}

int
main(void)
{
    who_was_paid();
    who_was_paid_by_permit2();
    two_witnesses();
    what_is_believed();
    too_many_logs();
    return test_done();
}
