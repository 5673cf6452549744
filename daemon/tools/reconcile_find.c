/* SPDX-License-Identifier: Apache-2.0 */
/* The judgements of reconcile, and how they are said. */
#include <inttypes.h>
#include <string.h>

#include <x402/encode.h>
#include <x402/network.h>

#include "../failpoint.h"
#include "../metrics.h"
#include "reconcile.h"

#ifdef X402_MUTANTS
#define PROGRESS_MS 500 /* tests do not take long */
#else
#define PROGRESS_MS 5000
#endif

static void
say(const struct reconcile *r, const char *kind, int64_t payment,
    const uint8_t tx_hash[32], const struct x402_amount *value,
    const struct x402_address *token, const struct x402_address *payer)
{
    char tx[2 * 32 + 3], money[TOOL_MONEY_MAX];
    char from[X402_ADDRESS_TEXT_LEN + 1], atomic[X402_AMOUNT_TEXT_MAX + 1];

    x402_hex_encode(tx, tx_hash, 32);
    x402_address_format(from, payer);
    x402_amount_format(atomic, value);
    tool_money(money, value, r->network->network->chain_id, token);
    if (r->options->format == TOOL_JSON)
        printf("{\"found\":\"%s\",\"network\":\"%s\",\"payment\":%" PRId64
               ",\"transaction\":\"%s\",\"amount\":\"%s\",\"payer\":\"%s\"}\n",
               kind, r->network->network->caip2, payment, tx, atomic, from);
    else if (payment != 0)
        printf("%s: payment %" PRId64 ", %s from %s, transaction %s\n", kind,
               payment, money, from, tx);
    else
        printf("%s: %s from %s, transaction %s\n", kind, money, from, tx);
}

/* -- the chain's side -- */

/** Does the ledger count on this transfer?  A payment that is still open will;
 * one that was let go or given up does not. */
static bool
counts(const struct pay_row *row, const struct income *income)
{
    if (!x402_address_eq(&row->auth.to, &income->payee) ||
        x402_amount_cmp(&row->charge, &income->value) != 0)
        return false;
    switch (row->state) {
    case PAY_RESERVED:
    case PAY_CAPTURED:
    case PAY_SUBMITTED:
    case PAY_MINED:
    case PAY_FINAL:
        return true;
    case PAY_RELEASED:
    case PAY_FAILED:
        return false;
    }
    return false;
}

struct by_transaction {
    const struct income *income;
    bool found;
};

static void
look_at_row(void *arg, const struct pay_row *row, const char *resource)
{
    struct by_transaction *search = arg;

    (void)resource;
    search->found = search->found ||
                    (x402_address_eq(&row->auth.from, &search->income->payer) &&
                     counts(row, search->income));
}

/** Of what cannot be told by the call the payment is known by its transaction,
 * parties and amount. */
static bool
has_payment_of_transaction(struct reconcile *r, const struct income *income)
{
    struct ledger_filter filter = {
        .chain_id = r->network->network->chain_id,
        .hash32 = income->tx_hash,
    };
    struct by_transaction search = {income, false};

    return ledger_view_payments(r->view, &filter, look_at_row, &search) &&
           search.found;
}

void
reconcile_transfer(struct reconcile *r, const struct income *income)
{
    struct pay_key key = income_key(r->network->network->chain_id, income);
    struct pay_row row = {.id = 0};

    if (!income->authorized) {
        if (has_payment_of_transaction(r, income)) {
            r->sum.transfers++;
            return;
        }
        r->sum.unmatched++;
        say(r, "unmatched", 0, income->tx_hash, &income->value, &income->token,
            &income->payer);
        return;
    }
    r->sum.transfers++;
    if ((ledger_view_find(r->view, &key, &row) && counts(&row, income)) ||
        mutant("reconcile_blind"))
        return;
    r->sum.silent_loss++;
    say(r, "silent loss", row.id, income->tx_hash, &income->value,
        &income->token, &income->payer);
}

/* -- the ledger's side -- */

void
reconcile_payment(struct reconcile *r, const struct pay_row *row,
                  const struct receipt *receipt)
{
    const struct receipt_claim claim = {
        .method = row->method,
        .token = &row->asset,
        .payer = &row->auth.from,
        .payee = &row->auth.to,
        .value = &row->charge,
        .nonce = row->auth.nonce,
    };

    r->sum.payments++;
    if ((receipt != NULL && receipt_paid(receipt, &claim)) ||
        mutant("reconcile_blind"))
        return;
    r->sum.phantom_income++;
    say(r, "phantom income", row->id, row->tx_hash, &row->charge, &row->asset,
        &row->auth.from);
}

/* -- how far, how fast -- */

uint64_t
reconcile_clock_ms(void)
{
    return uv_hrtime() / 1000000;
}

uint64_t
reconcile_asked(const struct reconcile *r)
{
    return metrics_get(METRIC_RPC_CALLS) - r->asked_before;
}

uint64_t
reconcile_per_second(const struct reconcile *r)
{
    uint64_t ms = reconcile_clock_ms() - r->begun_ms;

    return reconcile_asked(r) * 1000 / (ms > 1000 ? ms : 1000);
}

void
reconcile_progress(struct reconcile *r, const char *what, uint64_t done,
                   uint64_t all)
{
    uint64_t now_ms = reconcile_clock_ms();

    if (now_ms < r->told_ms + PROGRESS_MS)
        return;
    r->told_ms = now_ms;
    fprintf(
        stderr,
        "%s: %s %" PRIu64 " of %" PRIu64 ", %" PRIu64 " questions a second\n",
        r->network->network->caip2, what, done, all, reconcile_per_second(r));
}

void
reconcile_print(const struct reconcile *r)
{
    const struct reconcile_sum *sum = &r->sum;
    const char *network = r->network->network->caip2;

    if (r->options->format == TOOL_JSON)
        printf("{\"network\":\"%s\",\"fromBlock\":%" PRIu64
               ",\"toBlock\":%" PRIu64 ",\"transfers\":%" PRIu64
               ",\"payments\":%" PRIu64 ",\"silentLoss\":%" PRIu64
               ",\"phantomIncome\":%" PRIu64 ",\"unmatched\":%" PRIu64
               ",\"questions\":%" PRIu64 ",\"perSecond\":%" PRIu64 "}\n",
               network, r->from, r->to, sum->transfers, sum->payments,
               sum->silent_loss, sum->phantom_income, sum->unmatched,
               reconcile_asked(r), reconcile_per_second(r));
    else
        printf("%s, blocks %" PRIu64 " to %" PRIu64 ": %" PRIu64
               " transfers to %zu payees, %" PRIu64
               " without a payment (silent loss); %" PRIu64
               " settled payments, %" PRIu64
               " without a transfer (phantom income); %" PRIu64
               " other transfers; %" PRIu64 " questions, %" PRIu64
               " a second\n",
               network, r->from, r->to, sum->transfers, r->payee_len,
               sum->silent_loss, sum->payments, sum->phantom_income,
               sum->unmatched, reconcile_asked(r), reconcile_per_second(r));
}
