/* SPDX-License-Identifier: Apache-2.0 */
/* See cashier.h: its life, and the commands that go straight to the ledger. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../metrics.h"
#include "inside.h"

struct charge {
    struct op op;
    ledger_cb cb;
    void *arg;
};

struct cashier *
cashier_new(struct core *core, const struct config *config,
            struct ledger *ledger, struct chain *const *chains,
            size_t chains_len)
{
    struct cashier *cashier = calloc(1, sizeof *cashier);

    if (cashier == NULL) {
        fprintf(stderr, "x402d: out of memory\n");
        abort();
    }
    cashier->core = core;
    cashier->config = config;
    cashier->ledger = ledger;
    if (chains_len > 0)
        memcpy(cashier->chain, chains, chains_len * sizeof(*chains));
    cashier->chain_len = chains_len;
    core_random(&cashier->salt, sizeof cashier->salt);
    return cashier;
}

void
cashier_reconfigure(struct cashier *cashier, const struct config *config)
{
    cashier->config = config;
}

void
cashier_free(struct cashier *cashier)
{
    while (cashier->ops != NULL)
        op_free(cashier->ops);
    free(cashier);
}

struct chain *
cashier_chain(struct cashier *cashier, uint64_t id)
{
    for (size_t i = 0; i < cashier->chain_len; i++)
        if (chain_id(cashier->chain[i]) == id)
            return cashier->chain[i];
    return NULL;
}

void
cashier_lease_ended(struct cashier *cashier, const uint8_t worker[16])
{
    for (const struct op *op = cashier->ops; op != NULL; op = op->next)
        if (op->payment != 0 && memcmp(op->in.worker, worker, 16) == 0)
            chain_look_again(op->chain, op->payment);
}

/* Ids are counted up: each of the newest has a place of its own. */
static struct known *
known_place(struct cashier *cashier, int64_t payment)
{
    return &cashier->known[(uint64_t)payment % CASHIER_KNOWN];
}

void
cashier_know(struct cashier *cashier, int64_t payment, struct chain *chain)
{
    *known_place(cashier, payment) = (struct known){payment, chain};
}

static struct chain *
chain_of_payment(struct cashier *cashier, int64_t payment)
{
    const struct known *known = known_place(cashier, payment);
    struct pay_row row;

    if (known->payment == payment)
        return known->chain;
    if (!ledger_get(cashier->ledger, payment, &row))
        return NULL;
    return cashier_chain(cashier, row.chain_id);
}

static void
on_captured(void *arg, enum x402_err err, int64_t payment)
{
    struct charge *charge = arg;
    struct cashier *cashier = charge->op.cashier;
    struct chain *chain;

    if (err == X402_OK) {
        metrics_add(METRIC_CAPTURED, 1);
        chain = chain_of_payment(cashier, payment);
        if (chain != NULL)
            chain_kick(chain, false);
    }
    charge->cb(charge->arg, err, payment);
    op_free(&charge->op);
}

static void
on_released(void *arg, enum x402_err err, int64_t payment)
{
    struct charge *charge = arg;

    if (err == X402_OK)
        metrics_add(METRIC_RELEASED, 1);
    charge->cb(charge->arg, err, payment);
    op_free(&charge->op);
}

static struct charge *
charge_new(struct cashier *cashier, ledger_cb cb, void *arg)
{
    struct charge *charge = op_new(cashier, sizeof *charge);

    charge->cb = cb;
    charge->arg = arg;
    return charge;
}

void
cashier_capture(struct cashier *cashier, const struct x402_rid *rid,
                const struct x402_amount *charge, ledger_cb cb, void *arg)
{
    ledger_capture(cashier->ledger, rid, charge, core_now_ms(),
                   cashier->config->settle_margin_s, on_captured,
                   charge_new(cashier, cb, arg));
}

void
cashier_release(struct cashier *cashier, const struct x402_rid *rid,
                unsigned status, ledger_cb cb, void *arg)
{
    ledger_release(cashier->ledger, rid, status, core_now_ms(), on_released,
                   charge_new(cashier, cb, arg));
}
