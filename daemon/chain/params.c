/* SPDX-License-Identifier: Apache-2.0 */
/* See params.h. */
#include "params.h"

#include <stdlib.h>
#include <string.h>

#include <x402/abi.h>
#include <x402/buf.h>

static struct x402_buf
begin(size_t cap)
{
    char *memory = malloc(cap);

    if (memory == NULL)
        abort();
    return x402_buf_on(memory, cap);
}

static struct rpc_call
finish(const char *method, struct x402_buf *buf)
{
    x402_buf_char(buf, '\0');
    if (buf->full)
        abort(); /* the capacities below are upper bounds */
    return (struct rpc_call){.method = method, .params = buf->at};
}

static void
add_quantity(struct x402_buf *buf, const struct x402_amount *value)
{
    static const char digit[] = "0123456789abcdef";
    bool started = false;

    x402_buf_text(buf, "\"0x");
    for (int i = 63; i >= 0; i--) {
        unsigned nibble = (unsigned)(value->limb[i / 16] >> (i % 16 * 4)) & 15;

        started = started || nibble != 0 || i == 0;
        if (started)
            x402_buf_char(buf, digit[nibble]);
    }
    x402_buf_char(buf, '"');
}

static void
add_u64(struct x402_buf *buf, uint64_t value)
{
    struct x402_amount amount = x402_amount_of(value);

    add_quantity(buf, &amount);
}

static void
add_hex(struct x402_buf *buf, const uint8_t *bytes, size_t len)
{
    x402_buf_char(buf, '"');
    x402_buf_hex(buf, bytes, len);
    x402_buf_char(buf, '"');
}

static void
add_text(struct x402_buf *buf, const char *text)
{
    x402_buf_char(buf, '"');
    x402_buf_text(buf, text);
    x402_buf_char(buf, '"');
}

static void
add_fees(struct x402_buf *buf, const struct params_message *message)
{
    if (message->gas != 0) {
        x402_buf_text(buf, ",\"gas\":");
        add_u64(buf, message->gas);
    }
    if (message->max_fee != NULL) {
        x402_buf_text(buf, ",\"maxFeePerGas\":");
        add_quantity(buf, message->max_fee);
    }
    if (message->max_priority_fee != NULL) {
        x402_buf_text(buf, ",\"maxPriorityFeePerGas\":");
        add_quantity(buf, message->max_priority_fee);
    }
}

static struct rpc_call
message_params(const char *method, const struct params_message *message)
{
    struct x402_buf buf = begin(768 + 2 * message->data_len);

    x402_buf_text(&buf, "[{");
    if (message->from != NULL) {
        x402_buf_text(&buf, "\"from\":");
        add_hex(&buf, message->from->byte, 20);
        x402_buf_char(&buf, ',');
    }
    x402_buf_text(&buf, "\"to\":");
    add_hex(&buf, message->to->byte, 20);
    add_fees(&buf, message);
    x402_buf_text(&buf, ",\"data\":");
    add_hex(&buf, message->data, message->data_len);
    x402_buf_text(&buf, "},");
    add_text(&buf, message->block);
    if (message->time_s != 0) {
        /* no state overrides, then the block's */
        x402_buf_text(&buf, ",{},{\"time\":");
        add_u64(&buf, message->time_s);
        x402_buf_char(&buf, '}');
    }
    x402_buf_char(&buf, ']');
    return finish(method, &buf);
}

struct rpc_call
params_call(const struct params_message *message)
{
    return message_params("eth_call", message);
}

struct rpc_call
params_estimate(const struct params_message *message)
{
    return message_params("eth_estimateGas", message);
}

struct rpc_call
params_plain(const char *method)
{
    struct x402_buf buf = begin(8);

    x402_buf_text(&buf, "[]");
    return finish(method, &buf);
}

static struct rpc_call
of_address(const char *method, const struct x402_address *address,
           const char *block)
{
    struct x402_buf buf = begin(96);

    x402_buf_char(&buf, '[');
    add_hex(&buf, address->byte, 20);
    x402_buf_char(&buf, ',');
    add_text(&buf, block);
    x402_buf_char(&buf, ']');
    return finish(method, &buf);
}

struct rpc_call
params_code(const struct x402_address *address)
{
    return of_address("eth_getCode", address, "latest");
}

struct rpc_call
params_balance(const struct x402_address *address)
{
    return of_address("eth_getBalance", address, "latest");
}

struct rpc_call
params_nonce(const struct x402_address *address, const char *block)
{
    return of_address("eth_getTransactionCount", address, block);
}

struct rpc_call
params_block(const char *block)
{
    struct x402_buf buf = begin(64);

    x402_buf_char(&buf, '[');
    add_text(&buf, block);
    x402_buf_text(&buf, ",false]");
    return finish("eth_getBlockByNumber", &buf);
}

struct rpc_call
params_block_at(uint64_t number)
{
    struct x402_buf buf = begin(64);

    x402_buf_char(&buf, '[');
    add_u64(&buf, number);
    x402_buf_text(&buf, ",false]");
    return finish("eth_getBlockByNumber", &buf);
}

static struct rpc_call
by_hash(const char *method, const uint8_t hash[32])
{
    struct x402_buf buf = begin(96);

    x402_buf_char(&buf, '[');
    add_hex(&buf, hash, 32);
    x402_buf_char(&buf, ']');
    return finish(method, &buf);
}

struct rpc_call
params_receipt(const uint8_t hash[32])
{
    struct rpc_call call = by_hash("eth_getTransactionReceipt", hash);

    call.raw = true;
    return call;
}

struct rpc_call
params_transaction(const uint8_t hash[32])
{
    return by_hash("eth_getTransactionByHash", hash);
}

struct rpc_call
params_send(const uint8_t *raw, size_t raw_len)
{
    struct x402_buf buf = begin(32 + 2 * raw_len);

    x402_buf_char(&buf, '[');
    add_hex(&buf, raw, raw_len);
    x402_buf_char(&buf, ']');
    return finish("eth_sendRawTransaction", &buf);
}

struct rpc_call
params_logs(const struct params_logs *logs)
{
    struct x402_buf buf = begin(640);

    x402_buf_text(&buf, "[{\"address\":");
    add_hex(&buf, logs->contract->byte, 20);
    x402_buf_text(&buf, ",\"topics\":[[");
    add_hex(&buf, logs->either[0], 32);
    x402_buf_char(&buf, ',');
    add_hex(&buf, logs->either[1], 32);
    x402_buf_text(&buf, "],");
    add_hex(&buf, logs->topic1, 32);
    x402_buf_char(&buf, ',');
    add_hex(&buf, logs->topic2, 32);
    x402_buf_text(&buf, "],\"fromBlock\":");
    add_u64(&buf, logs->from);
    x402_buf_text(&buf, ",\"toBlock\":");
    if (logs->to == UINT64_MAX)
        add_text(&buf, "latest");
    else
        add_u64(&buf, logs->to);
    x402_buf_text(&buf, "}]");
    return finish("eth_getLogs", &buf);
}

struct rpc_call
params_transfers(const struct x402_address *contract,
                 const struct x402_address *payees, size_t payees_len,
                 uint64_t from, uint64_t to)
{
    struct x402_buf buf = begin(640 + payees_len * 80);
    uint8_t topic[32] = {0};

    x402_buf_text(&buf, "[{\"address\":");
    add_hex(&buf, contract->byte, 20);
    x402_buf_text(&buf, ",\"topics\":[");
    add_hex(&buf, x402_abi_topic_transfer, 32);
    x402_buf_text(&buf, ",null,[");
    for (size_t i = 0; i < payees_len; i++) {
        if (i != 0)
            x402_buf_char(&buf, ',');
        memcpy(topic + 12, payees[i].byte, 20);
        add_hex(&buf, topic, 32);
    }
    x402_buf_text(&buf, "]],\"fromBlock\":");
    add_u64(&buf, from);
    x402_buf_text(&buf, ",\"toBlock\":");
    add_u64(&buf, to);
    x402_buf_text(&buf, "}]");
    return finish("eth_getLogs", &buf);
}
