/* SPDX-License-Identifier: Apache-2.0 */
/* GET /metrics: Prometheus' text format, version 0.0.4.  Sums only: no
 * addresses, no URLs. */
#include "request.h"

#include <stdlib.h>

#include "../chain/chain.h"
#include "../metrics.h"
#include "../must.h"

#define PAGE_FIRST ((size_t)32 * 1024)
#define PAGE_MOST ((size_t)1024 * 1024)

static const struct {
    const char *name;
    const char *help;
} counters[] = {
#define METRICS_ROW(name, text, help) {text, help},
    METRICS_MAP(METRICS_ROW)
#undef METRICS_ROW
};

static void
add_head(struct x402_buf *out, const char *name, const char *type,
         const char *help)
{
    x402_buf_text(out, "# HELP ");
    x402_buf_text(out, name);
    x402_buf_char(out, ' ');
    x402_buf_text(out, help);
    x402_buf_text(out, "\n# TYPE ");
    x402_buf_text(out, name);
    x402_buf_char(out, ' ');
    x402_buf_text(out, type);
    x402_buf_char(out, '\n');
}

/** name{label="value"} number; label NULL: none */
static void
add_sample(struct x402_buf *out, const char *name, const char *label,
           const char *value, const struct x402_amount *number)
{
    x402_buf_text(out, name);
    if (label != NULL) {
        x402_buf_char(out, '{');
        x402_buf_text(out, label);
        x402_buf_text(out, "=\"");
        x402_buf_text(out, value);
        x402_buf_text(out, "\"}");
    }
    x402_buf_char(out, ' ');
    x402_buf_amount(out, number);
    x402_buf_char(out, '\n');
}

/** name{network="...",asset="..."} number */
static void
add_asset_sample(struct x402_buf *out, const char *name,
                 const struct http_owed *owed, const struct x402_amount *number)
{
    x402_buf_text(out, name);
    x402_buf_text(out, "{network=\"");
    x402_buf_text(out, owed->network);
    x402_buf_text(out, "\",asset=\"");
    x402_buf_text(out, owed->asset);
    x402_buf_text(out, "\"} ");
    x402_buf_amount(out, number);
    x402_buf_char(out, '\n');
}

static void
add_gauge(struct x402_buf *out, const char *name, const char *help,
          uint64_t value)
{
    struct x402_amount number = x402_amount_of(value);

    add_head(out, name, "gauge", help);
    add_sample(out, name, NULL, NULL, &number);
}

static void
add_counters(struct x402_buf *out)
{
    for (size_t i = 0; i < METRIC_COUNT; i++) {
        struct x402_amount number = x402_amount_of(metrics_get((enum metric)i));

        add_head(out, counters[i].name, "counter", counters[i].help);
        add_sample(out, counters[i].name, NULL, NULL, &number);
    }
}

/* -- ledger -- */

static uint64_t
age_s(uint64_t since_ms)
{
    uint64_t now_ms = core_now_ms();

    return since_ms == 0 || since_ms > now_ms ? 0 : (now_ms - since_ms) / 1000;
}

static void
add_ledger(struct x402_buf *out, struct ledger *ledger)
{
    static const char *const states[PAY_FAILED + 1] = {
        [PAY_RESERVED] = "reserved", [PAY_RELEASED] = "released",
        [PAY_CAPTURED] = "captured", [PAY_SUBMITTED] = "submitted",
        [PAY_MINED] = "mined",       [PAY_FINAL] = "final",
        [PAY_FAILED] = "failed",
    };
    struct ledger_stats stats;

    ledger_stats(ledger, &stats);
    add_head(out, "x402_payments", "gauge", "payments in the ledger by state");
    for (size_t i = PAY_RESERVED; i <= PAY_FAILED; i++) {
        struct x402_amount number = x402_amount_of(stats.count[i]);

        add_sample(out, "x402_payments", "state", states[i], &number);
    }
    add_gauge(out, "x402_redeemable",
              "charged payments whose request may run again", stats.redeemable);
    add_gauge(out, "x402_oldest_captured_seconds",
              "age of the oldest captured payment that is not submitted",
              age_s(stats.oldest_captured_ms));
    add_gauge(out, "x402_open_batches", "transactions not final yet",
              stats.open_batches);
}

/* -- credit: sums over all payers, and the greatest debt of one; who that is
 * stands in x402d ledger credit -- */

typedef struct x402_amount (*owed_number)(const struct http_owed *owed);

static struct x402_amount
unsettled(const struct http_owed *owed)
{
    return owed->unsettled;
}

static struct x402_amount
unsettled_most(const struct http_owed *owed)
{
    return owed->unsettled_most;
}

static struct x402_amount
lost(const struct http_owed *owed)
{
    return owed->lost;
}

static struct x402_amount
debtors(const struct http_owed *owed)
{
    return x402_amount_of(owed->debtors);
}

static struct x402_amount
settle_first(const struct http_owed *owed)
{
    return x402_amount_of(owed->settle_first);
}

static void
add_owed(struct x402_buf *out, const struct http_debts *debts)
{
    static const struct {
        const char *name, *help;
        owed_number number;
    } rows[] = {
        {"x402_unsettled_amount",
         "charged and not mined yet, in atomic units of the token", unsettled},
        {"x402_unsettled_payer_most_amount",
         "the greatest unsettled amount of one payer", unsettled_most},
        {"x402_unsettled_payers", "payers with unsettled payments", debtors},
        {"x402_lost_amount",
         "what payers with a loss that is not forgiven cost us", lost},
        {"x402_settle_first_payers",
         "payers who are settled first after a loss, until cleared",
         settle_first},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        add_head(out, rows[i].name, "gauge", rows[i].help);
        for (size_t k = 0; k < debts->len; k++) {
            struct x402_amount number = rows[i].number(&debts->at[k]);

            add_asset_sample(out, rows[i].name, &debts->at[k], &number);
        }
    }
}

/* -- API keys -- */

static void
add_keys(struct x402_buf *out, const struct http_request *request)
{
    const struct config *config = request->config;
    uint64_t now_ms = core_now_ms();
    struct x402_amount number;

    if (config->api_key_len == 0)
        return;
    add_head(out, "x402_key_gas_gwei", "gauge",
             "what the settlements of this API key count as today, UTC");
    for (size_t i = 0; i < config->api_key_len; i++) {
        number = x402_amount_of(ledger_key_gas(
            request->http->ledger, config->api_key[i].name, now_ms));
        add_sample(out, "x402_key_gas_gwei", "key", config->api_key[i].name,
                   &number);
    }
    add_head(out, "x402_key_gas_limit_gwei", "gauge",
             "what they may come to in a day; 0: no end");
    for (size_t i = 0; i < config->api_key_len; i++) {
        number = x402_amount_of(config->api_key[i].gas_gwei);
        add_sample(out, "x402_key_gas_limit_gwei", "key",
                   config->api_key[i].name, &number);
    }
}

/* -- chains -- */

/** One number of a network's health. */
typedef struct x402_amount (*chain_number)(const struct chain_health *health);

static struct x402_amount
reachable(const struct chain_health *health)
{
    return x402_amount_of(health->reachable);
}

static struct x402_amount
can_settle(const struct chain_health *health)
{
    return x402_amount_of(health->can_settle);
}

static struct x402_amount
head(const struct chain_health *health)
{
    return x402_amount_of(health->head_number);
}

static struct x402_amount
balance(const struct chain_health *health)
{
    struct x402_amount sum = x402_amount_of(0);

    for (size_t i = 0; i < health->signer_len; i++) {
        if (!x402_amount_add(&sum, &sum, &health->signer_balance[i]))
            return sum;
    }
    return sum;
}

static void
add_chains(struct x402_buf *out, const struct http *http, const char *name,
           const char *help, chain_number number_of)
{
    add_head(out, name, "gauge", help);
    for (size_t i = 0; i < http->config->network_len; i++) {
        const struct x402_network *network = http->config->network[i].network;
        struct chain *chain = cashier_chain(http->cashier, network->chain_id);
        struct x402_amount number;

        if (chain == NULL)
            continue;
        number = number_of(chain_health(chain));
        add_sample(out, name, "network", network->caip2, &number);
    }
}

static void
add_lightning(struct x402_buf *out, struct lightning *lightning)
{
    struct lightning_health health;

    if (lightning == NULL)
        return;
    lightning_health(lightning, &health);
    add_gauge(out, "x402_lightning_ready", "1: LND is there and well",
              health.ready);
    add_gauge(out, "x402_invoices_outstanding",
              "invoices that somebody could still pay", health.outstanding);
}

static void
add_page(struct x402_buf *out, const struct http_request *request)
{
    const struct http *http = request->http;

    add_counters(out);
    add_ledger(out, http->ledger);
    add_owed(out, http_debts(request->http));
    add_keys(out, request);
    add_chains(out, http, "x402_chain_reachable", "1: a node answers",
               reachable);
    add_chains(out, http, "x402_chain_can_settle",
               "1: there is a signer with gas, and fees are under the cap",
               can_settle);
    add_chains(out, http, "x402_chain_head", "newest block seen", head);
    add_chains(out, http, "x402_signer_balance_wei",
               "what all signers together have for gas", balance);
    add_lightning(out, http->lightning);
    add_gauge(out, "x402_http_in_flight", "HTTP requests not yet answered",
              http_in_flight(http));
}

/* Its length is the configuration's: 8 networks with their tokens, 64 keys. */
static void
fill(struct http_request *request)
{
    struct x402_buf page;
    size_t cap = PAGE_FIRST;

    do {
        free(request->large);
        request->large = must(malloc(cap));
        page = x402_buf_on(request->large, cap);
        add_page(&page, request);
        cap *= 2;
    } while (page.full && cap <= PAGE_MOST);
    request->large_len = page.len;
    request->out.full = page.full; /* cut off is no page */
    request->type = "text/plain; version=0.0.4; charset=utf-8";
    request->status = MHD_HTTP_OK;
    http_answer(request);
}

enum http_next
http_metrics(struct http_request *request)
{
    return http_to_core(request, fill);
}
