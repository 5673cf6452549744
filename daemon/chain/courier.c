/* SPDX-License-Identifier: Apache-2.0 */
/* The settler of a remote facilitator: takes what is due to it, one payment at
 * a time, and finds out what became of it.
 *
 *   due --hand over--> SUBMITTED --/settle--> yes, and proven: MINED
 *                          ^            |      (no node: FINAL on its word)
 *                          +-- later ---+ no, or no answer
 *
 * The ledger says SUBMITTED before the facilitator is told, so that after a
 * crash the same payment is asked for again; nothing else is remembered.  The
 * authorization's nonce makes asking twice harmless.  A refusal is not believed
 * while the payment could still be settled: the facilitator, or whoever has
 * seen the authorization, may have done so.  With a node, FAILED needs the same
 * proof as for our own transactions. */
#include "remote.h"

#include <stdlib.h>
#include <string.h>

#include "../failpoint.h"
#include "../log.h"
#include "../metrics.h"
#include "inquire.h"
#include "job.h"
#include "settle.h"
#include "watch.h"

#define IDLE_MS 1000   /* between looks while something is open */
#define LIST_LEAST 64  /* rows of one look, and those that wait */
#define LIST_MOST 4096 /* the ledger's own bound */

/** One payment on its way. */
struct errand {
    struct remote *remote;
    struct pay_row row;
    uint8_t transaction[32]; /* that the facilitator named */
    enum x402_err reason;
};

/* -- the end -- */

/* later: ask again after a while; X402_OK: the ledger knows. */
static void
errand_end(struct errand *e, enum x402_err later)
{
    settle_put_back(e->remote->chain->settler, e->row.id, later);
    free(e);
}

/* An inquiry takes over; it puts the payment back itself. */
static void
errand_inquire(struct errand *e,
               bool (*ask)(struct chain *, const struct pay_row *,
                           enum x402_err))
{
    enum x402_err reason = e->reason == X402_OK ? X402_ERR_PENDING : e->reason;

    if (ask(e->remote->chain, &e->row, reason))
        free(e);
    else
        errand_end(e, reason);
}

static bool
is_over(const struct pay_row *row, uint64_t after_ms)
{
    uint64_t now_ms = core_now_ms();

    /* validBefore is bounded only by the caller's clock */
    return row->auth.valid_before_s < (UINT64_MAX - after_ms) / 1000 &&
           now_ms >= row->auth.valid_before_s * 1000 + after_ms;
}

/* -- proven, or taken at its word -- */

static void
on_paid_word(void *arg, enum x402_err err, int64_t payment)
{
    struct errand *e = arg;
    struct chain *chain = e->remote->chain;

    chain->ledger_waits--;
    if (err == X402_OK) {
        log_event(LOG_INFO, "paid", NULL);
        metrics_add(METRIC_MINED, 1);
        metrics_add(METRIC_FINAL, 1);
        watch_mined(chain->watches, payment);
    } else if (err == X402_ERR_TRANSACTION) {
        log_event(LOG_ERROR, "claim_not_believed", "network",
                  chain->config->network->caip2, NULL);
    }
    errand_end(e, err == X402_OK ? X402_OK : X402_ERR_PENDING);
}

static void
take_word(struct errand *e)
{
    struct chain *chain = e->remote->chain;

    chain->ledger_waits++;
    ledger_paid_word(chain->ledger, e->row.id, e->transaction, core_now_ms(),
                     on_paid_word, e);
}

static void
settled(struct errand *e)
{
    if (!chain_has_node(e->remote->chain) || mutant("claim_believed")) {
        take_word(e);
        return;
    }
    inquire_claim(e->remote->chain, &e->row, e->transaction);
    free(e);
}

/* -- refused, or nothing is known -- */

static void
on_failed(void *arg, enum x402_err err, int64_t payment)
{
    struct errand *e = arg;
    struct chain *chain = e->remote->chain;

    chain->ledger_waits--;
    if (err == X402_OK) {
        metrics_add(METRIC_FAILED, 1);
        watch_refused(chain->watches, payment, e->reason);
    }
    errand_end(e, X402_OK);
}

static void
fail(struct errand *e)
{
    struct chain *chain = e->remote->chain;

    log_event(LOG_WARN, "payment_failed", "reason",
              x402_err_info(e->reason)->name, NULL);
    chain->ledger_waits++;
    ledger_failed(chain->ledger, e->row.id, e->reason, core_now_ms(), on_failed,
                  e);
}

/* "Used already" may well be our own settlement whose answer was lost, and
 * "pending" is no refusal. */
static bool
is_refusal(enum x402_err reason)
{
    switch (x402_err_info(reason)->fault) {
    case X402_FAULT_PEER:
        return reason != X402_ERR_NONCE_USED && reason != X402_ERR_REPLAYED &&
               reason != X402_ERR_TRANSACTION;
    case X402_FAULT_NONE:
    case X402_FAULT_AGAIN:
    case X402_FAULT_SELF:
        break;
    }
    return false;
}

static void
not_settled(struct errand *e, bool refused)
{
    if (mutant("lost_is_refused")) {
        e->reason = X402_ERR_TRANSACTION;
        fail(e);
    } else if (chain_has_node(e->remote->chain)) {
        errand_inquire(e, is_over(&e->row, 0) ? inquire : inquire_use);
    } else if (refused && (is_over(&e->row, REMOTE_FINAL_MS) ||
                           mutant("refusal_believed"))) {
        fail(e);
    } else {
        errand_end(e, X402_ERR_PENDING);
    }
}

/* -- asking -- */

static void
on_settled(void *arg, const struct facilitator_answer *answer)
{
    struct errand *e = arg;

    failpoint("after_remote_settle");
    if (e->remote->chain->closing) {
        errand_end(e, X402_ERR_PENDING);
        return;
    }
    if (answer->has_transaction)
        memcpy(e->transaction, answer->transaction, sizeof e->transaction);
    switch (answer->word) {
    case FACILITATOR_YES:
        settled(e);
        return;
    case FACILITATOR_NO:
        log_event(LOG_WARN, "facilitator_refused", "reason",
                  x402_err_info(answer->reason)->name, NULL);
        e->reason = answer->reason;
        not_settled(e, is_refusal(answer->reason));
        return;
    case FACILITATOR_UNKNOWN:
        e->reason = X402_ERR_PENDING;
        not_settled(e, false);
        return;
    }
}

static void
ask(struct errand *e)
{
    struct chain *chain = e->remote->chain;
    char resource[X402_URL_MAX] = "";
    struct x402_facilitator_ask what = {
        .asset = x402_asset_by_address(chain_id(chain), &e->row.asset),
        .auth = &e->row.auth,
        .signature = e->row.signature,
        .signature_len = e->row.signature_len,
        .method = e->row.method,
        .facilitator = e->row.facilitator,
        .charge =
            e->row.method == X402_METHOD_PERMIT2_UPTO ? &e->row.charge : NULL,
    };

    if (what.asset == NULL || chain->closing) {
        errand_end(e, X402_ERR_PENDING);
        return;
    }
    (void)ledger_resource(chain->ledger, e->row.id, resource);
    what.resource = x402_span_of(resource);
    failpoint("before_remote_settle");
    facilitator_settle(e->remote->facilitator, &what, on_settled, e);
}

static void
on_handed_over(void *arg, enum x402_err err, int64_t payment)
{
    struct errand *e = arg;

    (void)payment;
    e->remote->chain->ledger_waits--;
    failpoint("after_hand_over");
    if (err != X402_OK) { /* released meanwhile */
        errand_end(e, X402_OK);
        return;
    }
    e->row.state = PAY_SUBMITTED;
    ask(e);
}

/* -- what is due -- */

static struct errand *
errand_new(struct remote *remote, const struct pay_row *row)
{
    struct errand *e = chain_alloc(sizeof *e);

    e->remote = remote;
    e->row = *row;
    idset_add(&remote->chain->settler->hand, row->id);
    return e;
}

static bool
may_go(const struct remote *remote, const struct pay_row *row)
{
    const struct settler *settler = remote->chain->settler;

    return !idset_has(&settler->hand, row->id) &&
           !later_waits(settler->later, row->id, core_now_ms());
}

static bool
can_ask(const struct remote *remote)
{
    return facilitator_ready(remote->facilitator) &&
           facilitator_has_room(remote->facilitator);
}

static void
take_due(struct remote *remote, const struct pay_row *row)
{
    struct chain *chain = remote->chain;
    struct errand *e;

    if (!may_go(remote, row))
        return;
    if (row->signature_len == 0) { /* found on the chain, which took it back */
        if (chain_has_node(chain) && inquire_adopted(chain, row))
            idset_add(&chain->settler->hand, row->id);
    } else if (is_over(row, 0) && chain_has_node(chain)) {
        /* it was never handed over: only the payer, or the facilitator that
         * verified it, could have used it */
        e = errand_new(remote, row);
        e->reason = X402_ERR_EXPIRED;
        errand_inquire(e, inquire);
    } else if (can_ask(remote)) {
        e = errand_new(remote, row);
        failpoint("before_hand_over");
        chain->ledger_waits++;
        ledger_hand_over(chain->ledger, row->id, core_now_ms(), on_handed_over,
                         e);
    }
}

static void
take_unknown(struct remote *remote, const struct pay_row *row)
{
    struct errand *e;

    if (row->batch_id != 0 || !may_go(remote, row) ||
        is_over(row, REMOTE_ASK_MS))
        return;
    if (is_over(row, 0) && chain_has_node(remote->chain)) {
        e = errand_new(remote, row);
        e->reason = X402_ERR_EXPIRED;
        errand_inquire(e, inquire);
    } else if (can_ask(remote)) {
        ask(errand_new(remote, row));
    }
}

/* -- one look -- */

static void
listed(struct remote *remote, size_t len)
{
    struct chain *chain = remote->chain;

    chain->ledger_waits--;
    remote->lists--;
    if (chain->closing)
        return;
    if (remote->lists == 0 && remote->look_again) {
        remote->look_again = false;
        settle_look(chain->settler);
    } else if (len > 0) {
        settle_look_in(chain->settler, IDLE_MS); /* until nothing is open */
    }
}

static void
on_due(void *arg, const struct pay_row *rows, size_t len)
{
    struct remote *remote = arg;

    for (size_t i = 0; i < len && !remote->chain->closing; i++)
        take_due(remote, &rows[i]);
    listed(remote, len);
}

static void
on_submitted(void *arg, const struct pay_row *rows, size_t len)
{
    struct remote *remote = arg;

    for (size_t i = 0; i < len && !remote->chain->closing; i++)
        take_unknown(remote, &rows[i]);
    listed(remote, len);
}

void
remote_look(struct remote *remote)
{
    struct chain *chain = remote->chain;
    struct settler *settler = chain->settler;
    size_t limit = LIST_LEAST + settler->hand.len + later_len(settler->later);

    if (remote->lists > 0) {
        remote->look_again = true;
        return;
    }
    if (limit > LIST_MOST)
        limit = LIST_MOST;
    remote->lists = 2;
    chain->ledger_waits += 2;
    ledger_due(chain->ledger, chain_id(chain), limit, NULL, 0, on_due, remote);
    ledger_in_state(chain->ledger, chain_id(chain), PAY_SUBMITTED, limit,
                    on_submitted, remote);
}
