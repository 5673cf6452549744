/* SPDX-License-Identifier: Apache-2.0 */
/* A chain that answers at once: JSON-RPC over HTTP, every simulated transfer
 * succeeds, every transaction is mined in a block of its own with the logs that
 * a real token writes. For measuring our own cost only; everything that must be
 * true is tested on a real node. */
#include <jansson.h>
#include <microhttpd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <x402/x402.h>

#define BODY_MAX (4u << 20)
#define RECEIPTS_MAX 65536u /* ring: older ones are forgotten */
#define PAYMENTS_MAX 512u

struct receipt {
    uint8_t hash[32];
    uint64_t block;
    json_t *logs;
};

static struct receipt receipts[RECEIPTS_MAX];
static uint64_t head = 100;
static const struct x402_asset *usdc;

static json_t *
hex_of(const uint8_t *bytes, size_t len)
{
    char *text = malloc(2 * len + 3);
    json_t *out;

    x402_hex_encode(text, bytes, len);
    out = json_string(text);
    free(text);
    return out;
}

static json_t *
quantity(uint64_t value)
{
    return json_sprintf("0x%llx", (unsigned long long)value);
}

static json_t *
block_hash(uint64_t number)
{
    uint8_t hash[32];

    x402_keccak256(hash, &number, sizeof number);
    return hex_of(hash, 32);
}

static json_t *
block(uint64_t number)
{
    return json_pack(
        "{so so so so so ss s[]}", "number", quantity(number), "hash",
        block_hash(number), "parentHash", block_hash(number - 1), "timestamp",
        quantity((uint64_t)time(NULL)), "baseFeePerGas", quantity(1000000),
        "gasLimit", "0x3b9aca00", "transactions");
}

static void
word_u64(uint8_t word[32], uint64_t value)
{
    struct x402_amount amount = x402_amount_of(value);

    x402_amount_to_be32(word, &amount);
}

static uint64_t
read_u64(const uint8_t *word)
{
    uint64_t value = 0;

    for (int i = 24; i < 32; i++)
        value = value << 8 | word[i];
    return value;
}

static bool
selector_is(const uint8_t *data, size_t len, const char *signature)
{
    uint8_t hash[32];

    x402_keccak256(hash, signature, strlen(signature));
    return len >= 4 && memcmp(data, hash, 4) == 0;
}

/* What one view or transfer returns; every answer is one word or nothing. */
static size_t
answer_call(uint8_t out[32], const uint8_t *data, size_t len)
{
    memset(out, 0, 32);
    if (selector_is(data, len, "balanceOf(address)"))
        word_u64(out, 1000000000000000000u);
    else if (selector_is(data, len, "getBlockNumber()"))
        word_u64(out, head);
    else if (selector_is(data, len, "getCurrentBlockTimestamp()"))
        word_u64(out, (uint64_t)time(NULL));
    else if (selector_is(data, len, "DOMAIN_SEPARATOR()"))
        x402_eip712_domain(out, x402_span_of(usdc->eip712_name),
                           x402_span_of(usdc->eip712_version), usdc->chain_id,
                           &usdc->address);
    else if (!selector_is(data, len, "authorizationState(address,bytes32)"))
        return 0;
    return 32;
}

/* aggregate3((address target, bool allowFailure, bytes callData)[]) */
static json_t *
answer_aggregate(const uint8_t *data, size_t len)
{
    static uint8_t out[64 + PAYMENTS_MAX * 5 * 32];
    const uint8_t *array = data + 4 + 32, *heads;
    uint64_t n;
    size_t at;

    if (len < 4 + 64)
        return NULL;
    n = read_u64(array);
    if (n > PAYMENTS_MAX)
        return NULL;
    heads = array + 32;
    memset(out, 0, sizeof out);
    word_u64(out, 32);
    word_u64(out + 32, n);
    at = n * 32;
    for (uint64_t i = 0; i < n; i++) {
        const uint8_t *call = heads + read_u64(heads + i * 32);
        const uint8_t *bytes = call + read_u64(call + 64);
        uint8_t word[32];
        size_t got = answer_call(word, bytes + 32, read_u64(bytes));

        word_u64(out + 64 + i * 32, at);
        word_u64(out + 64 + at, 1);
        word_u64(out + 64 + at + 32, 64);
        word_u64(out + 64 + at + 64, got);
        at += 96;
        if (got == 32) {
            memcpy(out + 64 + at, word, 32);
            at += 32;
        }
    }
    return hex_of(out, 64 + at);
}

static json_t *
eth_call(const json_t *params)
{
    static uint8_t data[BODY_MAX / 2];
    const char *text =
        json_string_value(json_object_get(json_array_get(params, 0), "data"));
    uint8_t word[32];
    size_t len;

    if (text == NULL)
        text = json_string_value(
            json_object_get(json_array_get(params, 0), "input"));
    if (text == NULL || x402_hex_decode_any(data, &len, sizeof data,
                                            x402_span_of(text)) != X402_OK)
        return NULL;
    if (selector_is(data, len, "aggregate3((address,bool,bytes)[])"))
        return answer_aggregate(data, len);
    return hex_of(word, answer_call(word, data, len));
}

static json_t *
address_topic(const struct x402_address *address)
{
    uint8_t word[32] = {0};

    memcpy(word + 12, address->byte, 20);
    return hex_of(word, 32);
}

static void
add_log(const struct receipt *receipt, json_t *log)
{
    json_object_set_new(log, "transactionHash", hex_of(receipt->hash, 32));
    json_object_set_new(log, "blockHash", block_hash(receipt->block));
    json_array_append_new(receipt->logs, log);
}

static void
add_logs(const struct receipt *receipt, const struct x402_authorization *auth)
{
    uint8_t value[32];

    x402_amount_to_be32(value, &auth->value);
    add_log(receipt,
            json_pack("{ss s[ooo] ss}", "address", usdc->address_text, "topics",
                      hex_of(x402_abi_topic_authorization_used, 32),
                      address_topic(&auth->from), hex_of(auth->nonce, 32),
                      "data", "0x"));
    add_log(receipt,
            json_pack("{ss s[ooo] so}", "address", usdc->address_text, "topics",
                      hex_of(x402_abi_topic_transfer, 32),
                      address_topic(&auth->from), address_topic(&auth->to),
                      "data", hex_of(value, 32)));
}

static json_t *
send_raw(const json_t *params)
{
    static uint8_t raw[BODY_MAX / 2];
    static struct x402_abi_seen seen[PAYMENTS_MAX];
    const char *text = json_string_value(json_array_get(params, 0));
    struct receipt *slot = &receipts[++head % RECEIPTS_MAX];
    struct x402_transaction tx;
    struct x402_address sender;
    size_t len, seen_len;

    if (text == NULL ||
        x402_hex_decode_any(raw, &len, sizeof raw, x402_span_of(text)) !=
            X402_OK ||
        x402_transaction_decode(&tx, &sender, raw, len) != X402_OK ||
        x402_abi_inspect(seen, &seen_len, PAYMENTS_MAX, tx.data, tx.data_len) !=
            X402_OK)
        return NULL;

    json_decref(slot->logs);
    x402_keccak256(slot->hash, raw, len);
    slot->block = head;
    slot->logs = json_array();
    for (size_t i = 0; i < seen_len; i++)
        add_logs(slot, &seen[i].auth);
    return hex_of(slot->hash, 32);
}

static json_t *
get_receipt(const json_t *params)
{
    const char *text = json_string_value(json_array_get(params, 0));
    uint8_t hash[32];

    if (text == NULL ||
        x402_hex_decode(hash, 32, x402_span_of(text)) != X402_OK)
        return NULL;
    for (uint64_t n = head; n > 100 && head - n < RECEIPTS_MAX; n--) {
        const struct receipt *r = &receipts[n % RECEIPTS_MAX];

        if (r->logs != NULL && memcmp(r->hash, hash, 32) == 0)
            return json_pack("{ss so so so ss sO}", "status", "0x1",
                             "transactionHash", hex_of(hash, 32), "blockNumber",
                             quantity(r->block), "blockHash",
                             block_hash(r->block), "gasUsed", "0x10000", "logs",
                             r->logs);
    }
    return json_null();
}

/* About what a real token needs for calldata of this size. */
static json_t *
estimate(const json_t *params)
{
    const json_t *call = json_array_get(params, 0);
    size_t digits = json_string_length(json_object_get(call, "data"));

    if (digits == 0)
        digits = json_string_length(json_object_get(call, "input"));
    return quantity(50000 + 40 * digits);
}

static json_t *
result_of(const char *method, const json_t *params)
{
    const char *tag = json_string_value(json_array_get(params, 0));
    bool by_number = tag != NULL && strncmp(tag, "0x", 2) == 0;

    if (strcmp(method, "eth_call") == 0)
        return eth_call(params);
    if (strcmp(method, "eth_getCode") == 0) {
        struct x402_address who;

        /* contracts have code, payers have none */
        if (tag != NULL &&
            x402_address_parse(&who, x402_span_of(tag)) == X402_OK &&
            (x402_address_eq(&who, &usdc->address) ||
             strncasecmp(tag, X402_MULTICALL3, 42) == 0))
            return json_string("0x60");
        return json_string("0x");
    }
    if (strcmp(method, "eth_sendRawTransaction") == 0)
        return send_raw(params);
    if (strcmp(method, "eth_getTransactionReceipt") == 0)
        return get_receipt(params);
    if (strcmp(method, "eth_getBlockByNumber") == 0)
        return block(by_number ? strtoull(tag, NULL, 16) : head);
    if (strcmp(method, "eth_blockNumber") == 0)
        return quantity(head);
    if (strcmp(method, "eth_chainId") == 0)
        return quantity(usdc->chain_id);
    if (strcmp(method, "eth_estimateGas") == 0)
        return estimate(params);
    if (strcmp(method, "eth_getTransactionCount") == 0)
        return quantity(head - 100);
    if (strcmp(method, "eth_getBalance") == 0)
        return json_string("0x56bc75e2d63100000");
    if (strcmp(method, "eth_maxPriorityFeePerGas") == 0 ||
        strcmp(method, "eth_gasPrice") == 0)
        return quantity(1000000);
    if (strcmp(method, "eth_getLogs") == 0)
        return json_array();
    return NULL;
}

static json_t *
answer_one(const json_t *call)
{
    const char *method = json_string_value(json_object_get(call, "method"));
    json_t *result =
        method ? result_of(method, json_object_get(call, "params")) : NULL;
    json_t *id = json_object_get(call, "id");

    if (result == NULL) {
        fprintf(stderr, "stub chain: cannot answer %s\n",
                method ? method : "(no method)");
        return json_pack("{ss sO? s{si ss}}", "jsonrpc", "2.0", "id", id,
                         "error", "code", -32601, "message", "not here");
    }
    return json_pack("{ss sO? so}", "jsonrpc", "2.0", "id", id, "result",
                     result);
}

static char *
answer(const char *body, size_t len)
{
    json_t *in = json_loadb(body, len, 0, NULL), *out;
    char *text;

    if (json_is_array(in)) {
        out = json_array();
        for (size_t i = 0; i < json_array_size(in); i++)
            json_array_append_new(out, answer_one(json_array_get(in, i)));
    } else {
        out = answer_one(in);
    }
    text = json_dumps(out, JSON_COMPACT);
    json_decref(in);
    json_decref(out);
    return text;
}

struct upload {
    char *at;
    size_t len;
};

static enum MHD_Result
on_request(void *arg, struct MHD_Connection *connection, const char *url,
           const char *method, const char *version, const char *data,
           size_t *data_len, void **state)
{
    struct upload *upload = *state;
    struct MHD_Response *response;
    enum MHD_Result ok;
    char *text;

    (void)arg, (void)url, (void)method, (void)version;
    if (upload == NULL) {
        *state = calloc(1, sizeof *upload);
        return MHD_YES;
    }
    if (*data_len > 0) {
        if (upload->len + *data_len > BODY_MAX)
            return MHD_NO;
        upload->at = realloc(upload->at, upload->len + *data_len);
        memcpy(upload->at + upload->len, data, *data_len);
        upload->len += *data_len;
        *data_len = 0;
        return MHD_YES;
    }
    text = answer(upload->at, upload->len);
    response = MHD_create_response_from_buffer(strlen(text), text,
                                               MHD_RESPMEM_MUST_FREE);
    MHD_add_response_header(response, "Content-Type", "application/json");
    ok = MHD_queue_response(connection, 200, response);
    MHD_destroy_response(response);
    return ok;
}

static void
on_end(void *arg, struct MHD_Connection *connection, void **state,
       enum MHD_RequestTerminationCode how)
{
    struct upload *upload = *state;

    (void)arg, (void)connection, (void)how;
    if (upload != NULL)
        free(upload->at);
    free(upload);
}

int
main(int argc, char **argv)
{
    struct MHD_Daemon *daemon;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    usdc = x402_asset_by_symbol(84532, x402_span_of("USDC"));
    daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD, (uint16_t)atoi(argv[1]), NULL, NULL,
        on_request, NULL, MHD_OPTION_NOTIFY_COMPLETED, on_end, NULL,
        MHD_OPTION_LISTEN_BACKLOG_SIZE, 1024u, MHD_OPTION_END);
    if (daemon == NULL) {
        fprintf(stderr, "stub chain: cannot listen on port %s\n", argv[1]);
        return 1;
    }
    pause();
    MHD_stop_daemon(daemon);
    return 0;
}
