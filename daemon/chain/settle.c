/* SPDX-License-Identifier: Apache-2.0 */
/* See settle.h. */
#include "settle.h"

#include <stdlib.h>
#include <string.h>

#include "../failpoint.h"
#include "../log.h"
#include "follow.h"
#include "inquire.h"
#include "job.h"
#include "plan.h"
#include "remote.h"

#define LIST_LIMIT 4096 /* the ledger's own bound */
#define IDLE_MS                                                                \
    pace_ms(1000)      /* between looks while something cannot go yet          \
                        */
#define WALLET_TRIES 2 /* transactions that a contract may make fail */

static void look(struct settler *settler);

/* -- when to look -- */

static void
on_timer(uv_timer_t *timer)
{
    struct settler *settler = timer->data;

    settler->look_at_ms = 0;
    look(settler);
}

void
settle_look_in(struct settler *settler, uint64_t wait_ms)
{
    uv_loop_t *loop = core_loop(settler->chain->core);
    uint64_t at_ms;

    if (settler->chain->closing)
        return;
    uv_update_time(loop);
    at_ms = uv_now(loop) + wait_ms;
    if (settler->look_at_ms != 0 && settler->look_at_ms <= at_ms)
        return;
    settler->look_at_ms = at_ms;
    uv_timer_start(&settler->timer, on_timer, wait_ms, 0);
}

void
settle_look(struct settler *settler)
{
    settle_look_in(settler, 0);
}

static size_t
batch_max(const struct settler *settler)
{
    size_t most = settler->chain->config->batch_max;

    return most < LOOK_MAX ? most : LOOK_MAX;
}

void
chain_kick(struct chain *chain, bool urgent)
{
    struct settler *settler = chain->settler;
    uint64_t wait_ms = chain->config->batch_wait_ms;

    settler->kicks++;
    if (urgent && wait_ms > SETTLE_URGENT_MS)
        wait_ms = SETTLE_URGENT_MS;
    if (settler->kicks >= batch_max(settler) || chain->remote != NULL)
        wait_ms = 0;
    settle_look_in(settler, wait_ms);
}

/* -- what may go -- */

void
settle_let_go(struct settler *settler, int64_t payment)
{
    idset_remove(&settler->hand, payment);
}

void
settle_put_back(struct settler *settler, int64_t payment, enum x402_err later)
{
    settle_let_go(settler, payment);
    if (later == X402_OK)
        later_forget(settler->later, payment);
    else
        later_put(settler->later, payment, later, core_now_ms());
    settle_look_in(settler, IDLE_MS);
}

void
settle_paid(struct settler *settler, int64_t payment)
{
    later_forget(settler->later, payment);
}

void
settle_not_paid(struct settler *settler, int64_t payment, bool wallet)
{
    later_put(settler->later, payment, X402_ERR_TRANSACTION, core_now_ms());
    if (wallet && later_tries(settler->later, payment) >= WALLET_TRIES)
        later_never(settler->later, payment);
}

/* It ended before it went: find out whether somebody used it. */
static void
expired(struct settler *settler, const struct pay_row *row)
{
    enum x402_err reason = later_reason(settler->later, row->id);

    /* only what speaks of the payer explains it */
    if (reason != X402_ERR_FUNDS && reason != X402_ERR_SIGNATURE &&
        reason != X402_ERR_SIMULATION)
        reason = X402_ERR_EXPIRED;
    if (inquire(settler->chain, row, reason))
        idset_add(&settler->hand, row->id);
}

/* A payment that was found on the chain, and that a reorg took back: there is
 * nothing that we could send. */
static void
look_for_adopted(struct settler *settler, const struct pay_row *row)
{
    if (inquire_adopted(settler->chain, row))
        idset_add(&settler->hand, row->id);
}

static bool
breaker_allows(struct chain *chain, const struct pay_row *row, uint64_t now_ms)
{
    struct breaker *breaker = chain_breaker(chain, &row->asset, row->alone);

    return breaker == NULL || mutant("breaker_off") ||
           breaker_lets(breaker, now_ms);
}

/* In the hand, or put off: a look leaves the former out, and asks for as many
 * rows more as the latter are. */
static bool
is_busy(const struct settler *settler, const struct pay_row *row,
        uint64_t now_ms)
{
    return idset_has(&settler->hand, row->id) ||
           later_waits(settler->later, row->id, now_ms);
}

static bool
may_go(struct settler *settler, const struct pay_row *row, uint64_t now_ms)
{
    if (row->auth.valid_before_s <= now_ms / 1000) {
        expired(settler, row);
        return false;
    }
    return row->auth.valid_after_s < now_ms / 1000 &&
           breaker_allows(settler->chain, row, now_ms);
}

/* -- rows -- */

struct look_payment
look_of_row(const struct pay_row *row)
{
    return (struct look_payment){
        .asset = &row->asset,
        .auth = &row->auth,
        .signature = row->signature,
        .signature_len = row->signature_len,
        .method = row->method,
        .facilitator = &row->facilitator,
        .charge = &row->charge,
        .sponsor = look_sponsor(&row->sponsor),
    };
}

struct chain_ask
settle_ask(const struct pay_row *row)
{
    struct chain_ask ask = {.asset = row->asset,
                            .auth = row->auth,
                            .signature_len = row->signature_len,
                            .method = row->method,
                            .facilitator = row->facilitator,
                            .charge = row->charge,
                            .sponsor = row->sponsor};

    memcpy(ask.signature, row->signature, row->signature_len);
    return ask;
}

/* -- one look -- */

static struct plan_item
item_of(const struct settler *settler, const struct pay_row *row,
        uint64_t now_ms)
{
    bool code =
        code_find(&settler->chain->code, &row->auth.from, now_ms) == CODE_SOME;

    /* What proves a Permit2 payment names no nonce: one of a payer in a
     * transaction, see receipt.c.  The upto proxy looks at its caller. */
    return (struct plan_item){
        .payment = look_of_row(row),
        .alone = row->alone || code ||
                 row->method == X402_METHOD_PERMIT2_UPTO ||
                 row->sponsor.kind == X402_SPONSOR_APPROVAL,
        .apart = row->method != X402_METHOD_EIP3009,
    };
}

/* Take the chosen ones out of items and rows, which stay in step. */
static void
start_group(struct settler *settler, struct signer *signer,
            struct plan_item *items, const struct pay_row **rows, size_t *n)
{
    size_t which[LOOK_MAX];
    const struct pay_row *chosen[LOOK_MAX];
    size_t len = plan_group(which, batch_max(settler), items, *n);
    size_t next = 0, kept = 0;

    for (size_t i = 0; i < *n; i++) {
        if (next < len && which[next] == i) {
            idset_add(&settler->hand, rows[i]->id);
            chosen[next++] = rows[i];
        } else {
            items[kept] = items[i];
            rows[kept++] = rows[i];
        }
    }
    *n = kept;
    job_start(settler, signer, chosen, len);
}

/* "if (msg.sender != witness.facilitator) revert UnauthorizedFacilitator()":
 * by itself, from the account that the payer named; or at a later look. */
static bool
start_upto(struct settler *settler, const struct pay_row *row)
{
    struct signer *signer = NULL;

    if (core_now_ms() >= settler->rest_until_ms)
        signer = signers_ready(settler->chain->signers, &row->facilitator);
    if (signer == NULL)
        return false;
    idset_add(&settler->hand, row->id);
    job_start(settler, signer, &row, 1);
    return true;
}

static bool
start_next(struct settler *settler, struct plan_item *items,
           const struct pay_row **rows, size_t *n)
{
    struct signer *signer = NULL;

    if (*n > 0 && core_now_ms() >= settler->rest_until_ms)
        signer = signers_choose(settler->chain->signers);
    if (signer == NULL)
        return false;
    start_group(settler, signer, items, rows, n);
    return true;
}

/* A group carries many, so one of them goes before those that go one by one:
 * the latter would take all places of the signers, again and again. */
static void
start_groups(struct settler *settler, const struct pay_row *rows, size_t len)
{
    struct plan_item *items = chain_alloc((len + 1) * sizeof *items);
    const struct pay_row **mine = chain_alloc((len + 1) * sizeof *mine);
    const struct pay_row **upto = chain_alloc((len + 1) * sizeof *upto);
    uint64_t now_ms = core_now_ms();
    size_t n = 0, upto_len = 0;

    settler->blocked = 0;
    for (size_t i = 0; i < len; i++) {
        if (is_busy(settler, &rows[i], now_ms))
            continue;
        if (rows[i].signature_len == 0) {
            look_for_adopted(settler, &rows[i]);
            settler->blocked++;
        } else if (!may_go(settler, &rows[i], now_ms)) {
            settler->blocked++;
            if (mutant("first_blocks_all"))
                break;
        } else if (rows[i].method == X402_METHOD_PERMIT2_UPTO) {
            upto[upto_len++] = &rows[i];
        } else {
            items[n] = item_of(settler, &rows[i], now_ms);
            mine[n++] = &rows[i];
        }
    }
    (void)start_next(settler, items, mine, &n);
    for (size_t i = 0; i < upto_len; i++)
        settler->blocked += !start_upto(settler, upto[i]);
    while (start_next(settler, items, mine, &n))
        continue;
    free(upto);
    free(items);
    free(mine);
}

static void
on_due(void *arg, const struct pay_row *rows, size_t len)
{
    struct settler *settler = arg;

    settler->chain->ledger_waits--;
    settler->looking = false;
    if (settler->chain->closing)
        return;
    start_groups(settler, rows, len);
    if (settler->look_again)
        settle_look(settler);
    else if (len > 0 || settler->hand.len > 0)
        settle_look_in(settler, IDLE_MS); /* until nothing is due */
    settler->look_again = false;
}

static void
ask_for_due(struct settler *settler, size_t limit)
{
    struct chain *chain = settler->chain;
    size_t len = settler->hand.len;
    int64_t *hand = chain_alloc((len + 1) * sizeof *hand);

    settler->looking = true;
    settler->kicks = 0;
    chain->ledger_waits++;
    idset_list(&settler->hand, hand);
    ledger_due(chain->ledger, chain_id(chain), limit, hand, len, on_due,
               settler);
    free(hand);
}

static void
look(struct settler *settler)
{
    struct chain *chain = settler->chain;
    size_t limit = (SIGNER_FLIGHTS_MAX * signers_len(chain->signers) + 1) *
                       batch_max(settler) +
                   later_len(settler->later) + 2 * settler->blocked;

    if (chain->remote != NULL && !chain->closing) {
        settler->kicks = 0;
        remote_look(chain->remote);
        return;
    }
    if (chain->closing || chain->follower == NULL ||
        signers_len(chain->signers) == 0)
        return;
    if (!chain->ready || !chain->health.reachable ||
        !follow_ready(chain->follower)) {
        settle_look_in(settler, IDLE_MS);
        return;
    }
    if (settler->looking) {
        settler->look_again = true;
        return;
    }
    ask_for_due(settler, limit < LIST_LIMIT ? limit : LIST_LIMIT);
}

/* -- open, close -- */

struct settler *
settle_new(struct chain *chain)
{
    struct settler *settler = chain_alloc(sizeof *settler);

    settler->chain = chain;
    settler->later = later_new();
    uv_timer_init(core_loop(chain->core), &settler->timer);
    settler->timer.data = settler;
    return settler;
}

static void
on_closed(uv_handle_t *handle)
{
    struct settler *settler = handle->data;

    settler->closed(settler->closed_arg);
}

void
settle_close(struct settler *settler, void (*closed)(void *arg), void *arg)
{
    settler->closed = closed;
    settler->closed_arg = arg;
    uv_close((uv_handle_t *)&settler->timer, on_closed);
}

void
settle_free(struct settler *settler)
{
    job_drop_ready(settler);
    idset_free(&settler->hand);
    later_free(settler->later);
    free(settler);
}
