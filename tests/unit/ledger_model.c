/* SPDX-License-Identifier: Apache-2.0 */
/* See ledger_model.h. */
#include <string.h>

#include "ledger_model.h"

struct model model[PAYMENTS];
struct model_payer payer[PAYERS];
uint64_t now_ms, head;
unsigned last_tx;
uint64_t seed;

unsigned
roll(unsigned n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)((seed >> 33) % n);
}

unsigned
payer_of(unsigned i)
{
    return i % PAYERS;
}

static bool
is_open(const struct model *m)
{
    return m->there && (m->state == PAY_RESERVED || m->state == PAY_CAPTURED ||
                        m->state == PAY_SUBMITTED);
}

static bool
is_mined(const struct model *m)
{
    return m->state == PAY_MINED || m->state == PAY_FINAL;
}

/* -- credit, by adding up everything -- */

static uint64_t
exposure(unsigned p, uint64_t block)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < PAYMENTS; i++)
        if (payer_of(i) == p && model[i].there &&
            (is_open(&model[i]) ||
             (model[i].state == PAY_MINED && model[i].block > block)))
            sum += model[i].value;
    return sum;
}

static uint64_t
credit(int p) /* -1: all */
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < PAYMENTS; i++)
        if ((p < 0 || payer_of(i) == (unsigned)p) && model[i].there &&
            model[i].mode == PAY_SETTLE_AFTER &&
            (is_open(&model[i]) ||
             (model[i].state == PAY_MINED && model[i].block + 2 > head)))
            sum += model[i].value;
    for (int q = 0; q < PAYERS; q++)
        if (p < 0 || q == p)
            sum += payer[q].lost;
    return sum;
}

enum x402_err
may_open(unsigned p, const struct ledger_reserve *in, enum pay_mode *mode)
{
    uint64_t value;

    if (in->chain != X402_OK)
        return in->chain;
    if (payer[p].full_ms > now_ms + 59000)
        return X402_ERR_RATE;
    if (!x402_amount_u64(&value, &in->auth.value) ||
        exposure(p, in->block_number) + value > BALANCE)
        return X402_ERR_FUNDS;
    if (payer[p].settle_first || credit((int)p) + value > LIMIT_PAYER ||
        credit(-1) + value > LIMIT_TOTAL)
        *mode = PAY_SETTLE_BEFORE;
    return X402_OK;
}

/* -- reserve -- */

enum x402_err
expect_known(struct model *m, unsigned p, const struct ledger_reserve *in,
             enum pay_mode *mode, bool *redeem, bool *open)
{
    bool same = in->fingerprint[0] == 0xf0;

    if (in->origin == PAY_ORIGIN_FACILITATOR) {
        if (m->state == PAY_RESERVED)
            return X402_ERR_IN_PROGRESS;
        if (m->state != PAY_RELEASED)
            return X402_OK;
        *open = true;
        return may_open(p, in, mode);
    }
    if (m->origin == PAY_ORIGIN_FACILITATOR || !same)
        return X402_ERR_RESOURCE;
    if (m->state == PAY_RESERVED)
        return X402_ERR_IN_PROGRESS;
    if (m->state == PAY_FAILED)
        return X402_ERR_REPLAYED;
    if (m->state == PAY_RELEASED) {
        if (in->look_up)
            return X402_ERR_EXPIRED;
        if (m->releases == 3)
            return X402_ERR_RELEASE_LIMIT;
        *open = true;
        return may_open(p, in, mode);
    }
    if (m->run == PAY_RUN_OPEN)
        return X402_ERR_IN_PROGRESS;
    if (m->run == PAY_RUN_DELIVERED)
        return X402_ERR_REPLAYED;
    if (m->mode == PAY_SETTLE_BEFORE && !is_mined(m))
        return X402_ERR_PENDING;
    if (m->runs >= 2 || now_ms > m->charged_ms + DAY_MS)
        return X402_ERR_REPLAYED;
    *redeem = true;
    return X402_OK;
}

void
open_model(struct model *m, const struct ledger_reserve *in,
           const struct ledger_reserved *out, enum pay_mode mode)
{
    bool gateway = in->origin == PAY_ORIGIN_GATEWAY;

    m->there = true;
    m->id = out->payment;
    m->state = gateway ? PAY_RESERVED : PAY_CAPTURED;
    m->run = gateway ? PAY_RUN_OPEN : PAY_RUN_NONE;
    m->mode = mode;
    m->origin = in->origin;
    m->taken = m->started = false;
    m->rid = out->rid;
    m->worker = in->worker[0];
    if (!gateway) {
        m->charged_ms = now_ms;
        memset(&m->rid, 0, sizeof m->rid);
    }
}

void
model_break(struct model *m)
{
    if (m->run != PAY_RUN_OPEN)
        return;
    if (m->state == PAY_RESERVED) {
        m->state = PAY_RELEASED;
        m->run = PAY_RUN_NONE;
        m->releases += m->mode == PAY_SETTLE_AFTER;
        return;
    }
    m->run = m->state == PAY_FAILED || m->runs == 2 ? PAY_RUN_DELIVERED
                                                    : PAY_RUN_REDEEMABLE;
}

/* Not by a lease's end: the payer's bucket pays for it. */
void
model_give_up(struct model *m)
{
    unsigned p = payer_of((unsigned)(m - model));

    if (m->state == PAY_RESERVED && m->mode == PAY_SETTLE_AFTER) {
        if (payer[p].full_ms < now_ms)
            payer[p].full_ms = now_ms;
        payer[p].full_ms += 1000;
    }
    model_break(m);
}

enum x402_err
model_capture(struct model *m, uint64_t at_ms)
{
    if (m->taken)
        return X402_OK;
    if (m->run != PAY_RUN_OPEN)
        return X402_ERR_UNKNOWN_RESERVATION;
    if (m->state == PAY_FAILED) {
        m->run = PAY_RUN_DELIVERED;
        return X402_ERR_EXPIRED;
    }
    if (m->state == PAY_RESERVED && NOW / 1000 + 300 < at_ms / 1000 + 20) {
        m->state = PAY_RELEASED;
        m->run = PAY_RUN_NONE;
        return X402_ERR_EXPIRED;
    }
    if (m->state == PAY_RESERVED) {
        m->state = PAY_CAPTURED;
        m->charged_ms = at_ms;
    }
    m->taken = true;
    m->runs++;
    return X402_OK;
}

bool
is_due(const struct model *m)
{
    return m->there &&
           (m->state == PAY_CAPTURED ||
            (m->state == PAY_RESERVED && m->mode == PAY_SETTLE_BEFORE));
}

void
model_mine(struct model *m, unsigned tx, uint64_t block)
{
    m->state = PAY_MINED;
    m->tx = tx;
    m->block = block;
    if (m->charged_ms == 0)
        m->charged_ms = NOW;
}

void
model_requeue(struct model *m)
{
    m->state = PAY_CAPTURED;
    m->batch = 0;
    m->tx = 0;
}
