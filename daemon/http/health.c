/* SPDX-License-Identifier: Apache-2.0 */
/* GET /health: can everything that is configured be done?  200 or 503, for
 * load balancers and people. */
#include "request.h"

#include "../chain/chain.h"

/** NULL when the network does what it is configured for. */
static const char *
trouble(const struct config_network *network, const struct chain_health *health)
{
    if (health == NULL || !health->reachable)
        return "no node can be reached";
    if (network->signer_len != 0 && !health->can_settle)
        return "cannot settle: a signer needs gas, or fees are over the cap";
    if (health->stopped)
        return "settling is stopped: transactions failed in a row";
    return NULL;
}

static const struct chain_health *
health_of(const struct http *http, const struct config_network *network)
{
    struct chain *chain =
        cashier_chain(http->cashier, network->network->chain_id);

    return chain != NULL ? chain_health(chain) : NULL;
}

static void
add_flag(struct x402_buf *out, const char *before, bool value)
{
    x402_buf_text(out, before);
    x402_buf_text(out, value ? "true" : "false");
}

static void
add_network(struct x402_buf *out, const struct config_network *network,
            const struct chain_health *health)
{
    const char *why = trouble(network, health);

    x402_buf_text(out, "{\"network\":");
    x402_buf_json(out, x402_span_of(network->network->caip2));
    add_flag(out, ",\"reachable\":", health != NULL && health->reachable);
    add_flag(out, ",\"canSettle\":", health != NULL && health->can_settle);
    add_flag(out, ",\"behind\":", health != NULL && health->behind);
    x402_buf_text(out, ",\"head\":");
    x402_buf_u64(out, health != NULL ? health->head_number : 0);
    if (why != NULL) {
        x402_buf_text(out, ",\"reason\":");
        x402_buf_json(out, x402_span_of(why));
    }
    x402_buf_char(out, '}');
}

static void
add_lightning(struct x402_buf *out, const struct lightning_health *health)
{
    add_flag(out, ",\"lightning\":{\"ready\":", health->ready);
    x402_buf_text(out, ",\"outstanding\":");
    x402_buf_u64(out, health->outstanding);
    if (!health->ready) {
        x402_buf_text(out, ",\"reason\":");
        x402_buf_json(out, x402_span_of(health->why));
    }
    x402_buf_char(out, '}');
}

static bool
all_well(const struct http *http)
{
    for (size_t i = 0; i < http->config->network_len; i++) {
        const struct config_network *network = &http->config->network[i];

        if (trouble(network, health_of(http, network)) != NULL)
            return false;
    }
    return true;
}

/** How far settling is behind. */
static void
add_unsettled(struct x402_buf *out, struct http *http)
{
    const struct http_debts *debts = http_debts(http);
    uint64_t now_ms = core_now_ms(), settle_first = 0, oldest_s = 0;
    struct ledger_stats stats;

    ledger_stats(http->ledger, &stats);
    if (stats.oldest_captured_ms != 0 && stats.oldest_captured_ms < now_ms)
        oldest_s = (now_ms - stats.oldest_captured_ms) / 1000;
    for (size_t i = 0; i < debts->len; i++)
        settle_first += debts->at[i].settle_first;
    x402_buf_text(out, ",\"unsettled\":{\"payments\":");
    x402_buf_u64(out, stats.count[PAY_CAPTURED] + stats.count[PAY_SUBMITTED]);
    x402_buf_text(out, ",\"oldestSeconds\":");
    x402_buf_u64(out, oldest_s);
    x402_buf_text(out, "},\"settleFirstPayers\":");
    x402_buf_u64(out, settle_first);
}

static void
fill(struct http_request *request)
{
    struct http *http = request->http;
    struct x402_buf *out = &request->out;
    struct lightning_health lightning = {.ready = true};
    bool well;

    if (http->lightning != NULL)
        lightning_health(http->lightning, &lightning);
    well = all_well(http) && lightning.ready;

    x402_buf_text(out, well ? "{\"status\":\"ok\"" : "{\"status\":\"error\"");
    x402_buf_text(out, ",\"version\":\"" X402D_VERSION "\",\"networks\":[");
    for (size_t i = 0; i < http->config->network_len; i++) {
        const struct config_network *network = &http->config->network[i];

        if (i != 0)
            x402_buf_char(out, ',');
        add_network(out, network, health_of(http, network));
    }
    x402_buf_char(out, ']');
    if (http->lightning != NULL)
        add_lightning(out, &lightning);
    add_unsettled(out, http);
    x402_buf_char(out, '}');
    request->status = well ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE;
    http_answer(request);
}

enum http_next
http_health(struct http_request *request)
{
    return http_to_core(request, fill);
}
