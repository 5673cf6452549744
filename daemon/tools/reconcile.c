/* SPDX-License-Identifier: Apache-2.0 */
/* x402d ledger reconcile: first every transfer to our payees must have its
 * payment, then every settled payment its transfer.  Reads; writes nothing. */
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "../chain/params.h"
#include "../chain/quantity.h"
#include "../log.h"
#include "../metrics.h"
#include "reconcile.h"

#define TRIES 5
#define TRY_AGAIN_MS 1000
#define ROWS_TOGETHER 256
#define PATIENCE_MS 5000
/* Without any settled payment: about a day of two-second blocks. */
#define BLOCKS_BACK 43200

static int
unknown(const struct reconcile *r, const char *what)
{
    fprintf(stderr, "x402d: %s: %s\n", r->network->network->caip2, what);
    return TOOL_UNKNOWN;
}

/* -- asking, and waiting for it -- */

struct head_answer {
    bool done, known;
    uint64_t number;
};

static void
on_head(void *arg, const struct rpc_answer *answers, size_t len)
{
    struct head_answer *out = arg;

    (void)len;
    out->done = true;
    out->known = answers[0].status == RPC_RESULT &&
                 quantity_u64(&out->number,
                              json_object_get(answers[0].result, "number"));
}

static bool
read_head(struct reconcile *r, uint64_t *head)
{
    struct head_answer answer = {.done = false};
    struct rpc_call call = params_block("latest");

    rpc_ask(r->rpc, &call, 1, on_head, &answer);
    while (!answer.done)
        uv_run(&r->loop, UV_RUN_ONCE);
    *head = answer.number;
    return answer.known;
}

/* -- transfers -- */

struct window_answer {
    struct reconcile *reconcile;
    bool done;
    enum income_status status;
};

static void
on_income(void *arg, enum income_status status, const struct income *items,
          size_t len)
{
    struct window_answer *out = arg;

    out->done = true;
    out->status = status;
    for (size_t i = 0; i < len; i++)
        reconcile_transfer(out->reconcile, &items[i]);
}

static enum income_status
read_window(struct reconcile *r, uint64_t from, uint64_t to)
{
    struct window_answer answer = {.reconcile = r};
    const struct income_ask ask = {
        .rpc = r->rpc,
        .chain_id = r->network->network->chain_id,
        .payees = r->payee,
        .payees_len = r->payee_len,
        .from = from,
        .to = to,
        .together = r->together,
    };

    income_read(&ask, on_income, &answer);
    while (!answer.done)
        uv_run(&r->loop, UV_RUN_ONCE);
    return answer.status;
}

static bool
read_transfers(struct reconcile *r)
{
    uint64_t window = INCOME_WINDOW, at = r->from;
    unsigned tries = 0;

    while (r->payee_len != 0 && at <= r->to) {
        uint64_t last = r->to - at < window ? r->to : at + window - 1;
        enum income_status status = read_window(r, at, last);

        window = income_window(last - at + 1, status);
        if (status == INCOME_READ) {
            at = last + 1;
            tries = 0;
            reconcile_progress(r, "block", last - r->from, r->to - r->from);
        } else if ((status == INCOME_UNKNOWN || last == at) &&
                   ++tries == TRIES) {
            return false;
        } else if (status == INCOME_UNKNOWN) {
            uv_sleep(TRY_AGAIN_MS);
        }
    }
    return true;
}

/* -- payments: their receipts, one transaction once -- */

struct chunk {
    struct reconcile *reconcile;
    struct pay_row *row; /* ROWS_TOGETHER */
    size_t len;
    size_t first[ROWS_TOGETHER]; /* the first row of each transaction */
    size_t tx_of[ROWS_TOGETHER]; /* of a row, as an index of `first` */
    size_t txs;
    bool done, known;
};

static void
take_row(void *arg, const struct pay_row *row, const char *resource)
{
    struct chunk *chunk = arg;
    size_t tx = 0;

    (void)resource;
    while (tx < chunk->txs &&
           memcmp(chunk->row[chunk->first[tx]].tx_hash, row->tx_hash, 32) != 0)
        tx++;
    if (tx == chunk->txs)
        chunk->first[chunk->txs++] = chunk->len;
    chunk->tx_of[chunk->len] = tx;
    chunk->row[chunk->len++] = *row;
}

static bool
in_range(const struct reconcile *r, const struct pay_row *row)
{
    return row->block_number >= r->from && row->block_number <= r->to;
}

static void
judge(struct chunk *chunk, size_t tx, const struct receipt *receipt)
{
    struct reconcile *r = chunk->reconcile;

    for (size_t i = 0; i < chunk->len; i++) {
        if (chunk->tx_of[i] == tx && in_range(r, &chunk->row[i]))
            reconcile_payment(r, &chunk->row[i], receipt);
    }
}

static void
on_receipts(void *arg, const struct rpc_answer *answers, size_t len)
{
    struct chunk *chunk = arg;

    chunk->done = true;
    chunk->known = true;
    for (size_t i = 0; i < len; i++) {
        const struct pay_row *row = &chunk->row[chunk->first[i]];
        struct receipt receipt;

        if (answers[i].status != RPC_RESULT) {
            chunk->known = false;
            return;
        }
        switch (receipt_read(&receipt, answers[i].text, row->tx_hash)) {
        case RECEIPT_NONE:
            judge(chunk, i, NULL);
            break;
        case RECEIPT_READ:
            judge(chunk, i, &receipt);
            receipt_free(&receipt);
            break;
        case RECEIPT_BAD:
            chunk->known = false;
            return;
        }
    }
}

static bool
read_chunk(struct chunk *chunk)
{
    struct rpc_call calls[ROWS_TOGETHER];

    for (size_t i = 0; i < chunk->txs; i++)
        calls[i] = params_receipt(chunk->row[chunk->first[i]].tx_hash);
    rpc_ask(chunk->reconcile->rpc, calls, chunk->txs, on_receipts, chunk);
    while (!chunk->done)
        uv_run(&chunk->reconcile->loop, UV_RUN_ONCE);
    return chunk->known;
}

static bool
read_payments(struct reconcile *r)
{
    struct ledger_filter filter = {
        .states = 1u << PAY_MINED | 1u << PAY_FINAL,
        .chain_id = r->network->network->chain_id,
        .limit = r->together,
    };
    struct pay_row *rows = calloc(ROWS_TOGETHER, sizeof(*rows));
    bool good = rows != NULL, more = good;
    uint64_t done = 0, all = ledger_view_settled(r->view, filter.chain_id);

    while (more) {
        struct chunk chunk = {.reconcile = r, .row = rows};

        good = ledger_view_payments(r->view, &filter, take_row, &chunk) &&
               (chunk.len == 0 || read_chunk(&chunk));
        more = good && chunk.len == r->together;
        done += chunk.len;
        reconcile_progress(r, "payment", done, all);
        if (more)
            filter.after_id = rows[chunk.len - 1].id;
    }
    free(rows);
    return good;
}

/* -- one network -- */

static void
add_payee(struct reconcile *r, const struct x402_address *payee)
{
    for (size_t i = 0; i < r->payee_len; i++) {
        if (x402_address_eq(&r->payee[i], payee))
            return;
    }
    if (r->payee_len < INCOME_PAYEES_MAX)
        r->payee[r->payee_len++] = *payee;
}

/** Those of the configuration, and those of the past. */
static bool
list_payees(struct reconcile *r)
{
    const struct config *config = r->options->config;
    struct x402_address known[INCOME_PAYEES_MAX];
    uint64_t id = r->network->network->chain_id;
    size_t len;

    for (size_t i = 0; i < config->payee_len; i++) {
        if (config->payee[i].network->chain_id == id)
            add_payee(r, &config->payee[i].address);
    }
    for (size_t i = 0; i < config->api_key_len; i++) {
        for (size_t k = 0; k < config->api_key[i].payee_len; k++)
            add_payee(r, &config->api_key[i].payee[k]);
    }
    len = ledger_view_payees(r->view, id, known, INCOME_PAYEES_MAX);
    for (size_t i = 0; i < len && i < INCOME_PAYEES_MAX; i++)
        add_payee(r, &known[i]);
    return len <= INCOME_PAYEES_MAX;
}

static void
choose_blocks(struct reconcile *r, uint64_t head)
{
    uint64_t first =
        ledger_view_first_block(r->view, r->network->network->chain_id);

    if (first == 0 || first > head)
        first = head > BLOCKS_BACK ? head - BLOCKS_BACK : 0;
    r->from = r->options->has_from ? r->options->from_block : first;
    r->to = r->options->has_to && r->options->to_block < head
                ? r->options->to_block
                : head;
}

static int
reconcile_network(struct reconcile *r)
{
    uint64_t head;

    if (r->network->rpc_len == 0)
        return unknown(r, "no node to ask: write one under rpc");
    if (!list_payees(r))
        return unknown(r, "more than 4096 payees");
    if (!read_head(r, &head))
        return unknown(r, "no node answers");
    choose_blocks(r, head);
    if (!read_transfers(r))
        return unknown(r, "the transfers cannot be read");
    if (!read_payments(r))
        return unknown(r, "the payments' receipts cannot be read");
    reconcile_print(r);
    return r->sum.silent_loss == 0 && r->sum.phantom_income == 0 ? TOOL_GOOD
                                                                 : TOOL_BAD;
}

static void
mark_closed(void *arg)
{
    *(bool *)arg = true;
}

static int
with_node(struct reconcile *r)
{
    struct rpc_options options = {
        .urls = r->network->rpc,
        .urls_len = r->network->rpc_len,
        .timeout_ms = r->network->rpc_timeout_ms,
        .chain_id = r->network->network->chain_id,
        .rate = r->network->rpc_rate,
    };
    bool closed = false;
    int code;

    r->together = ROWS_TOGETHER;
    if (options.rate != 0 && options.rate < ROWS_TOGETHER)
        r->together = options.rate;
    /* a question may wait for its turn */
    if (options.rate != 0 && options.timeout_ms < PATIENCE_MS)
        options.timeout_ms = PATIENCE_MS;
    r->begun_ms = r->told_ms = reconcile_clock_ms();
    r->asked_before = metrics_get(METRIC_RPC_CALLS);

    if (uv_loop_init(&r->loop) != 0)
        abort();
    r->rpc = rpc_new(&r->loop, &options);
    code = reconcile_network(r);
    rpc_close(r->rpc, mark_closed, &closed);
    while (!closed)
        uv_run(&r->loop, UV_RUN_ONCE);
    uv_run(&r->loop, UV_RUN_DEFAULT);
    uv_loop_close(&r->loop);
    return code;
}

int
tool_reconcile(const struct tool_options *options)
{
    struct ledger_view *view;
    int code = TOOL_GOOD;

    if (options->config == NULL)
        return tool_misused("reconcile needs the configuration: it asks the "
                            "nodes that stand there");
    log_open("error");
    view = tool_open(options, false);
    if (view == NULL)
        return TOOL_UNKNOWN;
    for (size_t i = 0; i < options->config->network_len; i++) {
        const struct config_network *network = &options->config->network[i];
        struct reconcile *r = calloc(1, sizeof(*r));
        int one;

        if (r == NULL)
            abort();
        r->options = options;
        r->network = network;
        r->view = view;
        if (options->network == NULL || options->network == network->network) {
            one = with_node(r);
            code = one > code ? one : code;
        }
        free(r);
    }
    ledger_view_close(view);
    return code;
}
