/* SPDX-License-Identifier: Apache-2.0 */
/* See follow.h.  Every poll each flight takes one step. */
#include "follow.h"

#include <stdlib.h>
#include <string.h>

#include "poll.h"
#include "settle.h"
#include "upkeep.h"

#define FIRST_DELAY_MS 50 /* after a broadcast */

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

void
follow_bury(struct flight *flight)
{
    flight_hold_slot(flight, false);
    flight->dead = true;
}

/* -- one step -- */

void
follow_act(struct follower *follower, struct flight *flight,
           enum step_action action, const struct receipt *receipt)
{
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
        follow_to_mined(follower, flight, receipt);
        return;
    case STEP_TO_FINAL:
        follow_to_final(follower, flight);
        return;
    case STEP_TO_OPEN:
        follow_to_open(follower, flight);
        return;
    case STEP_REQUEUE:
        follow_requeue(follower, flight);
        return;
    }
}

static void
step_flight(struct poll *poll, struct flight *flight,
            const struct rpc_answer *answers)
{
    struct follower *follower = poll->follower;
    struct step_view view;
    struct receipt receipt = {0};
    enum step_action action;

    if (flight->busy || flight->dead)
        return;
    poll_view(poll, flight, answers, &view, &receipt);
    action = step_next(&flight->step, &view);
    if (follow_needs_second(follower, action))
        follow_confirm(follower, flight, action, &receipt,
                       rpc_answerer(follower->chain->rpc));
    else
        follow_act(follower, flight, action, &receipt);
    receipt_free(&receipt);
}

/* -- the clock -- */

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

static void
on_answers(void *arg, const struct rpc_answer *answers, size_t len)
{
    struct poll *poll = arg;
    struct follower *follower = poll->follower;

    (void)len;
    if (!follower->chain->closing) {
        poll_read(poll, answers);
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
    poll = poll_make(follower);
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
follow_launch(struct follower *follower, struct signer *signer,
              const struct flight_tx *tx, uint64_t account_nonce, int64_t batch,
              uint64_t until_s)
{
    struct flight *flight = flight_new(batch);

    flight->signer = signer;
    flight->step.account_nonce = account_nonce;
    flight->step.expires_s = until_s;
    flight_add_tx(flight, tx);
    signer_used(signer, account_nonce);
    chain_spend(follower->chain, &tx->fees, tx->gas_limit, NULL);
    if (follower->chain->closing)
        flight_free(flight); /* the ledger has it: the next start sends */
    else
        follow_add(follower, flight);
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
