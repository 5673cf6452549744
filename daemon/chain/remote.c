/* SPDX-License-Identifier: Apache-2.0 */
/* See remote.h: is this payment good, and can it be settled? */
#include "remote.h"

#include <stdlib.h>
#include <string.h>

#include "../failpoint.h"
#include "simulate.h"

struct verify {
    struct remote *remote;
    struct chain_ask ask;
    chain_verdict_cb cb;
    void *arg;
    struct chain_verdict verdict; /* the node's */
};

static void
verify_end(struct verify *v, enum x402_err err)
{
    v->verdict.err = err;
    v->cb(v->arg, &v->verdict);
    free(v);
}

/* Its reason where that speaks of the payment; a facilitator in trouble says
 * nothing about it. */
static enum x402_err
refusal(enum x402_err reason)
{
    const struct x402_err_info *info = x402_err_info(reason);

    if (info->http_status == 402 || reason == X402_ERR_ALLOWANCE)
        return reason;
    return info->fault == X402_FAULT_AGAIN ? X402_ERR_UNAVAILABLE
                                           : X402_ERR_SIMULATION;
}

static void
on_verified(void *arg, const struct facilitator_answer *answer)
{
    struct verify *v = arg;

    switch (answer->word) {
    case FACILITATOR_YES:
        verify_end(v, X402_OK);
        return;
    case FACILITATOR_NO:
        verify_end(v, refusal(answer->reason));
        return;
    case FACILITATOR_UNKNOWN:
        verify_end(v,
                   mutant("facilitator_open") ? X402_OK : X402_ERR_UNAVAILABLE);
        return;
    }
}

static void
ask_facilitator(struct verify *v)
{
    struct x402_facilitator_ask ask = {
        .asset =
            x402_asset_by_address(chain_id(v->remote->chain), &v->ask.asset),
        .auth = &v->ask.auth,
        .signature = v->ask.signature,
        .signature_len = v->ask.signature_len,
        .resource =
            x402_span_of(v->ask.resource != NULL ? v->ask.resource : ""),
        .method = v->ask.method,
        .facilitator = v->ask.facilitator,
    };

    facilitator_verify(v->remote->facilitator, &ask, on_verified, v);
}

static void
on_simulated(void *arg, const struct chain_verdict *verdict)
{
    struct verify *v = arg;

    v->verdict = *verdict;
    if (verdict->err == X402_OK && !v->remote->chain->closing)
        ask_facilitator(v);
    else
        verify_end(v, verdict->err == X402_OK ? X402_ERR_UNAVAILABLE
                                              : verdict->err);
}

static void
begin_task(void *arg)
{
    struct verify *v = arg;
    struct chain *chain = v->remote->chain;

    if (chain->closing)
        verify_end(v, X402_ERR_UNAVAILABLE);
    else if (x402_asset_by_address(chain_id(chain), &v->ask.asset) == NULL)
        verify_end(v, X402_ERR_ASSET);
    else if (chain_has_node(chain))
        simulate_ask(chain, &v->ask, on_simulated, v);
    else
        ask_facilitator(v);
}

void
remote_verify(struct remote *remote, const struct chain_ask *ask,
              chain_verdict_cb cb, void *arg)
{
    struct verify *v = chain_alloc(sizeof *v);

    *v = (struct verify){.remote = remote, .ask = *ask, .cb = cb, .arg = arg};
    /* what would make the allowance is not passed on */
    v->ask.sponsor = (struct x402_sponsor){.kind = X402_SPONSOR_NONE};
    if (!chain_has_node(remote->chain)) {
        /* settled first, balance and allowance are the
         * facilitator's to check */
        v->verdict.no_balance = true;
        memset(&v->verdict.balance, 0xff, sizeof v->verdict.balance);
        memset(&v->verdict.allowance, 0xff, sizeof v->verdict.allowance);
    }
    core_post(remote->chain->core, begin_task, v);
}

/* upto cannot be settled first, and without a node everything is. */
bool
remote_knows(const struct remote *remote, enum x402_method method)
{
    if (remote->facilitator == NULL ||
        !facilitator_knows(remote->facilitator, method))
        return false;
    if (chain_has_node(remote->chain))
        return method == X402_METHOD_EIP3009 || remote->chain->permit2[method];
    return method != X402_METHOD_PERMIT2_UPTO;
}

bool
remote_is_account(const struct remote *remote,
                  const struct x402_address *address)
{
    return remote->facilitator != NULL &&
           facilitator_is_account(remote->facilitator, address);
}

const struct chain_health *
remote_health(struct remote *remote)
{
    struct chain *chain = remote->chain;

    remote->health = chain->health;
    remote->health.can_settle =
        !chain->closing && facilitator_ready(remote->facilitator);
    if (!chain_has_node(chain))
        remote->health.reachable = remote->health.can_settle;
    else if (!chain->ready)
        remote->health.can_settle = false;
    return &remote->health;
}

/* -- open, close -- */

struct remote *
remote_new(struct chain *chain, char *error, size_t error_len)
{
    struct remote *remote = chain_alloc(sizeof *remote);

    remote->chain = chain;
    remote->facilitator =
        facilitator_new(chain->core, chain->config, error, error_len);
    if (remote->facilitator != NULL)
        return remote;
    free(remote);
    return NULL;
}

void
remote_close(struct remote *remote, core_task closed, void *arg)
{
    facilitator_close(remote->facilitator, closed, arg);
    remote->facilitator = NULL; /* from here on the chain is closing */
}

void
remote_free(struct remote *remote)
{
    free(remote);
}
