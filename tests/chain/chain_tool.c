/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's chain, with or without its ledger, driven by JSON lines: one
 * command a line on stdin, one answer or event a line on stdout.  What
 * tests/chain/x.test.mjs runs against a real node.
 *
 *   {"op":"open","rpc":[...],"keys":[...],"ledger":"file",...}   first
 *   {"op":"simulate","id":N, ...payment}      -> {"id":N,"err":...}
 *   {"op":"pay","id":N,"mode":"after|before", ...payment}
 *                                             -> {"id":N,"payment":P}
 *   {"op":"watch","id":N,"payment":P,"timeout":MS}
 *   {"op":"row","id":N,"payment":P}  {"op":"stats","id":N}
 *   {"op":"health","id":N}           {"op":"close"} */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <x402/json.h>
#include <x402/x402.h>

#include "chain/chain.h"
#include "chain/pace.h"
#include "core.h"
#include "log.h"
#include "metrics.h"

struct tool {
    struct core *core;
    struct ledger *ledger;
    struct chain *chain;
    struct config_network config;
    uv_pipe_t in;
    char *text;
    size_t text_len;
    bool closed;
};

static struct tool tool;

/* -- output -- */

static void
say(json_t *line)
{
    char *text = json_dumps(line, JSON_COMPACT);

    puts(text);
    fflush(stdout);
    free(text);
    json_decref(line);
}

static json_t *
hex(const uint8_t *bytes, size_t len)
{
    char text[2 * 64 + 3];

    x402_hex_encode(text, bytes, len);
    return json_string(text);
}

static json_t *
amount(const struct x402_amount *value)
{
    char text[X402_AMOUNT_TEXT_MAX + 1];

    x402_amount_format(text, value);
    return json_string(text);
}

static const char *
err_name(enum x402_err err)
{
    return x402_err_info(err)->name + strlen("X402_");
}

/* -- input -- */

static void
die(const char *text)
{
    fprintf(stderr, "chain_tool: %s\n", text);
    exit(2);
}

static uint64_t
number(const json_t *line, const char *key, uint64_t otherwise)
{
    const json_t *value = json_object_get(line, key);

    return json_is_integer(value) ? (uint64_t)json_integer_value(value)
                                  : otherwise;
}

static void
must(enum x402_err err)
{
    if (err != X402_OK)
        die("malformed command");
}

static void
read_payment(struct chain_ask *out, const json_t *line)
{
    struct x402_span signature;

    memset(out, 0, sizeof *out);
    must(x402_json_address(&out->asset, line, "asset"));
    must(x402_json_address(&out->auth.from, line, "from"));
    must(x402_json_address(&out->auth.to, line, "to"));
    must(x402_json_amount(&out->auth.value, line, "value"));
    must(x402_json_hex(out->auth.nonce, 32, line, "nonce"));
    must(x402_json_string(&signature, line, "signature"));
    must(x402_hex_decode_any(out->signature, &out->signature_len,
                             sizeof out->signature, signature));
    out->auth.valid_after_s = number(line, "validAfter", 0);
    out->auth.valid_before_s = number(line, "validBefore", 0);
}

/* -- commands -- */

static void
open_chain(const json_t *line)
{
    struct config_network *config = &tool.config;
    const char *file = json_string_value(json_object_get(line, "ledger"));
    char error[256];
    size_t i;
    json_t *value;

    config->network = x402_network_by_id(number(line, "chain", 84532));
    json_array_foreach(json_object_get(line, "rpc"), i, value)
        config->rpc[config->rpc_len++] = strdup(json_string_value(value));
    json_array_foreach(json_object_get(line, "keys"), i, value)
        config->signer[config->signer_len++]
            .key_file = strdup(json_string_value(value));
    json_array_foreach(json_object_get(line, "factories"), i, value)
        must(x402_address_parse(&config->factory[config->factory_len++],
                                x402_span_of(json_string_value(value))));
    pace_divisor = (unsigned)number(line, "hurry", 1);
    config->rpc_timeout_ms = (unsigned)number(line, "timeout", 3000);
    config->rpc_rate = (unsigned)number(line, "rate", 0);
    config->rpc_agree = (unsigned)number(line, "agree", 2);
    config->confirmations = 2;
    config->batch_max = (unsigned)number(line, "batchMax", 100);
    config->batch_wait_ms = (unsigned)number(line, "batchWait", 1000);
    config->poll_ms = (unsigned)number(line, "poll", 1000);
    config->verify_reuse_ms = (unsigned)number(line, "reuse", 2000);
    config->max_fee_gwei = number(line, "maxFee", 0);
    config->max_fee_day_gwei = number(line, "maxDay", 0);
    config->max_fee_settlement_gwei = number(line, "maxSettlement", 0);
    if (file != NULL) {
        tool.ledger = ledger_open(tool.core, file, error, sizeof error);
        if (tool.ledger == NULL)
            die(error);
    }
    tool.chain =
        chain_open(tool.core, config, tool.ledger, error, sizeof error);
    if (tool.chain == NULL) {
        say(json_pack("{s:s}", "refused", error));
        exit(3);
    }
    say(json_pack("{s:b}", "open", 1));
}

static void *
tag(const json_t *line)
{
    uint64_t id = number(line, "id", 0);

    return (void *)(uintptr_t)id;
}

static json_int_t
id_of(void *arg)
{
    return (json_int_t)(uintptr_t)arg;
}

static void
on_verdict(void *arg, const struct chain_verdict *v)
{
    say(json_pack("{s:I,s:s,s:b,s:b,s:o,s:I}", "id", id_of(arg), "err",
                  err_name(v->err), "code", v->has_code, "deploys", v->deploys,
                  "balance", amount(&v->balance), "block",
                  (json_int_t)v->block_number));
}

static void
simulate(const json_t *line)
{
    struct chain_ask ask;

    read_payment(&ask, line);
    ask.advice = json_is_true(json_object_get(line, "advice"));
    chain_simulate(tool.chain, &ask, on_verdict, tag(line));
}

static void
on_captured(void *arg, enum x402_err err, int64_t payment)
{
    say(json_pack("{s:I,s:s,s:I}", "id", id_of(arg), "err", err_name(err),
                  "payment", (json_int_t)payment));
    chain_kick(tool.chain, false);
}

static void
on_reserved(void *arg, const struct ledger_reserved *out)
{
    if (out->err == X402_OK && out->mode == PAY_SETTLE_AFTER &&
        out->row.state == PAY_RESERVED) {
        ledger_capture(tool.ledger, &out->rid, NULL, core_now_ms(), 0,
                       on_captured, arg);
        return;
    }
    say(json_pack("{s:I,s:s,s:I}", "id", id_of(arg), "err", err_name(out->err),
                  "payment", (json_int_t)out->payment));
    chain_kick(tool.chain, true);
}

static void
pay(const json_t *line)
{
    static struct ledger_reserve in;
    struct chain_ask ask;
    const char *mode = json_string_value(json_object_get(line, "mode"));
    const char *from = json_string_value(json_object_get(line, "origin"));

    read_payment(&ask, line);
    memset(&in, 0, sizeof in);
    in.origin = from != NULL && strcmp(from, "facilitator") == 0
                    ? PAY_ORIGIN_FACILITATOR
                    : PAY_ORIGIN_GATEWAY;
    in.mode = mode != NULL && strcmp(mode, "before") == 0 ? PAY_SETTLE_BEFORE
                                                          : PAY_SETTLE_AFTER;
    in.alone = json_is_true(json_object_get(line, "alone"));
    in.wire = X402_WIRE_V2;
    in.chain_id = chain_id(tool.chain);
    in.asset = ask.asset;
    in.auth = ask.auth;
    memcpy(in.signature, ask.signature, ask.signature_len);
    in.signature_len = ask.signature_len;
    strcpy(in.resource, "http://test/");
    in.balance = x402_amount_of(UINT64_MAX);
    in.block_number = UINT32_MAX;
    in.limits.payer = x402_amount_of(UINT64_MAX);
    in.limits.total = x402_amount_of(UINT64_MAX);
    in.confirmations = 2;
    in.now_ms = core_now_ms();
    ledger_reserve(tool.ledger, &in, on_reserved, tag(line));
}

static json_t *
row_of(const struct pay_row *row)
{
    return json_pack(
        "{s:I,s:i,s:s,s:b,s:o,s:I,s:I}", "payment", (json_int_t)row->id,
        "state", (int)row->state, "reason", err_name(row->reason), "hasTx",
        row->has_tx, "tx", hex(row->tx_hash, 32), "block",
        (json_int_t)row->block_number, "batch", (json_int_t)row->batch_id);
}

static void
on_watch(void *arg, enum chain_outcome outcome, const struct pay_row *row)
{
    say(json_pack("{s:I,s:i,s:o}", "id", id_of(arg), "outcome", (int)outcome,
                  "row", row_of(row)));
}

static void
say_row(const json_t *line)
{
    struct pay_row row;

    if (ledger_get(tool.ledger, (int64_t)number(line, "payment", 0), &row))
        say(json_pack("{s:I,s:o}", "id", id_of(tag(line)), "row",
                      row_of(&row)));
    else
        say(json_pack("{s:I,s:n}", "id", id_of(tag(line)), "row"));
}

static void
say_stats(const json_t *line)
{
    struct ledger_stats stats;
    json_t *count = json_array();

    ledger_stats(tool.ledger, &stats);
    for (size_t i = 0; i <= PAY_FAILED; i++)
        json_array_append_new(count, json_integer((json_int_t)stats.count[i]));
    say(json_pack("{s:I,s:o,s:I,s:I,s:I}", "id", id_of(tag(line)), "count",
                  count, "openBatches", (json_int_t)stats.open_batches,
                  "transactions", (json_int_t)metrics_get(METRIC_TRANSACTIONS),
                  "bumps", (json_int_t)metrics_get(METRIC_FEE_BUMPS)));
}

static void
say_health(const json_t *line)
{
    const struct chain_health *health = chain_health(tool.chain);

    say(json_pack("{s:I,s:b,s:b,s:b,s:I,s:I}", "id", id_of(tag(line)),
                  "stopped", health->stopped, "reachable", health->reachable,
                  "canSettle", health->can_settle, "head",
                  (json_int_t)health->head_number, "time",
                  (json_int_t)health->head_time_s));
}

static void
on_closed(void *arg)
{
    (void)arg;
    tool.closed = true;
}

static void
close_chain(void)
{
    uv_read_stop((uv_stream_t *)&tool.in);
    uv_close((uv_handle_t *)&tool.in, NULL);
    chain_close(tool.chain, on_closed, NULL);
}

static void
command(const json_t *line)
{
    const char *op = json_string_value(json_object_get(line, "op"));

    if (op == NULL)
        die("no op");
    else if (strcmp(op, "open") == 0)
        open_chain(line);
    else if (strcmp(op, "simulate") == 0)
        simulate(line);
    else if (strcmp(op, "pay") == 0)
        pay(line);
    else if (strcmp(op, "watch") == 0)
        chain_watch(tool.chain, (int64_t)number(line, "payment", 0),
                    (unsigned)number(line, "timeout", 10000), on_watch,
                    tag(line));
    else if (strcmp(op, "row") == 0)
        say_row(line);
    else if (strcmp(op, "stats") == 0)
        say_stats(line);
    else if (strcmp(op, "health") == 0)
        say_health(line);
    else if (strcmp(op, "close") == 0)
        close_chain();
    else
        die("unknown op");
}

/* -- lines -- */

static void
on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    (void)handle;
    tool.text = realloc(tool.text, tool.text_len + suggested);
    if (tool.text == NULL)
        die("out of memory");
    *buf = uv_buf_init(tool.text + tool.text_len, (unsigned)suggested);
}

static void
on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    size_t begin = 0;

    (void)stream;
    (void)buf;
    if (n < 0)
        exit(0);
    tool.text_len += (size_t)n;
    for (size_t i = 0; i < tool.text_len; i++) {
        json_t *line;

        if (tool.text[i] != '\n')
            continue;
        line = json_loadb(tool.text + begin, i - begin, 0, NULL);
        if (line == NULL)
            die("not JSON");
        command(line);
        json_decref(line);
        begin = i + 1;
    }
    memmove(tool.text, tool.text + begin, tool.text_len - begin);
    tool.text_len -= begin;
}

int
main(void)
{
    log_open("debug");
    tool.core = core_new();
    uv_pipe_init(core_loop(tool.core), &tool.in, 0);
    uv_pipe_open(&tool.in, 0);
    uv_read_start((uv_stream_t *)&tool.in, on_alloc, on_read);
    while (!tool.closed)
        uv_run(core_loop(tool.core), UV_RUN_ONCE);
    if (tool.ledger != NULL)
        ledger_close(tool.ledger);
    core_free(tool.core);
    free(tool.text);
    return 0;
}
