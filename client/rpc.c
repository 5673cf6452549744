/* SPDX-License-Identifier: Apache-2.0 */
/* JSON-RPC, as far as a wallet needs it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <x402/abi.h>
#include <x402/encode.h>
#include <x402/json.h>
#include <x402/payment.h>
#include <x402/permit2.h>

#include "exchange.h"
#include "rpc.h"

enum { RPC_TIMEOUT_MS = 20000, RPC_BODY_MAX = 2048 };

struct rpc {
    struct url url;
    struct exchange *exchange;
    struct curl_slist *headers;
    json_t *answer; /* of the last call */
};

static enum exchange_sink
keep(void *owner, const struct exchange_answer *answer)
{
    (void)owner;
    (void)answer;
    return EXCHANGE_KEEP;
}

/* The URL may hold an access key: it is never shown. */
static bool
complain(const struct rpc *rpc, const char *what)
{
    say_error("the node at %s: %s", rpc->url.host, what);
    return false;
}

/* The `result` member of the answer, borrowed from rpc->answer. */
static bool
call(const json_t **out, struct rpc *rpc, const char *method,
     const char *params)
{
    const struct exchange_events events = {keep, NULL, NULL};
    char body[RPC_BODY_MAX];
    int len = snprintf(
        body, sizeof(body),
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}",
        method, params);
    const struct exchange_request request = {.url = &rpc->url,
                                             .method = "POST",
                                             .body = {body, (size_t)len},
                                             .has_body = true,
                                             .headers = rpc->headers,
                                             .max_ms = RPC_TIMEOUT_MS};
    const struct exchange_answer *answer;

    if (len < 0 || (size_t)len >= sizeof(body))
        return complain(rpc, "the question is too long");
    answer = exchange_run(rpc->exchange, &request, &events);
    if (answer->code != CURLE_OK)
        return complain(rpc, answer->error);
    json_decref(rpc->answer);
    rpc->answer = NULL;
    if (answer->status != 200 || answer->body_cut ||
        x402_json_load(&rpc->answer, blob_span(&answer->body),
                       EXCHANGE_BODY_MAX, X402_JSON_DEPTH_MAX) != X402_OK)
        return complain(rpc, "it does not answer as a node should");
    *out = json_object_get(rpc->answer, "result");
    if (*out == NULL || json_is_null(*out))
        return complain(rpc, "it answers with an error");
    return true;
}

/* A quantity: "0x" and up to 16 digits without leading zeros. */
static bool
quantity(uint64_t *out, const json_t *value)
{
    const char *text = json_string_value(value);
    char *end;

    if (text == NULL || strncmp(text, "0x", 2) != 0 || strlen(text) < 3 ||
        strlen(text) > 18 || text[2] == '-' || text[2] == '+' || text[2] == ' ')
        return false;
    *out = strtoull(text + 2, &end, 16);
    return *end == '\0';
}

static bool
check_chain(struct rpc *rpc, const struct x402_network *network)
{
    const json_t *result;
    uint64_t id;

    if (!call(&result, rpc, "eth_chainId", "[]"))
        return false;
    if (!quantity(&id, result) || id != network->chain_id)
        return complain(rpc, "it is a node of another network");
    return true;
}

struct rpc *
rpc_open(const char *url, const struct x402_network *network,
         const struct say *say)
{
    struct rpc *rpc = calloc(1, sizeof(*rpc));

    if (rpc == NULL)
        return NULL;
    if (url_parse(&rpc->url, url) != URL_OK ||
        (!rpc->url.https && !rpc->url.loopback)) {
        say_error("the node's URL must be https (http: this machine only)");
        free(rpc);
        return NULL;
    }
    rpc->exchange = exchange_new(say);
    rpc->headers = curl_slist_append(NULL, "Content-Type: application/json");
    if (rpc->exchange != NULL && rpc->headers != NULL &&
        check_chain(rpc, network))
        return rpc;
    rpc_close(rpc);
    return NULL;
}

void
rpc_close(struct rpc *rpc)
{
    if (rpc == NULL)
        return;
    exchange_free(rpc->exchange);
    curl_slist_free_all(rpc->headers);
    json_decref(rpc->answer);
    free(rpc);
}

/* One 32-byte word from eth_call. */
static bool
call_word(uint8_t out32[32], struct rpc *rpc, const struct x402_address *to,
          const uint8_t *data, size_t data_len, const char *block)
{
    char params[512], address[X402_ADDRESS_TEXT_LEN + 1];
    char hex[2 * 68 + 3];
    const json_t *result;

    x402_address_format(address, to);
    x402_hex_encode(hex, data, data_len);
    (void)snprintf(params, sizeof(params),
                   "[{\"to\":\"%s\",\"data\":\"%s\"},\"%s\"]", address, hex,
                   block);
    if (!call(&result, rpc, "eth_call", params))
        return false;
    if (x402_hex_decode(out32, 32, x402_span_of(json_string_value(result))) !=
        X402_OK)
        return complain(rpc, "there is no such token on it");
    return true;
}

bool
rpc_balance(struct x402_amount *out, struct rpc *rpc,
            const struct x402_asset *asset, const struct x402_address *owner)
{
    uint8_t data[36], word[32];

    (void)x402_abi_balance_of(data, owner);
    if (!call_word(word, rpc, &asset->address, data, sizeof(data), "latest"))
        return false;
    x402_amount_from_be32(out, word);
    return true;
}

/* Number and time of the newest final block. */
static bool
finalized(char number[24], uint64_t *time_s, struct rpc *rpc)
{
    const json_t *block;
    const char *text;
    uint64_t value;

    if (!call(&block, rpc, "eth_getBlockByNumber", "[\"finalized\",false]"))
        return false;
    text = json_string_value(json_object_get(block, "number"));
    if (!quantity(&value, json_object_get(block, "number")) ||
        !quantity(time_s, json_object_get(block, "timestamp")))
        return complain(rpc, "its blocks do not read");
    (void)snprintf(number, 24, "%s", text);
    return true;
}

/* The journal's line does not say by which method it was signed; what was sent
 * does. */
static bool
method_of(enum x402_method *out, const struct record *record)
{
    enum x402_carrier carrier = record->wire == X402_WIRE_V2
                                    ? X402_CARRIER_PAYMENT_SIGNATURE
                                    : X402_CARRIER_X_PAYMENT;
    struct x402_payment payment;

    if (x402_payment_decode(&payment, carrier, x402_span_of(record->header)) !=
        X402_OK)
        return false;
    *out = payment.method;
    return true;
}

/* EIP-3009: "require(now < validBefore)".  Permit2: "if (block.timestamp >
 * permit.deadline) revert SignatureExpired": its last second is good. */
static bool
is_over(const struct record *record, enum x402_method method, uint64_t time_s)
{
    return method == X402_METHOD_EIP3009 ? time_s >= record->auth.valid_before_s
                                         : time_s > record->auth.valid_before_s;
}

/* The token keeps the nonces of its own authorizations, Permit2 those of its
 * permits: a token knows nothing of what Permit2 moved. */
static bool
is_unused(bool *unused, struct rpc *rpc, const struct record *record,
          enum x402_method method, const char *block)
{
    static const uint8_t zeros[32];
    bool permit2 = method != X402_METHOD_EIP3009;
    uint8_t data[68], word[32];

    if (permit2)
        (void)x402_abi_nonce_bitmap(data, &record->auth.from,
                                    record->auth.nonce);
    else
        (void)x402_abi_authorization_state(data, &record->auth.from,
                                           record->auth.nonce);
    if (!call_word(word, rpc, x402_method_contract(method, &record->asset),
                   data, sizeof(data), block))
        return false;
    *unused = permit2 ? !x402_abi_nonce_bit(word, record->auth.nonce)
                      : memcmp(word, zeros, sizeof(word)) == 0;
    return true;
}

bool
rpc_payment_is_void(bool *proven, struct rpc *rpc, const struct record *record)
{
    enum x402_method method;
    char block[24];
    uint64_t time_s;

    if (!finalized(block, &time_s, rpc))
        return false;
    *proven = false;
    if (!method_of(&method, record) || !is_over(record, method, time_s))
        return true;
    return is_unused(proven, rpc, record, method, block);
}
