/* SPDX-License-Identifier: Apache-2.0 */
/* GET /api/overview: what the core knows now. */
#include <string.h>

#include <x402/network.h>

#include "../chain/chain.h"
#include "../tools/tools.h"
#include "inside.h"

#define OWED_MAX 64

/* What all payers owe in one token: no names on this page. */
struct owed {
    uint64_t chain_id;
    struct x402_address asset;
    struct x402_amount unsettled, lost;
    uint64_t payers, settle_first;
};

struct debts {
    struct owed at[OWED_MAX];
    size_t len;
};

void
status_number(struct x402_buf *out, const char *before, uint64_t number)
{
    x402_buf_text(out, before);
    x402_buf_u64(out, number);
}

void
status_text(struct x402_buf *out, const char *before, const char *text)
{
    x402_buf_text(out, before);
    x402_buf_json(out, x402_span_of(text));
}

void
status_flag(struct x402_buf *out, const char *before, bool value)
{
    x402_buf_text(out, before);
    x402_buf_text(out, value ? "true" : "false");
}

void
status_amount(struct x402_buf *out, const char *before,
              const struct x402_amount *amount)
{
    x402_buf_text(out, before);
    x402_buf_char(out, '"');
    x402_buf_amount(out, amount);
    x402_buf_char(out, '"');
}

/* -- the queue -- */

static void
add_queue(struct x402_buf *out, struct ledger *ledger)
{
    struct ledger_stats stats;

    ledger_stats(ledger, &stats);
    x402_buf_text(out, ",\"states\":{");
    for (int i = PAY_RESERVED; i <= PAY_FAILED; i++) {
        status_text(out, i > PAY_RESERVED ? "," : "",
                    tool_state((enum pay_state)i));
        status_number(out, ":", stats.count[i]);
    }
    status_number(out, "},\"redeemable\":", stats.redeemable);
    status_number(out, ",\"oldestCapturedMs\":", stats.oldest_captured_ms);
    status_number(out, ",\"openBatches\":", stats.open_batches);
}

/* -- chains -- */

static void
add_signers(struct x402_buf *out, const struct chain_health *health)
{
    x402_buf_text(out, ",\"signers\":[");
    for (size_t i = 0; i < health->signer_len; i++) {
        char text[X402_ADDRESS_TEXT_LEN + 1];

        x402_address_format(text, &health->signer[i]);
        status_text(out, i > 0 ? ",{\"address\":" : "{\"address\":", text);
        status_amount(out, ",\"wei\":", &health->signer_balance[i]);
        x402_buf_char(out, '}');
    }
    x402_buf_char(out, ']');
}

static void
add_network(struct x402_buf *out, const struct config_network *network,
            const struct chain_health *health)
{
    status_text(out, "{\"network\":", network->network->caip2);
    status_flag(out, ",\"reachable\":", health->reachable);
    status_flag(out, ",\"settles\":",
                network->signer_len != 0 || network->facilitator.url != NULL);
    status_flag(out, ",\"canSettle\":", health->can_settle);
    status_flag(out, ",\"stopped\":", health->stopped);
    status_flag(out, ",\"behind\":", health->behind);
    status_number(out, ",\"head\":", health->head_number);
    status_number(out, ",\"headSeconds\":", health->head_time_s);
    add_signers(out, health);
    x402_buf_char(out, '}');
}

static void
add_networks(struct x402_buf *out, const struct status *status)
{
    bool any = false;

    x402_buf_text(out, ",\"networks\":[");
    for (size_t i = 0; i < status->config->network_len; i++) {
        const struct config_network *network = &status->config->network[i];
        struct chain *chain =
            cashier_chain(status->cashier, network->network->chain_id);

        if (chain == NULL)
            continue;
        x402_buf_text(out, any ? "," : "");
        add_network(out, network, chain_health(chain));
        any = true;
    }
    x402_buf_char(out, ']');
}

/* -- credit -- */

static void
add_debt(void *arg, const struct ledger_debt *debt)
{
    struct debts *debts = arg;
    struct owed *owed = debts->at;

    while (owed < debts->at + debts->len &&
           (owed->chain_id != debt->chain_id ||
            !x402_address_eq(&owed->asset, &debt->asset)))
        owed++;
    if (owed == debts->at + debts->len) {
        if (debts->len == OWED_MAX)
            return;
        memset(owed, 0, sizeof(*owed));
        owed->chain_id = debt->chain_id;
        owed->asset = debt->asset;
        debts->len++;
    }
    /* beyond any token's supply: the sum stays as it was */
    (void)!x402_amount_add(&owed->unsettled, &owed->unsettled,
                           &debt->unsettled);
    (void)!x402_amount_add(&owed->lost, &owed->lost, &debt->lost);
    owed->payers += debt->payments != 0;
    owed->settle_first += debt->settle_first;
}

static void
add_owed(struct x402_buf *out, const struct owed *owed,
         const struct config_network *network)
{
    char money[TOOL_MONEY_MAX];

    tool_money(money, &owed->unsettled, owed->chain_id, &owed->asset);
    status_text(out, "{\"network\":", network->network->caip2);
    status_text(out, ",\"unsettled\":", money);
    tool_money(money, &owed->lost, owed->chain_id, &owed->asset);
    status_text(out, ",\"lost\":", money);
    tool_money(money, &network->credit_total, owed->chain_id, &owed->asset);
    status_text(out, ",\"limit\":", money);
    status_amount(out, ",\"unsettledUnits\":", &owed->unsettled);
    status_amount(out, ",\"limitUnits\":", &network->credit_total);
    status_number(out, ",\"payers\":", owed->payers);
    status_number(out, ",\"settleFirst\":", owed->settle_first);
    x402_buf_char(out, '}');
}

static void
add_credit(struct x402_buf *out, const struct status *status)
{
    struct debts debts = {.len = 0};
    bool any = false;

    ledger_debts(status->ledger, add_debt, &debts);
    x402_buf_text(out, ",\"credit\":[");
    for (size_t i = 0; i < debts.len; i++) {
        const struct config_network *network =
            config_network(status->config, debts.at[i].chain_id);

        if (network == NULL)
            continue;
        x402_buf_text(out, any ? "," : "");
        add_owed(out, &debts.at[i], network);
        any = true;
    }
    x402_buf_char(out, ']');
}

void
status_look(struct status *status)
{
    static char memory[STATUS_OVERVIEW_MAX]; /* of the core thread */
    struct x402_buf out = x402_buf_on(memory, sizeof(memory));

    status_text(&out, "{\"version\":", X402D_VERSION);
    status_number(&out, ",\"nowMs\":", core_now_ms());
    add_queue(&out, status->ledger);
    add_networks(&out, status);
    add_credit(&out, status);
    x402_buf_char(&out, '}');
    if (out.full)
        return;
    pthread_mutex_lock(&status->lock);
    memcpy(status->overview, out.at, out.len);
    status->overview_len = out.len;
    pthread_mutex_unlock(&status->lock);
}

void
status_overview(struct status *status, struct x402_buf *out)
{
    pthread_mutex_lock(&status->lock);
    x402_buf_add(out,
                 (struct x402_span){status->overview, status->overview_len});
    pthread_mutex_unlock(&status->lock);
}
