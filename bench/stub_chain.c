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
#define LONG_MAX 64u  /* long hex strings in one request */
#define LONG_LEN 200u /* from here on a string is long */

struct receipt {
    uint8_t hash[32];
    uint64_t block;
    char *logs; /* JSON, made when the transaction came */
    size_t logs_len;
};

static struct receipt receipts[RECEIPTS_MAX];
static uint64_t head = 100;
static const struct x402_asset *usdc;

/* Calldata is thousands of digits that a JSON parser would look at one by one:
 * they are taken out of the text first, "@7" stands in for the seventh. */
static struct x402_span long_text[LONG_MAX];
static size_t long_len;

static size_t
take_long_strings(char *out, const char *body, size_t len)
{
    size_t used = 0;

    long_len = 0;
    for (size_t i = 0; i < len; i++) {
        const char *end;

        out[used++] = body[i];
        if (body[i] != '"' || len - i < LONG_LEN ||
            memcmp(body + i, "\"0x", 3) != 0 || long_len == LONG_MAX)
            continue;
        end = memchr(body + i + 1, '"', len - i - 1);
        if (end == NULL || (size_t)(end - body) - i < LONG_LEN)
            continue;
        long_text[long_len] =
            (struct x402_span){body + i + 1, (size_t)(end - body) - i - 1};
        used += (size_t)sprintf(out + used, "@%zu", long_len++);
        i = (size_t)(end - body) - 1;
    }
    return used;
}

static bool
hex_param(uint8_t *out, size_t *len, size_t cap, const json_t *value)
{
    const char *text = json_string_value(value);

    if (text == NULL)
        return false;
    return x402_hex_decode_any(out, len, cap,
                               text[0] == '@'
                                   ? long_text[strtoul(text + 1, NULL, 10)]
                                   : x402_span_of(text)) == X402_OK;
}

/* -- writing -- */

static void
put_hex(struct x402_buf *out, const uint8_t *bytes, size_t len)
{
    x402_buf_char(out, '"');
    x402_buf_hex(out, bytes, len);
    x402_buf_char(out, '"');
}

static void
put_quantity(struct x402_buf *out, uint64_t value)
{
    char text[32];

    snprintf(text, sizeof text, "\"0x%llx\"", (unsigned long long)value);
    x402_buf_text(out, text);
}

static void
put_block_hash(struct x402_buf *out, uint64_t number)
{
    uint8_t hash[32];

    x402_keccak256(hash, &number, sizeof number);
    put_hex(out, hash, 32);
}

static void
put_block(struct x402_buf *out, uint64_t number)
{
    x402_buf_text(out, "{\"number\":");
    put_quantity(out, number);
    x402_buf_text(out, ",\"hash\":");
    put_block_hash(out, number);
    x402_buf_text(out, ",\"parentHash\":");
    put_block_hash(out, number - 1);
    x402_buf_text(out, ",\"timestamp\":");
    put_quantity(out, (uint64_t)time(NULL));
    x402_buf_text(out, ",\"baseFeePerGas\":\"0xf4240\",\"gasLimit\":"
                       "\"0x3b9aca00\",\"transactions\":[]}");
}

/* -- calls -- */

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

enum selector { BALANCE, NUMBER, TIMESTAMP, DOMAIN, STATE, AGGREGATE, OTHER };
static const char *const selector_text[OTHER] = {
    "balanceOf(address)",
    "getBlockNumber()",
    "getCurrentBlockTimestamp()",
    "DOMAIN_SEPARATOR()",
    "authorizationState(address,bytes32)",
    "aggregate3((address,bool,bytes)[])",
};
static uint8_t selector_bytes[OTHER][32];

static enum selector
selector_of(const uint8_t *data, size_t len)
{
    for (int i = 0; i < OTHER && len >= 4; i++) {
        if (memcmp(data, selector_bytes[i], 4) == 0)
            return (enum selector)i;
    }
    return OTHER;
}

/* What one view or transfer returns; every answer is one word or nothing. */
static size_t
answer_call(uint8_t out[32], const uint8_t *data, size_t len)
{
    memset(out, 0, 32);
    switch (selector_of(data, len)) {
    case BALANCE:
        word_u64(out, 1000000000000000000u);
        return 32;
    case NUMBER:
        word_u64(out, head);
        return 32;
    case TIMESTAMP:
        word_u64(out, (uint64_t)time(NULL));
        return 32;
    case DOMAIN:
        x402_eip712_domain(out, x402_span_of(usdc->eip712_name),
                           x402_span_of(usdc->eip712_version), usdc->chain_id,
                           &usdc->address);
        return 32;
    case STATE:
        return 32;
    case AGGREGATE:
    case OTHER:
        break;
    }
    return 0;
}

/* aggregate3((address target, bool allowFailure, bytes callData)[]) */
static bool
answer_aggregate(struct x402_buf *text, const uint8_t *data, size_t len)
{
    static uint8_t out[64 + PAYMENTS_MAX * 5 * 32];
    const uint8_t *array = data + 4 + 32, *heads = array + 32;
    uint64_t n;
    size_t at;

    if (len < 4 + 64)
        return false;
    n = read_u64(array);
    if (n > PAYMENTS_MAX)
        return false;
    at = n * 32;
    memset(out, 0, 64 + n * 5 * 32);
    word_u64(out, 32);
    word_u64(out + 32, n);
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
        memcpy(out + 64 + at, word, got);
        at += got;
    }
    put_hex(text, out, 64 + at);
    return true;
}

static bool
eth_call(struct x402_buf *out, const json_t *params)
{
    static uint8_t data[BODY_MAX / 2];
    const json_t *call = json_array_get(params, 0);
    uint8_t word[32];
    size_t len;

    if (!hex_param(data, &len, sizeof data, json_object_get(call, "data")) &&
        !hex_param(data, &len, sizeof data, json_object_get(call, "input")))
        return false;
    if (selector_of(data, len) == AGGREGATE)
        return answer_aggregate(out, data, len);
    put_hex(out, word, answer_call(word, data, len));
    return true;
}

/* -- transactions -- */

static void
put_topic(struct x402_buf *out, const struct x402_address *address)
{
    uint8_t word[32] = {0};

    memcpy(word + 12, address->byte, 20);
    put_hex(out, word, 32);
}

static void
put_log_head(struct x402_buf *out, const struct receipt *receipt)
{
    x402_buf_text(out, "{\"address\":\"");
    x402_buf_text(out, usdc->address_text);
    x402_buf_text(out, "\",\"transactionHash\":");
    put_hex(out, receipt->hash, 32);
    x402_buf_text(out, ",\"blockHash\":");
    put_block_hash(out, receipt->block);
    x402_buf_text(out, ",\"topics\":[");
}

static void
put_logs(struct x402_buf *out, const struct receipt *receipt,
         const struct x402_authorization *auth)
{
    uint8_t value[32];

    x402_amount_to_be32(value, &auth->value);
    put_log_head(out, receipt);
    put_hex(out, x402_abi_topic_authorization_used, 32);
    x402_buf_char(out, ',');
    put_topic(out, &auth->from);
    x402_buf_char(out, ',');
    put_hex(out, auth->nonce, 32);
    x402_buf_text(out, "],\"data\":\"0x\"},");
    put_log_head(out, receipt);
    put_hex(out, x402_abi_topic_transfer, 32);
    x402_buf_char(out, ',');
    put_topic(out, &auth->from);
    x402_buf_char(out, ',');
    put_topic(out, &auth->to);
    x402_buf_text(out, "],\"data\":");
    put_hex(out, value, 32);
    x402_buf_char(out, '}');
}

static void
mine(struct receipt *slot, const struct x402_abi_seen *seen, size_t len)
{
    size_t cap = 2 + len * 1200;
    char *memory = malloc(cap);
    struct x402_buf out = x402_buf_on(memory, cap);

    slot->block = head;
    for (size_t i = 0; i < len; i++) {
        if (i > 0)
            x402_buf_char(&out, ',');
        put_logs(&out, slot, &seen[i].auth);
    }
    free(slot->logs);
    slot->logs = memory;
    slot->logs_len = out.len;
}

static bool
send_raw(struct x402_buf *out, const json_t *params)
{
    static uint8_t raw[BODY_MAX / 2];
    static struct x402_abi_seen seen[PAYMENTS_MAX];
    struct receipt *slot;
    struct x402_transaction tx;
    struct x402_address sender;
    size_t len, seen_len;

    if (!hex_param(raw, &len, sizeof raw, json_array_get(params, 0)) ||
        x402_transaction_decode(&tx, &sender, raw, len) != X402_OK ||
        x402_abi_inspect(seen, &seen_len, PAYMENTS_MAX, tx.data, tx.data_len) !=
            X402_OK)
        return false;
    slot = &receipts[++head % RECEIPTS_MAX];
    x402_keccak256(slot->hash, raw, len);
    mine(slot, seen, seen_len);
    put_hex(out, slot->hash, 32);
    return true;
}

static void
put_receipt(struct x402_buf *out, const struct receipt *r)
{
    x402_buf_text(out, "{\"status\":\"0x1\",\"gasUsed\":\"0x10000\","
                       "\"transactionHash\":");
    put_hex(out, r->hash, 32);
    x402_buf_text(out, ",\"blockNumber\":");
    put_quantity(out, r->block);
    x402_buf_text(out, ",\"blockHash\":");
    put_block_hash(out, r->block);
    x402_buf_text(out, ",\"logs\":[");
    x402_buf_add(out, (struct x402_span){r->logs, r->logs_len});
    x402_buf_text(out, "]}");
}

static bool
get_receipt(struct x402_buf *out, const json_t *params)
{
    uint8_t hash[32];
    size_t len;

    if (!hex_param(hash, &len, sizeof hash, json_array_get(params, 0)))
        return false;
    for (uint64_t n = head; n > 100 && head - n < RECEIPTS_MAX; n--) {
        const struct receipt *r = &receipts[n % RECEIPTS_MAX];

        if (memcmp(r->hash, hash, 32) == 0) {
            put_receipt(out, r);
            return true;
        }
    }
    x402_buf_text(out, "null");
    return true;
}

/* About what a real token needs for calldata of this size. */
static bool
estimate(struct x402_buf *out, const json_t *params)
{
    static uint8_t data[BODY_MAX / 2];
    const json_t *call = json_array_get(params, 0);
    size_t len;

    if (!hex_param(data, &len, sizeof data, json_object_get(call, "data")) &&
        !hex_param(data, &len, sizeof data, json_object_get(call, "input")))
        return false;
    put_quantity(out, 50000 + 80 * len);
    return true;
}

/* Contracts have code, payers have none. */
static bool
get_code(struct x402_buf *out, const json_t *params)
{
    struct x402_address who, multicall;
    const char *text = json_string_value(json_array_get(params, 0));

    if (text == NULL ||
        x402_address_parse(&who, x402_span_of(text)) != X402_OK ||
        x402_address_parse(&multicall, x402_span_of(X402_MULTICALL3)) !=
            X402_OK)
        return false;
    x402_buf_text(out, x402_address_eq(&who, &usdc->address) ||
                               x402_address_eq(&who, &multicall)
                           ? "\"0x60\""
                           : "\"0x\"");
    return true;
}

static bool
get_block(struct x402_buf *out, const json_t *params)
{
    const char *tag = json_string_value(json_array_get(params, 0));
    bool by_number = tag != NULL && strncmp(tag, "0x", 2) == 0;

    put_block(out, by_number ? strtoull(tag, NULL, 16) : head);
    return true;
}

static bool
put_result(struct x402_buf *out, const char *method, const json_t *params)
{
    if (strcmp(method, "eth_call") == 0)
        return eth_call(out, params);
    if (strcmp(method, "eth_getCode") == 0)
        return get_code(out, params);
    if (strcmp(method, "eth_sendRawTransaction") == 0)
        return send_raw(out, params);
    if (strcmp(method, "eth_getTransactionReceipt") == 0)
        return get_receipt(out, params);
    if (strcmp(method, "eth_getBlockByNumber") == 0)
        return get_block(out, params);
    if (strcmp(method, "eth_estimateGas") == 0)
        return estimate(out, params);
    if (strcmp(method, "eth_blockNumber") == 0)
        put_quantity(out, head);
    else if (strcmp(method, "eth_chainId") == 0)
        put_quantity(out, usdc->chain_id);
    else if (strcmp(method, "eth_getTransactionCount") == 0)
        put_quantity(out, head - 100);
    else if (strcmp(method, "eth_getBalance") == 0)
        x402_buf_text(out, "\"0x56bc75e2d63100000\"");
    else if (strcmp(method, "eth_maxPriorityFeePerGas") == 0 ||
             strcmp(method, "eth_gasPrice") == 0)
        put_quantity(out, 1000000);
    else if (strcmp(method, "eth_getLogs") == 0)
        x402_buf_text(out, "[]");
    else
        return false;
    return true;
}

static void
answer_one(struct x402_buf *out, const json_t *call)
{
    const char *method = json_string_value(json_object_get(call, "method"));
    char *id = json_dumps(json_object_get(call, "id"), JSON_ENCODE_ANY);
    size_t mark;

    x402_buf_text(out, "{\"jsonrpc\":\"2.0\",\"id\":");
    x402_buf_text(out, id ? id : "null");
    free(id);
    mark = out->len;
    x402_buf_text(out, ",\"result\":");
    if (method == NULL ||
        !put_result(out, method, json_object_get(call, "params"))) {
        fprintf(stderr, "stub chain: cannot answer %s\n",
                method ? method : "(no method)");
        out->len = mark;
        x402_buf_text(out,
                      ",\"error\":{\"code\":-32601,\"message\":\"not here\"}");
    }
    x402_buf_char(out, '}');
}

static char *
answer(const char *body, size_t len, size_t *answer_len)
{
    static char text[BODY_MAX], memory[2 * BODY_MAX];
    struct x402_buf out = x402_buf_on(memory, sizeof memory);
    json_t *in = json_loadb(text, take_long_strings(text, body, len), 0, NULL);
    char *copy;

    if (json_is_array(in)) {
        for (size_t i = 0; i < json_array_size(in); i++) {
            x402_buf_char(&out, i == 0 ? '[' : ',');
            answer_one(&out, json_array_get(in, i));
        }
        x402_buf_char(&out, ']');
    } else {
        answer_one(&out, in);
    }
    json_decref(in);
    *answer_len = out.len;
    copy = malloc(out.len + 1);
    memcpy(copy, memory, out.len);
    return copy;
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
    size_t answer_len;
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
    text = answer(upload->at, upload->len, &answer_len);
    response = MHD_create_response_from_buffer(answer_len, text,
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
    for (int i = 0; i < OTHER; i++)
        x402_keccak256(selector_bytes[i], selector_text[i],
                       strlen(selector_text[i]));
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
