/* SPDX-License-Identifier: Apache-2.0 */
/* See follow.h.  One HTTP request a poll asks everything that is open; then
 * each flight takes one step. */
#include "follow.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <x402/encode.h>

#include "../failpoint.h"
#include "../log.h"
#include "../metrics.h"
#include "params.h"
#include "quantity.h"
#include "settle.h"
#include "upkeep.h"
#include "watch.h"

#define FIRST_DELAY_MS 50 /* after a broadcast */
#define UNKNOWN_AGAIN_MS 30000
#define CHECK_MAX_MS 30000 /* between looks at a mined block */
/* where a node knows no "finalized": this deep (Bitcoin-like caution) */
#define FINAL_DEPTH 256

enum ask_kind {
    ASK_HEAD,
    ASK_FINAL,
    ASK_MINED_COUNT,
    ASK_FINAL_COUNT,
    ASK_RECEIPT,
    ASK_BLOCK
};

/* What one poll asked, and what it saw. */
struct poll {
    struct follower *follower;
    struct {
        enum ask_kind kind;
        struct flight *flight;
        size_t tx;
        struct signer *signer;
    } ask[RPC_CALLS_MAX];
    struct rpc_call call[RPC_CALLS_MAX];
    size_t len;
    bool head_known;
    struct {
        bool mined_known, final_known;
        uint64_t mined, final;
    } count[CONFIG_SIGNERS_MAX];
};

static void on_timer(uv_timer_t *timer);

/* -- flights -- */

struct flight *
follow_find(struct follower *follower, int64_t batch_id)
{
    for (struct flight *f = follower->flights; f != NULL; f = f->next) {
        if (f->batch_id == batch_id && !f->dead)
            return f;
    }
    return NULL;
}

void
follow_hurry(struct follower *follower)
{
    follower->delay_ms = FIRST_DELAY_MS;
    if (!follower->polling && !follower->chain->closing)
        uv_timer_start(&follower->timer, on_timer, FIRST_DELAY_MS, 0);
}

/* While a poll has no answer its flights are only marked. */
static void
sweep(struct follower *follower)
{
    struct flight **at = &follower->flights;

    while (*at != NULL) {
        struct flight *f = *at;

        if (f->dead && !f->busy && !f->sending) {
            *at = f->next;
            flight_free(f);
        } else {
            at = &f->next;
        }
    }
}

static void
bury(struct flight *flight)
{
    flight_hold_slot(flight, false);
    flight->dead = true;
}

static void
log_flight(enum log_level level, const char *event, const struct flight *flight)
{
    const struct flight_tx *tx = flight_newest(flight);
    char hash[67], count[24];

    x402_hex_encode(hash, tx == NULL ? flight->mined_tx : tx->hash, 32);
    snprintf(count, sizeof count, "%zu", flight->payments_len);
    log_event(level, event, "tx", hash, "payments", count, NULL);
}

/* -- broadcast -- */

static bool
says(const struct rpc_answer *answer, const char *words)
{
    return strcasestr(answer->message, words) != NULL;
}

/* The node has this transaction, or another one of ours with its nonce. */
static bool
is_taken_up(const struct flight *flight, const struct rpc_answer *answer)
{
    uint8_t hash[32];

    switch (answer->status) {
    case RPC_RESULT:
        return quantity_bytes(hash, 32, answer->result) &&
               memcmp(hash, flight_newest(flight)->hash, 32) == 0;
    case RPC_ERROR:
        return says(answer, "already known") ||
               says(answer, "already imported") ||
               says(answer, "known transaction") ||
               says(answer, "alreadyknown") || says(answer, "already_exists") ||
               says(answer, "underpriced");
    case RPC_UNKNOWN:
        return false;
    }
    return false;
}

static void
on_sent(void *arg, const struct rpc_answer *answers, size_t len)
{
    struct flight *flight = arg;

    (void)len;
    flight->sending = false;
    failpoint("broadcast_answered");
    if (is_taken_up(flight, &answers[0])) {
        step_accepted(&flight->step);
        return;
    }
    if (answers[0].status != RPC_ERROR)
        return;
    /* too low: mined already, or taken by another; the receipts will say */
    if (says(&answers[0], "nonce too low"))
        return;
    log_event(LOG_WARN, "broadcast_refused", "message", answers[0].message,
              NULL);
}

void
follow_broadcast(struct follower *follower, struct flight *flight)
{
    const struct flight_tx *tx = flight_newest(flight);
    struct rpc_call call;

    if (tx == NULL || flight->sending)
        return;
    if (flight->step.sent_ms == 0)
        metrics_add(METRIC_TRANSACTIONS, 1);
    failpoint("before_broadcast");
    call = params_send(tx->raw, tx->raw_len);
    flight->sending = true;
    step_sent(&flight->step, core_now_ms());
    rpc_ask(follower->chain->rpc, &call, 1, on_sent, flight);
    follow_hurry(follower);
}

/* -- what the ledger is told -- */

struct telling {
    struct follower *follower;
    struct flight *flight;
    struct ledger_outcome *outcomes;
    size_t len;
};

static struct telling *
tell(struct follower *follower, struct flight *flight)
{
    struct telling *telling = chain_alloc(sizeof *telling);

    flight->busy = true;
    follower->chain->ledger_waits++;
    *telling = (struct telling){.follower = follower, .flight = flight};
    return telling;
}

static void
told(struct telling *telling)
{
    telling->flight->busy = false;
    telling->follower->chain->ledger_waits--;
    free(telling->outcomes);
    free(telling);
}

static void
on_mined(void *arg, enum x402_err err, int64_t batch)
{
    struct telling *telling = arg;
    struct chain *chain = telling->follower->chain;
    bool some_not = false;

    (void)batch;
    if (err != X402_OK) { /* the ledger does not know it so: read again */
        log_event(LOG_ERROR, "mined_but_unknown", NULL);
        bury(telling->flight);
        telling->follower->resume_ms = core_now_ms() + UNKNOWN_AGAIN_MS;
        told(telling);
        return;
    }
    for (size_t i = 0; i < telling->len; i++) {
        if (telling->outcomes[i].paid) {
            metrics_add(METRIC_MINED, 1);
            watch_mined(chain->watches, telling->outcomes[i].payment);
        } else {
            some_not = true;
            settle_not_paid(chain->settler, telling->outcomes[i].payment);
        }
    }
    told(telling);
    if (some_not)
        upkeep_hurry(chain->upkeep);
    settle_look(chain->settler);
}

static void
to_mined(struct follower *follower, struct flight *flight,
         const struct receipt *receipt)
{
    struct telling *telling = tell(follower, flight);
    uint64_t now_ms = core_now_ms();

    telling->outcomes = flight_outcomes(flight, receipt);
    telling->len = flight->payments_len;
    memcpy(flight->mined_tx, receipt->tx_hash, 32);
    memcpy(flight->block_hash, receipt->block_hash, 32);
    flight->mined_ms = now_ms;
    flight->check_ms = now_ms + follower->chain->config->poll_ms;
    step_mined(&flight->step, receipt->block_number);
    flight_hold_slot(flight, false);
    log_flight(receipt->success ? LOG_INFO : LOG_WARN,
               receipt->success ? "mined" : "mined_reverted", flight);
    failpoint("before_mined");
    ledger_mined(follower->chain->ledger, flight->batch_id, receipt->tx_hash,
                 receipt->block_number, receipt->block_hash, telling->outcomes,
                 telling->len, now_ms, on_mined, telling);
}

static void
on_final(void *arg, enum x402_err err, int64_t payment)
{
    struct telling *telling = arg;

    (void)err;
    (void)payment;
    metrics_add(METRIC_FINAL, telling->flight->payments_len);
    bury(telling->flight);
    told(telling);
}

static void
on_requeued(void *arg, enum x402_err err, int64_t payment)
{
    struct telling *telling = arg;
    struct chain *chain = telling->follower->chain;

    (void)err;
    (void)payment;
    bury(telling->flight);
    told(telling);
    upkeep_hurry(chain->upkeep);
    settle_look(chain->settler);
}

/* Ours: the same transaction is sent again.  Somebody else's: its payments are
 * CAPTURED again, or SUBMITTED in a batch that is open again. */
static void
on_unmined(void *arg, enum x402_err err, int64_t payment)
{
    struct telling *telling = arg;
    struct follower *follower = telling->follower;
    struct flight *flight = telling->flight;

    (void)err;
    (void)payment;
    metrics_add(METRIC_REORGS, 1);
    if (flight->txs_len == 0) {
        bury(flight);
        follower->resume_ms = core_now_ms();
    } else {
        flight_hold_slot(flight, true);
        step_reopened(&flight->step, core_now_ms(),
                      follower->chain->health.head_number);
    }
    told(telling);
    follow_hurry(follower);
    settle_look(follower->chain->settler);
}

/* -- one step -- */

static void
act(struct follower *follower, struct flight *flight, enum step_action action,
    const struct receipt *receipt)
{
    struct ledger *ledger = follower->chain->ledger;
    uint64_t now_ms = core_now_ms();

    switch (action) {
    case STEP_WAIT:
        return;
    case STEP_BROADCAST:
        follow_broadcast(follower, flight);
        return;
    case STEP_BUMP:
        follow_replace(follower, flight, false);
        return;
    case STEP_CANCEL:
        follow_replace(follower, flight, true);
        return;
    case STEP_TO_MINED:
        to_mined(follower, flight, receipt);
        return;
    case STEP_TO_FINAL:
        log_flight(LOG_INFO, "final", flight);
        ledger_final(ledger, flight->mined_tx, now_ms, on_final,
                     tell(follower, flight));
        return;
    case STEP_TO_OPEN:
        log_flight(LOG_WARN, "reorg", flight);
        ledger_unmined(ledger, flight->mined_tx, now_ms, on_unmined,
                       tell(follower, flight));
        return;
    case STEP_REQUEUE:
        log_flight(LOG_WARN, "account_nonce_taken", flight);
        ledger_requeue(ledger, flight->batch_id, now_ms, on_requeued,
                       tell(follower, flight));
        return;
    }
}

/* -- reading a poll -- */

static size_t
signer_index(const struct poll *poll, const struct signer *signer)
{
    return (size_t)(signer - signers_at(poll->follower->chain->signers, 0));
}

bool
follow_read_final(const struct chain *chain, const struct rpc_answer *answer,
                  uint64_t *number)
{
    uint64_t head = chain->health.head_number;

    if (answer->status == RPC_UNKNOWN)
        return false;
    if (answer->status == RPC_RESULT &&
        quantity_u64(number, json_object_get(answer->result, "number")))
        return true;
    if (head < FINAL_DEPTH)
        return false;
    *number = head - FINAL_DEPTH;
    return true;
}

static void
read_final(struct poll *poll, const struct rpc_answer *answer)
{
    struct follower *follower = poll->follower;

    if (follow_read_final(follower->chain, answer, &follower->final_number))
        follower->final_known = true;
}

static void
read_common(struct poll *poll, const struct rpc_answer *answers)
{
    for (size_t i = 0; i < poll->len; i++) {
        const struct rpc_answer *answer = &answers[i];
        struct signer *signer = poll->ask[i].signer;

        switch (poll->ask[i].kind) {
        case ASK_HEAD:
            poll->head_known =
                answer->status == RPC_RESULT && json_is_object(answer->result);
            if (poll->head_known)
                upkeep_head(poll->follower->chain, answer->result);
            else
                upkeep_lost(poll->follower->chain);
            break;
        case ASK_FINAL:
            read_final(poll, answer);
            break;
        case ASK_MINED_COUNT: {
            size_t k = signer_index(poll, signer);

            poll->count[k].mined_known =
                answer->status == RPC_RESULT &&
                quantity_u64(&poll->count[k].mined, answer->result);
            if (poll->count[k].mined_known && signer->nonce_known)
                signer_counted(signer, poll->count[k].mined, 0);
            break;
        }
        case ASK_FINAL_COUNT: {
            size_t k = signer_index(poll, signer);

            poll->count[k].final_known =
                answer->status == RPC_RESULT &&
                quantity_u64(&poll->count[k].final, answer->result);
            break;
        }
        case ASK_RECEIPT:
        case ASK_BLOCK:
            break;
        }
    }
}

static enum step_block
read_block(const struct flight *flight, const struct rpc_answer *answer)
{
    uint8_t hash[32];

    if (answer->status != RPC_RESULT)
        return STEP_BLOCK_UNKNOWN;
    if (json_is_null(answer->result))
        return STEP_BLOCK_NONE;
    if (!quantity_bytes(hash, 32, json_object_get(answer->result, "hash")))
        return STEP_BLOCK_UNKNOWN;
    return memcmp(hash, flight->block_hash, 32) == 0 ? STEP_BLOCK_SAME
                                                     : STEP_BLOCK_OTHER;
}

/* Receipts of all its transactions, or its block. */
static void
read_own(struct poll *poll, const struct flight *flight,
         const struct rpc_answer *answers, struct step_view *view,
         struct receipt *receipt)
{
    size_t none = 0;

    for (size_t i = 0; i < poll->len; i++) {
        if (poll->ask[i].flight != flight)
            continue;
        if (poll->ask[i].kind == ASK_BLOCK) {
            view->block = read_block(flight, &answers[i]);
            continue;
        }
        if (answers[i].status != RPC_RESULT || view->has_receipt)
            continue;
        switch (receipt_read(receipt, answers[i].result,
                             flight->txs[poll->ask[i].tx].hash)) {
        case RECEIPT_NONE:
            none++;
            break;
        case RECEIPT_READ:
            view->has_receipt = true;
            break;
        case RECEIPT_BAD:
            log_event(LOG_ERROR, "receipt_not_believed", NULL);
            break;
        }
    }
    view->no_receipts = flight->txs_len > 0 && none == flight->txs_len;
}

static void
fill_view(const struct poll *poll, const struct flight *flight,
          struct step_view *view)
{
    const struct follower *follower = poll->follower;
    const struct chain_health *health = &follower->chain->health;

    *view = (struct step_view){
        .now_ms = core_now_ms(),
        .head_known = poll->head_known,
        .head_number = health->head_number,
        .head_time_s = health->head_time_s,
        .final_known = follower->final_known,
        .final_number = follower->final_number,
        .block = STEP_BLOCK_UNKNOWN,
    };
    if (flight->signer != NULL) {
        size_t k = signer_index(poll, flight->signer);

        view->mined_known = poll->count[k].mined_known;
        view->mined = poll->count[k].mined;
        view->final_mined_known = poll->count[k].final_known;
        view->final_mined = poll->count[k].final;
    }
}

static void
step_flight(struct poll *poll, struct flight *flight,
            const struct rpc_answer *answers)
{
    struct step_view view;
    struct receipt receipt = {0};

    if (flight->busy || flight->dead)
        return;
    fill_view(poll, flight, &view);
    read_own(poll, flight, answers, &view, &receipt);
    act(poll->follower, flight, step_next(&flight->step, &view), &receipt);
    receipt_free(&receipt);
}

/* -- the clock -- */

static uint64_t
check_interval(const struct follower *follower, const struct flight *flight,
               uint64_t now_ms)
{
    uint64_t poll_ms = follower->chain->config->poll_ms;
    uint64_t age = now_ms > flight->mined_ms ? now_ms - flight->mined_ms : 0;
    uint64_t wait = age / 4;

    if (wait > CHECK_MAX_MS)
        wait = CHECK_MAX_MS;
    return wait < poll_ms ? poll_ms : wait;
}

static void
schedule(struct follower *follower)
{
    uint64_t now_ms = core_now_ms();
    uint64_t wait = UINT64_MAX;

    if (follower->chain->closing)
        return;
    for (struct flight *f = follower->flights; f != NULL; f = f->next) {
        uint64_t mine = f->check_ms > now_ms ? f->check_ms - now_ms : 1;

        if (f->dead)
            continue;
        if (f->step.state == STEP_OPEN || f->busy)
            mine = follower->delay_ms;
        if (mine < wait)
            wait = mine;
    }
    if (follower->resume_ms != 0 && wait > 1000)
        wait = 1000;
    if (wait != UINT64_MAX)
        uv_timer_start(&follower->timer, on_timer, wait, 0);
    follower->delay_ms += follower->delay_ms / 2;
    if (follower->delay_ms > follower->chain->config->poll_ms)
        follower->delay_ms = follower->chain->config->poll_ms;
}

/* -- asking -- */

static bool
add(struct poll *poll, enum ask_kind kind, struct flight *flight, size_t tx,
    struct signer *signer, struct rpc_call call)
{
    if (poll->len == RPC_CALLS_MAX) {
        free(call.params);
        return false;
    }
    poll->ask[poll->len].kind = kind;
    poll->ask[poll->len].flight = flight;
    poll->ask[poll->len].tx = tx;
    poll->ask[poll->len].signer = signer;
    poll->call[poll->len++] = call;
    return true;
}

static void
add_counts(struct poll *poll)
{
    struct signers *signers = poll->follower->chain->signers;

    for (size_t i = 0; i < signers_len(signers); i++) {
        struct signer *signer = signers_at(signers, i);

        if (signer->flights == 0)
            continue;
        add(poll, ASK_MINED_COUNT, NULL, 0, signer,
            params_nonce(&signer->address, "latest"));
        add(poll, ASK_FINAL_COUNT, NULL, 0, signer,
            params_nonce(&signer->address, "finalized"));
    }
}

static void
add_open(struct poll *poll, struct flight *flight)
{
    if (poll->len + flight->txs_len > RPC_CALLS_MAX)
        return; /* next time: those before it will have been mined */
    for (size_t i = 0; i < flight->txs_len; i++)
        add(poll, ASK_RECEIPT, flight, i, NULL,
            params_receipt(flight->txs[i].hash));
}

static void
add_mined(struct poll *poll, struct flight *flight, uint64_t now_ms)
{
    const struct follower *follower = poll->follower;
    bool final = follower->final_known &&
                 follower->final_number >= flight->step.block_number;

    if ((!final && now_ms < flight->check_ms) || poll->len + 64 > RPC_CALLS_MAX)
        return;
    flight->check_ms = now_ms + check_interval(follower, flight, now_ms);
    add(poll, ASK_BLOCK, flight, 0, NULL,
        params_block_at(flight->step.block_number));
}

static void
on_answers(void *arg, const struct rpc_answer *answers, size_t len)
{
    struct poll *poll = arg;
    struct follower *follower = poll->follower;

    (void)len;
    if (!follower->chain->closing) {
        read_common(poll, answers);
        for (struct flight *f = follower->flights; f != NULL; f = f->next)
            step_flight(poll, f, answers);
    }
    follower->polling = false;
    free(poll);
    sweep(follower);
    schedule(follower);
}

static void
on_timer(uv_timer_t *timer)
{
    struct follower *follower = timer->data;
    struct poll *poll;
    uint64_t now_ms = core_now_ms();

    if (follower->chain->closing || follower->polling)
        return;
    if (follower->resume_ms != 0 && now_ms >= follower->resume_ms)
        follow_resume(follower);
    sweep(follower);
    if (follower->flights == NULL) {
        schedule(follower);
        return;
    }
    poll = chain_alloc(sizeof *poll);
    poll->follower = follower;
    add(poll, ASK_HEAD, NULL, 0, NULL, params_block("latest"));
    add(poll, ASK_FINAL, NULL, 0, NULL, params_block("finalized"));
    add_counts(poll);
    for (struct flight *f = follower->flights; f != NULL; f = f->next) {
        if (f->dead || f->busy)
            continue;
        if (f->step.state == STEP_OPEN)
            add_open(poll, f);
        else
            add_mined(poll, f, now_ms);
    }
    follower->polling = true;
    rpc_ask(follower->chain->rpc, poll->call, poll->len, on_answers, poll);
}

/* -- the interface -- */

void
follow_add(struct follower *follower, struct flight *flight)
{
    flight->next = follower->flights;
    follower->flights = flight;
    flight->step.stuck_ms = core_now_ms();
    flight->step.stuck_head = follower->chain->health.head_number;
    flight_hold_slot(flight, true);
    follow_broadcast(follower, flight);
}

void
follow_paid_by(struct follower *follower, const struct receipt *receipt)
{
    struct flight *flight;

    for (flight = follower->flights; flight != NULL; flight = flight->next) {
        if (!flight->dead && flight_has_tx(flight, receipt->tx_hash))
            return;
    }
    flight = flight_new(0);
    memcpy(flight->mined_tx, receipt->tx_hash, 32);
    memcpy(flight->block_hash, receipt->block_hash, 32);
    flight->mined_ms = core_now_ms();
    step_mined(&flight->step, receipt->block_number);
    flight->next = follower->flights;
    follower->flights = flight;
    follow_hurry(follower);
}

bool
follow_ready(const struct follower *follower)
{
    return follower->ready;
}

struct follower *
follow_new(struct chain *chain)
{
    struct follower *follower = chain_alloc(sizeof *follower);

    follower->chain = chain;
    follower->delay_ms = FIRST_DELAY_MS;
    uv_timer_init(core_loop(chain->core), &follower->timer);
    follower->timer.data = follower;
    uv_timer_start(&follower->timer, on_timer, 0, 0);
    follow_resume(follower);
    return follower;
}

static void
on_closed(uv_handle_t *handle)
{
    struct follower *follower = handle->data;

    follower->closed(follower->closed_arg);
}

void
follow_close(struct follower *follower, void (*closed)(void *arg), void *arg)
{
    follower->closed = closed;
    follower->closed_arg = arg;
    uv_close((uv_handle_t *)&follower->timer, on_closed);
}

void
follow_free(struct follower *follower)
{
    while (follower->flights != NULL) {
        struct flight *f = follower->flights;

        follower->flights = f->next;
        flight_free(f);
    }
    free(follower);
}
