/* SPDX-License-Identifier: Apache-2.0 */
/* See catchup.h.  The ledger has a mark for each network: up to that block its
 * payments and the chain agree.  At a start the transfers to our payees since
 * then are read, window by window; each that used an authorization must have
 * its payment, and gets one where it has none.  The mark follows each window,
 * so that a restart goes on where it was, and later the head. */
#include "catchup.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../failpoint.h"
#include "../log.h"
#include "../metrics.h"
#include "follow.h"
#include "income.h"

#define TICK_MS 50
#define AGAIN_MS 1000
#define MARK_EVERY_MS 30000
#define MARGIN 64 /* blocks before the mark that a reorg may have changed */
/* A ledger without a mark: about a day of two-second blocks. */
#define BLOCKS_BACK 43200
/* A clock is believed that is at most so far from the newest block, when the
 * ledger has payments from its future. */
#define CLOCK_MS 300000
#define CLOCK_LEAD_MS 60000

struct catchup {
    struct chain *chain;
    uv_timer_t timer;
    struct x402_address *payee;
    size_t payee_len;
    bool started, reading;
    bool clock_told;
    uint64_t at, window, last; /* reading at..last */
    uint64_t again_ms, mark_ms, marked;
    uint64_t adopted;
    unsigned waits; /* adoptions without an answer */
    bool adopt_failed;
    void (*closed)(void *arg);
    void *closed_arg;
};

static void next_window(struct catchup *c);

/* -- the mark -- */

static void
on_marked(void *arg, enum x402_err err, int64_t payment)
{
    struct catchup *c = arg;

    (void)err;
    (void)payment;
    c->chain->ledger_waits--;
}

static void
set_mark(struct catchup *c, uint64_t block)
{
    if (block <= c->marked)
        return;
    c->marked = block;
    c->mark_ms = core_now_ms();
    c->chain->ledger_waits++;
    ledger_set_mark(c->chain->ledger, chain_id(c->chain), block, on_marked, c);
}

/* -- a window -- */

static void
end_window(struct catchup *c)
{
    c->reading = false;
    if (c->adopt_failed) {
        c->again_ms = core_now_ms() + AGAIN_MS;
        return;
    }
    set_mark(c, c->last);
    c->at = c->last + 1;
    next_window(c);
}

struct adoption {
    struct catchup *catchup;
    struct receipt receipt; /* its block, for the follower */
};

static void
on_adopted(void *arg, enum x402_err err, int64_t payment)
{
    struct adoption *adoption = arg;
    struct catchup *c = adoption->catchup;

    (void)payment;
    c->chain->ledger_waits--;
    c->waits--;
    if (err == X402_OK) {
        c->adopted++;
        if (!c->chain->closing)
            follow_paid_by(c->chain->follower, &adoption->receipt);
    } else if (err == X402_ERR_RESOURCE) {
        log_event(LOG_ERROR, "transfer_contradicts_ledger", "network",
                  c->chain->config->network->caip2, "note",
                  "x402d ledger reconcile", NULL);
    } else if (err != X402_ERR_BUSY) {
        c->adopt_failed = true;
    }
    free(adoption);
    if (c->waits == 0 && !c->chain->closing)
        end_window(c);
}

/* When it would have ended is not in the logs.  Never: an authorization that
 * was used must not be taken for one that expired.  Permit2's is in the call.
 */
static struct x402_authorization
signed_by(const struct income *income)
{
    struct x402_authorization auth = {
        .from = income->payer,
        .to = income->payee,
        .value = income->value,
        .valid_before_s = INT64_MAX,
    };

    if (income->method != X402_METHOD_EIP3009) {
        auth.value = income->auth.value; /* upto: more than was taken */
        auth.valid_after_s = income->auth.valid_after_s;
        if (income->auth.valid_before_s < INT64_MAX)
            auth.valid_before_s = income->auth.valid_before_s;
    }
    memcpy(auth.nonce, income->nonce, sizeof auth.nonce);
    return auth;
}

static void
adopt(struct catchup *c, const struct income *income)
{
    struct adoption *adoption = chain_alloc(sizeof *adoption);
    struct ledger_adopt in = {
        .chain_id = chain_id(c->chain),
        .method = income->method,
        .asset = income->token,
        .facilitator = income->facilitator,
        .auth = signed_by(income),
        .charge = income->value,
        .block = {.number = income->block_number},
        .resource = "",
        .now_ms = core_now_ms(),
    };

    memcpy(in.block.tx_hash, income->tx_hash, 32);
    memcpy(in.block.hash, income->block_hash, 32);
    adoption->catchup = c;
    adoption->receipt.block_number = income->block_number;
    memcpy(adoption->receipt.tx_hash, income->tx_hash, 32);
    memcpy(adoption->receipt.block_hash, income->block_hash, 32);
    c->waits++;
    c->chain->ledger_waits++;
    ledger_adopt(c->chain->ledger, &in, on_adopted, adoption);
}

/** Is there nothing to adopt: does the ledger count on this transfer? */
static bool
is_known(const struct catchup *c, const struct income *income)
{
    struct pay_key key = income_key(chain_id(c->chain), income);
    struct pay_row row;

    return ledger_find(c->chain->ledger, &key, &row) &&
           (row.state == PAY_MINED || row.state == PAY_FINAL);
}

static void
on_income(void *arg, enum income_status status, const struct income *items,
          size_t len)
{
    struct catchup *c = arg;

    if (c->chain->closing)
        return;
    c->window = income_window(c->last - c->at + 1, status);
    c->adopt_failed = false;
    if (status != INCOME_READ) {
        c->reading = false;
        c->again_ms =
            core_now_ms() +
            (status == INCOME_REFUSED && c->window > 1 ? 0 : AGAIN_MS);
        return;
    }
    for (size_t i = 0; i < len; i++) {
        if (items[i].authorized && !is_known(c, &items[i]))
            adopt(c, &items[i]);
    }
    if (c->waits == 0)
        end_window(c);
}

/* -- the end -- */

/** Payments from the future: the clock was set back, or was wrong when they
 * were written.  It is believed again when the chain agrees with it. */
static bool
clock_is_good(struct catchup *c)
{
    uint64_t now_ms = core_now_ms();
    uint64_t head_ms = c->chain->health.head_time_s * 1000;

    if (ledger_newest_ms(c->chain->ledger) <= now_ms + CLOCK_LEAD_MS ||
        (head_ms < now_ms + CLOCK_MS && now_ms < head_ms + CLOCK_MS))
        return true;
    if (!c->clock_told)
        log_event(LOG_ERROR, "clock_behind_ledger", "note",
                  "the ledger has payments from the future; nothing is given "
                  "on credit until the clock agrees with the chain",
                  NULL);
    c->clock_told = true;
    return false;
}

static void
finish(struct catchup *c)
{
    char adopted[24];

    if (!clock_is_good(c)) {
        c->again_ms = core_now_ms() + AGAIN_MS;
        return;
    }
    c->chain->health.behind = false;
    snprintf(adopted, sizeof adopted, "%" PRIu64, c->adopted);
    log_event(LOG_INFO, "caught_up", "network",
              c->chain->config->network->caip2, "adopted", adopted, NULL);
}

static void
next_window(struct catchup *c)
{
    uint64_t head = c->chain->health.head_number;
    struct income_ask ask = {
        .rpc = c->chain->rpc,
        .chain_id = chain_id(c->chain),
        .payees = c->payee,
        .payees_len = c->payee_len,
    };

    if (c->at > head || c->payee_len == 0) {
        finish(c);
        return;
    }
    c->last = head - c->at < c->window ? head : c->at + c->window - 1;
    c->reading = true;
    ask.from = c->at;
    ask.to = c->last;
    income_read(&ask, on_income, c);
}

/* -- the clock -- */

static void
begin(struct catchup *c)
{
    uint64_t head = c->chain->health.head_number;
    uint64_t mark = 0;

    c->started = true;
    c->window = INCOME_WINDOW;
    c->at = head + 1;
    if (!ledger_mark(c->chain->ledger, chain_id(c->chain), &mark))
        return; /* a new ledger has forgotten nothing */
    if (mark == 0 && head > BLOCKS_BACK)
        mark = head - BLOCKS_BACK;
    if (mark <= head)
        c->at = mark > MARGIN ? mark - MARGIN : 0;
    else
        c->at = head > MARGIN ? head - MARGIN : 0; /* another chain's reset */
}

static void
on_tick(uv_timer_t *timer)
{
    struct catchup *c = timer->data;
    struct chain *chain = c->chain;
    uint64_t now_ms = core_now_ms();

    if (chain->closing || !chain->ready || !chain->health.reachable ||
        c->reading || now_ms < c->again_ms || !follow_ready(chain->follower))
        return;
    if (!c->started)
        begin(c);
    if (chain->health.behind)
        next_window(c);
    else if (now_ms - c->mark_ms > MARK_EVERY_MS)
        set_mark(c, chain->health.head_number);
    if (!chain->health.behind)
        uv_timer_set_repeat(&c->timer, AGAIN_MS);
}

/* -- open, close -- */

void
catchup_payees(struct catchup *c, const struct x402_address *payees, size_t len)
{
    free(c->payee);
    c->payee = chain_alloc((len + 1) * sizeof *c->payee);
    if (len > 0)
        memcpy(c->payee, payees, len * sizeof *c->payee);
    c->payee_len = len;
}

struct catchup *
catchup_new(struct chain *chain)
{
    struct catchup *c = chain_alloc(sizeof *c);

    c->chain = chain;
    chain->health.behind = !mutant("scan_off");
    uv_timer_init(core_loop(chain->core), &c->timer);
    c->timer.data = c;
    uv_timer_start(&c->timer, on_tick, TICK_MS, TICK_MS);
    return c;
}

static void
on_closed(uv_handle_t *handle)
{
    struct catchup *c = handle->data;

    c->closed(c->closed_arg);
}

void
catchup_close(struct catchup *c, void (*closed)(void *arg), void *arg)
{
    c->closed = closed;
    c->closed_arg = arg;
    uv_close((uv_handle_t *)&c->timer, on_closed);
}

void
catchup_free(struct catchup *c)
{
    free(c->payee);
    free(c);
}
