/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker may say, when, and what it is answered. */
#include <stdlib.h>
#include <string.h>

#include "inside.h"

/** A frame that waits for its answer.  The connection may be gone by then. */
struct question {
    struct question *next, **at;
    struct connection *connection; /* NULL: gone */
    uint64_t id;
};

static struct question *
ask(struct connection *c, uint64_t id)
{
    struct question *q;

    /* READY is no question to the worker: it has a place of its own */
    if (c->in_flight - c->listing >= X402_TILL_INFLIGHT_MAX)
        return NULL;
    q = calloc(1, sizeof *q);
    if (q == NULL)
        return NULL;
    q->connection = c;
    q->id = id;
    q->next = c->questions;
    q->at = &c->questions;
    if (q->next != NULL)
        q->next->at = &q->next;
    c->questions = q;
    c->in_flight++;
    c->till->in_flight++;
    return q;
}

/* Ends the question.  frame NULL: nothing to say. */
static void
reply(struct question *q, struct x402_till_frame *frame)
{
    struct connection *c = q->connection;

    if (c != NULL) {
        *q->at = q->next;
        if (q->next != NULL)
            q->next->at = q->at;
        c->in_flight--;
        c->till->in_flight--;
        if (frame != NULL) {
            frame->id = q->id;
            connection_send(c, frame);
        }
    }
    free(q);
}

/* Whatever still comes for these goes to nobody; the till does not wait. */
void
frame_orphan(struct connection *c)
{
    while (c->questions != NULL) {
        struct question *q = c->questions;

        c->questions = q->next;
        q->connection = NULL;
        c->till->in_flight--;
    }
}

/* -- answers -- */

static void
on_reserved(void *arg, const struct x402_till_reserved *out)
{
    struct x402_till_frame frame = {.type = X402_TILL_RESERVED};

    frame.u.reserved = *out;
    reply(arg, &frame);
}

static void
on_charged(void *arg, enum x402_err err, int64_t payment)
{
    struct x402_till_frame frame = {.type = X402_TILL_ACK};

    (void)payment;
    frame.u.ack.err = err;
    reply(arg, &frame);
}

static bool
still_there(void *arg)
{
    return ((struct question *)arg)->connection != NULL;
}

/* The worker's other reservations are released, or the worker has to say its
 * list again: a stale list must not be tried a second time. */
static void
on_listed(void *arg, enum x402_err err, int64_t payment)
{
    struct question *q = arg;
    struct connection *c = q->connection;

    (void)payment;
    if (c != NULL)
        c->listing = 0;
    if (c != NULL && c->worker != NULL)
        cashier_lease_ended(c->till->cashier, c->worker->id);
    if (c != NULL && err != X402_OK)
        connection_close(c, "its list could not be written");
    reply(q, NULL);
}

/* -- questions -- */

static bool
take_hello(struct connection *c, const struct x402_till_hello *hello)
{
    if (c->worker != NULL)
        return false;
    c->worker = worker_hello(c, hello->worker);
    return c->worker != NULL;
}

static bool
take_hold(struct connection *c, const struct x402_till_hold *hold)
{
    size_t len = c->held_len + hold->len;
    struct x402_rid *held;

    if (c->worker == NULL || c->ready || len > TILL_HELD_MAX)
        return false;
    if (hold->len == 0)
        return true;
    held = realloc(c->held, len * sizeof *held);
    if (held == NULL)
        return false;
    memcpy(held + c->held_len, hold->rid, hold->len * sizeof *held);
    c->held = held;
    c->held_len = len;
    return true;
}

static bool
take_ready(struct connection *c)
{
    struct question *q;

    if (c->worker == NULL || c->ready)
        return false;
    q = ask(c, 0);
    if (q == NULL)
        return false;
    c->ready = true;
    c->listing = 1;
    ledger_lease_end(c->till->ledger, c->worker->id, c->held, c->held_len,
                     core_now_ms(), on_listed, q);
    free(c->held);
    c->held = NULL;
    c->held_len = 0;
    return true;
}

static void
refuse_reserve(struct question *q)
{
    struct x402_till_reserved out = {.err = X402_ERR_UNAVAILABLE};

    on_reserved(q, &out);
}

static void
on_issued(void *arg, const struct x402_till_issued *out)
{
    struct x402_till_frame frame = {.type = X402_TILL_ISSUED};

    frame.u.issued = *out;
    reply(arg, &frame);
}

static void
take_issue(struct till *till, struct question *q,
           const struct x402_till_issue *issue)
{
    static const struct x402_till_issued closing = {.err = X402_ERR_UNAVAILABLE,
                                                    .wait_ms = 1000,
                                                    .scope =
                                                        X402_TILL_SCOPE_ALL};

    if (till->closing)
        on_issued(q, &closing);
    else
        lightning_issue(till->lightning, issue, on_issued, q);
}

static bool
take_question(struct connection *c, const struct x402_till_frame *frame)
{
    struct till *till = c->till;
    struct question *q;

    if (!c->ready)
        return false;
    q = ask(c, frame->id);
    if (q == NULL)
        return false;
    switch (frame->type) {
    case X402_TILL_RESERVE:
        if (till->closing)
            refuse_reserve(q);
        else
            cashier_reserve(till->cashier, &frame->u.reserve, c->worker->id,
                            still_there, on_reserved, q);
        return true;
    case X402_TILL_PROOF:
        if (till->closing)
            refuse_reserve(q);
        else
            lightning_claim(till->lightning, &frame->u.proof, c->worker->id,
                            still_there, on_reserved, q);
        return true;
    case X402_TILL_ISSUE:
        take_issue(till, q, &frame->u.issue);
        return true;
    case X402_TILL_CAPTURE:
        cashier_capture(till->cashier, &frame->u.capture.rid,
                        frame->u.capture.has_charge ? &frame->u.capture.charge
                                                    : NULL,
                        on_charged, q);
        return true;
    case X402_TILL_RELEASE:
        cashier_release(till->cashier, &frame->u.release.rid,
                        frame->u.release.status, on_charged, q);
        return true;
    case X402_TILL_STARTED:
        ledger_started(till->ledger, &frame->u.rid, on_charged, q);
        return true;
    case X402_TILL_DONE:
        ledger_done(till->ledger, &frame->u.done.rid, frame->u.done.end,
                    core_now_ms(), on_charged, q);
        return true;
    case X402_TILL_HELLO:
    case X402_TILL_HOLD:
    case X402_TILL_READY:
    case X402_TILL_RESERVED:
    case X402_TILL_ISSUED:
    case X402_TILL_ACK:
    case X402_TILL_PING:
    case X402_TILL_PONG:
        break;
    }
    reply(q, NULL);
    return false;
}

static bool
take_ping(struct connection *c, uint64_t id)
{
    struct x402_till_frame pong = {.type = X402_TILL_PONG, .id = id};

    if (c->worker == NULL)
        return false;
    connection_send(c, &pong);
    return true;
}

bool
frame_take(struct connection *c, const struct x402_till_frame *frame)
{
    switch (frame->type) {
    case X402_TILL_HELLO:
        return take_hello(c, &frame->u.hello);
    case X402_TILL_HOLD:
        return take_hold(c, &frame->u.hold);
    case X402_TILL_READY:
        return take_ready(c);
    case X402_TILL_PING:
        return take_ping(c, frame->id);
    case X402_TILL_RESERVE:
    case X402_TILL_PROOF:
    case X402_TILL_ISSUE:
    case X402_TILL_CAPTURE:
    case X402_TILL_RELEASE:
    case X402_TILL_STARTED:
    case X402_TILL_DONE:
        return take_question(c, frame);
    case X402_TILL_RESERVED:
    case X402_TILL_ISSUED:
    case X402_TILL_ACK:
    case X402_TILL_PONG:
        return false; /* answers are ours to give */
    }
    return false;
}
