/* SPDX-License-Identifier: Apache-2.0 */
/* x402d with a cashier that obeys the payment: the nonce's first byte is the
 * answer's delay in tenths of a second, the second one the error.  For tests of
 * the HTTP layer that need answers late, never, or of a certain kind.  Linked
 * before the daemon's library, it takes the place of ledger, chain, cashier and
 * till there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cashier.h"
#include "ledger/ledger.h"
#include "till/till.h"

static char one; /* an address for what has no state */

struct ledger *
ledger_open(struct core *core, const char *path, char *error, size_t error_len)
{
    (void)core;
    if (strstr(path, "broken") == NULL)
        return (struct ledger *)&one;
    snprintf(error, error_len, "%s: asked to fail", path);
    return NULL;
}

void
ledger_close(struct ledger *ledger)
{
    (void)ledger;
}

void
ledger_stats(struct ledger *ledger, struct ledger_stats *out)
{
    (void)ledger;
    memset(out, 0, sizeof(*out));
    out->count[PAY_CAPTURED] = 3;
}

void
ledger_debts(struct ledger *ledger, ledger_debt_cb cb, void *arg)
{
    struct ledger_debt debt = {.chain_id = 84532,
                               .payments = 2,
                               .unsettled = x402_amount_of(3000),
                               .lost = x402_amount_of(7),
                               .settle_first = true};

    (void)ledger;
    if (x402_address_parse(&debt.asset,
                           x402_span_of("0x036CbD53842c5426634e7929541eC231"
                                        "8f3dCF7e")) == X402_OK)
        cb(arg, &debt);
    memset(&debt.payer, 1, sizeof(debt.payer));
    debt.unsettled = x402_amount_of(4000);
    debt.lost = x402_amount_of(0);
    debt.settle_first = false;
    cb(arg, &debt);
}

/* -- no Lightning -- */

struct lightning *
lightning_open(struct core *core, const struct config_lightning *config,
               struct ledger *ledger, char *error, size_t error_len)
{
    (void)core;
    (void)config;
    (void)ledger;
    snprintf(error, error_len, "not here");
    return NULL;
}

void
lightning_close(struct lightning *lightning, core_task closed, void *arg)
{
    (void)lightning;
    closed(arg);
}

void
lightning_free(struct lightning *lightning)
{
    (void)lightning;
}

void
lightning_health(struct lightning *lightning, struct lightning_health *out)
{
    (void)lightning;
    memset(out, 0, sizeof(*out));
}

void
till_set_lightning(struct till *till, struct lightning *lightning)
{
    (void)till;
    (void)lightning;
}

/* -- chain -- */

struct chain {
    const struct config_network *network;
    struct chain_health health;
    struct core *core;
    core_task closed;
    void *closed_arg;
};

/** The rpc's host says how the chain is: "down", "poor" or anything else. */
struct chain *
chain_open(struct core *core, const struct config_network *network,
           struct ledger *ledger, char *error, size_t error_len)
{
    struct chain *chain = calloc(1, sizeof(*chain));
    const char *rpc = network->rpc[0];

    (void)ledger;
    if (chain == NULL || network->signer_len > CONFIG_SIGNERS_MAX) {
        snprintf(error, error_len, "no memory");
        free(chain);
        return NULL;
    }
    chain->core = core;
    chain->network = network;
    chain->health.reachable = strstr(rpc, "down") == NULL;
    chain->health.can_settle = chain->health.reachable &&
                               strstr(rpc, "poor") == NULL &&
                               network->signer_len != 0;
    chain->health.head_number = 123;
    chain->health.signer_len = network->signer_len;
    for (size_t i = 0; i < network->signer_len; i++) {
        memset(&chain->health.signer[i], 0x11 + (int)i, 20);
        chain->health.signer_balance[i] = x402_amount_of(1000000000000000000);
    }
    return chain;
}

static void
closed(void *arg)
{
    struct chain *chain = arg;

    chain->closed(chain->closed_arg);
    free(chain);
}

void
chain_close(struct chain *chain, core_task task, void *arg)
{
    chain->closed = task;
    chain->closed_arg = arg;
    core_post(chain->core, closed, chain);
}

void
chain_set_payees(struct chain *chain, const struct x402_address *payees,
                 size_t len)
{
    (void)chain;
    (void)payees;
    (void)len;
}

void
chain_reconfigure(struct chain *chain, const struct config_network *network)
{
    chain->network = network;
}

const struct chain_health *
chain_health(const struct chain *chain)
{
    return &chain->health;
}

uint64_t
chain_id(const struct chain *chain)
{
    return chain->network->network->chain_id;
}

/* -- cashier -- */

struct cashier {
    struct core *core;
    struct answer *pending;
    struct chain *chain[CONFIG_NETWORKS_MAX];
    size_t chain_len;
};

struct answer {
    uv_timer_t timer;
    struct answer *next, **link;
    struct cashier_answer out;
    cashier_answer_cb cb;
    void *arg;
};

struct cashier *
cashier_new(struct core *core, const struct config *config,
            struct ledger *ledger, struct chain *const *chains,
            size_t chains_len)
{
    struct cashier *cashier = calloc(1, sizeof(*cashier));

    (void)config;
    (void)ledger;
    if (cashier == NULL)
        abort();
    cashier->core = core;
    memcpy(cashier->chain, chains, chains_len * sizeof(*chains));
    cashier->chain_len = chains_len;
    return cashier;
}

struct chain *
cashier_chain(struct cashier *cashier, uint64_t id)
{
    for (size_t i = 0; i < cashier->chain_len; i++) {
        if (chain_id(cashier->chain[i]) == id)
            return cashier->chain[i];
    }
    return NULL;
}

void
cashier_reconfigure(struct cashier *cashier, const struct config *config)
{
    (void)cashier;
    (void)config;
}

static void
free_answer(uv_handle_t *handle)
{
    free(handle->data);
}

static void
close_answer(struct answer *answer)
{
    *answer->link = answer->next;
    if (answer->next != NULL)
        answer->next->link = answer->link;
    uv_close((uv_handle_t *)&answer->timer, free_answer);
}

/** Whoever still waits is not called. */
void
cashier_free(struct cashier *cashier)
{
    while (cashier->pending != NULL)
        close_answer(cashier->pending);
    free(cashier);
}

static void
on_timer(uv_timer_t *timer)
{
    struct answer *answer = timer->data;

    answer->cb(answer->arg, &answer->out);
    close_answer(answer);
}

static void
answer_later(struct cashier *cashier,
             const struct x402_facilitator_request *request,
             cashier_answer_cb cb, void *arg)
{
    const struct x402_authorization *auth = &request->payment.auth;
    struct answer *answer = calloc(1, sizeof(*answer));

    if (answer == NULL)
        abort();
    answer->out.err = (enum x402_err)auth->nonce[1];
    answer->out.payer = auth->from;
    answer->out.has_transaction =
        answer->out.err == X402_OK || answer->out.err == X402_ERR_PENDING;
    memset(answer->out.transaction, 0xab, 32);
    answer->cb = cb;
    answer->arg = arg;
    answer->timer.data = answer;
    answer->next = cashier->pending;
    answer->link = &cashier->pending;
    if (answer->next != NULL)
        answer->next->link = &answer->next;
    cashier->pending = answer;
    uv_timer_init(core_loop(cashier->core), &answer->timer);
    uv_timer_start(&answer->timer, on_timer, auth->nonce[0] * 100u, 0);
}

void
cashier_verify(struct cashier *cashier,
               const struct x402_facilitator_request *request,
               const struct config_api_key *key, bool recovered,
               cashier_answer_cb cb, void *arg)
{
    (void)key;
    (void)recovered;
    answer_later(cashier, request, cb, arg);
}

void
cashier_settle(struct cashier *cashier,
               const struct x402_facilitator_request *request,
               const struct config_api_key *key, cashier_answer_cb cb,
               void *arg)
{
    (void)key;
    answer_later(cashier, request, cb, arg);
}

/* -- till -- */

struct till *
till_open(struct core *core, const struct config *config,
          struct cashier *cashier, struct ledger *ledger, char *error,
          size_t error_len)
{
    (void)config;
    (void)cashier;
    (void)ledger;
    snprintf(error, error_len, "no memory");
    return (struct till *)core;
}

void
till_close(struct till *till, unsigned grace_ms, core_task task, void *arg)
{
    (void)grace_ms;
    core_post((struct core *)till, task, arg);
}

bool
chain_knows(const struct chain *chain, enum x402_method method)
{
    (void)chain;
    (void)method;
    return true;
}
