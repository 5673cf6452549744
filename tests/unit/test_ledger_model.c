/* SPDX-License-Identifier: Apache-2.0 */
/* Random commands, against the ledger and against a plain array that knows the
 * rules from design.md and nothing of SQL.  After every command the answer and
 * every row must agree; now and then the ledger is closed and opened again.
 *
 *     test_ledger_model [SEED [ROUNDS]] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger_test.h"

#define PAYMENTS 16
#define PAYERS 3
#define WORKERS 3
#define STEPS 400
#define BALANCE 3000
#define LIMIT_PAYER 1500
#define LIMIT_TOTAL 2500
#define DAY_MS (24 * 3600 * 1000ull)

static struct model {
    bool there;
    enum pay_state state;
    enum pay_run run;
    enum pay_mode mode;
    enum pay_origin origin;
    uint64_t value;
    unsigned releases, runs, worker, tx;
    bool taken, started;
    uint64_t charged_ms, block;
    int64_t id, batch;
    struct x402_rid rid;
} model[PAYMENTS];

static struct {
    bool settle_first;
    uint64_t lost;
    uint64_t full_ms;
} payer[PAYERS];

static uint64_t now_ms, head;
static unsigned last_tx;
static uint64_t seed;

static unsigned
roll(unsigned n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)((seed >> 33) % n);
}

static unsigned
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

static enum x402_err
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

static enum x402_err
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

static void
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

static struct ledger_reserve
random_payment(unsigned i)
{
    struct ledger_reserve in = test_payment(payer_of(i), i, 100 + 50 * (i % 7));

    in.now_ms = now_ms;
    in.origin = roll(8) == 0 ? PAY_ORIGIN_FACILITATOR : PAY_ORIGIN_GATEWAY;
    in.mode = in.origin == PAY_ORIGIN_FACILITATOR || roll(4) == 0
                  ? PAY_SETTLE_BEFORE
                  : PAY_SETTLE_AFTER;
    in.look_up = in.origin == PAY_ORIGIN_GATEWAY && roll(8) == 0;
    in.chain = roll(8) == 0 ? X402_ERR_SIMULATION : X402_OK;
    if (roll(10) == 0)
        in.fingerprint[0] = 0;
    memset(in.worker, (int)roll(WORKERS) + 1, sizeof in.worker);
    in.balance = x402_amount_of(BALANCE);
    in.block_number = head - roll(3);
    in.head_number = head;
    in.limits.payer = x402_amount_of(LIMIT_PAYER);
    in.limits.total = x402_amount_of(LIMIT_TOTAL);
    return in;
}

static const char *
step_reserve(void)
{
    unsigned i = roll(PAYMENTS), p = payer_of(i);
    struct ledger_reserve in = random_payment(i);
    struct model *m = &model[i];
    enum pay_mode mode = in.mode;
    bool redeem = false, open = false;
    struct ledger_reserved out;
    enum x402_err expected;

    if (m->there) {
        expected = expect_known(m, p, &in, &mode, &redeem, &open);
    } else if (in.look_up) {
        expected = X402_ERR_EXPIRED;
    } else if (in.fingerprint[0] != 0xf0) {
        return NULL; /* rows are made by the right request only */
    } else {
        open = true;
        expected = may_open(p, &in, &mode);
    }
    out = test_reserve(&in);
    if (out.err != expected)
        return "reserve answered something else";
    if (out.err != X402_OK)
        return NULL;
    if (out.redeemed != redeem || out.created != (open && !m->there))
        return "reserve did something else";
    if (open) {
        uint64_t value;

        if (!x402_amount_u64(&value, &in.auth.value))
            return "amount";
        m->value = value;
        open_model(m, &in, &out, mode);
    }
    if (redeem) {
        m->run = PAY_RUN_OPEN;
        m->rid = out.rid;
        m->worker = in.worker[0];
        m->taken = m->started = false;
    }
    return NULL;
}

/* -- runs -- */

static void
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
static void
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

static struct model *
any_run(void)
{
    static const struct x402_rid none;
    unsigned from = roll(PAYMENTS);

    for (unsigned i = 0; i < PAYMENTS; i++) {
        struct model *m = &model[(from + i) % PAYMENTS];

        if (m->there && memcmp(&m->rid, &none, sizeof none) != 0)
            return m;
    }
    return NULL;
}

static enum x402_err
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

static const char *
step_capture(void)
{
    struct model *m = any_run();
    uint64_t at_ms = roll(20) == 0 ? now_ms + 290000 : now_ms;
    enum x402_err expected;

    if (m == NULL)
        return NULL;
    expected = model_capture(m, at_ms);
    return test_capture(&m->rid, at_ms) == expected ? NULL : "capture";
}

static const char *
step_release(void)
{
    struct model *m = any_run();

    if (m == NULL)
        return NULL;
    model_give_up(m);
    return test_release(&m->rid, now_ms) == X402_OK ? NULL : "release";
}

static void
ignore(void *arg, enum x402_err err, int64_t payment)
{
    (void)arg;
    (void)err;
    (void)payment;
}

/* The lazy ones are not waited for: the next command takes them along. */
static const char *
step_started(void)
{
    struct model *m = any_run();

    if (m == NULL)
        return NULL;
    ledger_started(test_ledger, &m->rid, ignore, NULL);
    if (m->run == PAY_RUN_OPEN)
        m->started = true;
    test_workers();
    return NULL;
}

static const char *
step_done(void)
{
    struct model *m = any_run();
    enum x402_till_end end = (enum x402_till_end)(roll(3) + 1);

    if (m == NULL)
        return NULL;
    ledger_done(test_ledger, &m->rid, end, now_ms, ignore, NULL);
    if (m->run == PAY_RUN_OPEN) {
        if (m->taken && (end == X402_TILL_END_COMPLETE ||
                         (end == X402_TILL_END_CLIENT && m->started)))
            m->run = PAY_RUN_DELIVERED;
        else if (m->taken)
            model_break(m);
        else
            model_give_up(m);
    }
    test_workers();
    return NULL;
}

static const char *
step_lease(void)
{
    struct x402_rid held[PAYMENTS];
    uint8_t worker[16];
    unsigned w = roll(WORKERS) + 1;
    size_t len = 0;

    memset(worker, (int)w, sizeof worker);
    for (unsigned i = 0; i < PAYMENTS; i++) {
        struct model *m = &model[i];

        if (!m->there || m->run != PAY_RUN_OPEN || m->worker != w)
            continue;
        if (roll(2) == 0)
            held[len++] = m->rid;
        else
            model_break(m);
    }
    return test_lease_end(worker, held, len, now_ms) == X402_OK ? NULL
                                                                : "lease";
}

/* -- settlement -- */

static bool
is_due(const struct model *m)
{
    return m->there &&
           (m->state == PAY_CAPTURED ||
            (m->state == PAY_RESERVED && m->mode == PAY_SETTLE_BEFORE));
}

static const char *
step_submit(void)
{
    int64_t payments[PAYMENTS];
    struct model *chosen[PAYMENTS];
    size_t len = 0;
    bool good = true;
    int64_t batch;

    for (unsigned i = 0; i < PAYMENTS; i++)
        if (model[i].there &&
            (is_due(&model[i]) ? roll(3) == 0 : roll(60) == 0)) {
            good = good && is_due(&model[i]);
            chosen[len] = &model[i];
            payments[len++] = model[i].id;
        }
    batch = test_submit(++last_tx, payments, len);
    if ((batch != 0) != (good && len > 0))
        return "submit";
    for (size_t i = 0; batch != 0 && i < len; i++) {
        chosen[i]->state = PAY_SUBMITTED;
        chosen[i]->batch = batch;
        chosen[i]->tx = last_tx;
    }
    return NULL;
}

static struct model *
any_in(enum pay_state state)
{
    unsigned from = roll(PAYMENTS);

    for (unsigned i = 0; i < PAYMENTS; i++) {
        struct model *m = &model[(from + i) % PAYMENTS];

        if (m->there && m->state == state)
            return m;
    }
    return NULL;
}

static void
model_mine(struct model *m, unsigned tx, uint64_t block)
{
    m->state = PAY_MINED;
    m->tx = tx;
    m->block = block;
    if (m->charged_ms == 0)
        m->charged_ms = NOW;
}

static void
model_requeue(struct model *m)
{
    m->state = PAY_CAPTURED;
    m->batch = 0;
    m->tx = 0;
}

static const char *
step_mined(void)
{
    struct model *any = any_in(PAY_SUBMITTED);
    struct ledger_outcome outcome[PAYMENTS];
    size_t len = 0;
    int64_t batch;
    unsigned tx;

    if (any == NULL)
        return NULL;
    batch = any->batch;
    tx = any->tx;
    head++;
    for (unsigned i = 0; i < PAYMENTS; i++) {
        struct model *m = &model[i];

        if (!m->there || m->state != PAY_SUBMITTED || m->batch != batch)
            continue;
        outcome[len] = (struct ledger_outcome){m->id, roll(5) != 0};
        if (outcome[len++].paid)
            model_mine(m, tx, head);
        else
            model_requeue(m);
    }
    return test_mined(batch, tx, head, outcome, len) == X402_OK ? NULL
                                                                : "mined";
}

static const char *
step_replace(void)
{
    struct model *any = any_in(PAY_SUBMITTED);
    int64_t batch;

    if (any == NULL)
        return NULL;
    batch = any->batch;
    if (test_replace(batch, ++last_tx) != X402_OK)
        return "replace";
    for (unsigned i = 0; i < PAYMENTS; i++)
        if (model[i].there && model[i].state == PAY_SUBMITTED &&
            model[i].batch == batch)
            model[i].tx = last_tx;
    return NULL;
}

static const char *
step_paid_by(void)
{
    struct model *m = &model[roll(PAYMENTS)];
    unsigned tx = 1000000 + ++last_tx;
    bool good = m->there && (m->state == PAY_SUBMITTED || is_due(m));

    if (!m->there)
        return NULL;
    if ((test_paid_by(m->id, tx, head) == X402_OK) != good)
        return "paid_by";
    if (good) {
        model_mine(m, tx, head);
        m->batch = 0;
    }
    return NULL;
}

static const char *
step_unmined(void)
{
    struct model *any = any_in(PAY_MINED);
    unsigned tx;

    if (any == NULL)
        return NULL;
    tx = any->tx;
    for (unsigned i = 0; i < PAYMENTS; i++) {
        struct model *m = &model[i];

        if (!m->there || m->state != PAY_MINED || m->tx != tx)
            continue;
        if (tx > 1000000)
            model_requeue(m);
        else
            m->state = PAY_SUBMITTED;
        m->block = 0;
    }
    return test_unmined(tx) == X402_OK ? NULL : "unmined";
}

static const char *
step_requeue(void)
{
    struct model *any = any_in(PAY_SUBMITTED);
    int64_t batch;

    if (any == NULL)
        return NULL;
    batch = any->batch;
    for (unsigned i = 0; i < PAYMENTS; i++)
        if (model[i].there && model[i].state == PAY_SUBMITTED &&
            model[i].batch == batch)
            model_requeue(&model[i]);
    return test_requeue(batch) == X402_OK ? NULL : "requeue";
}

static const char *
step_final(void)
{
    struct model *any = any_in(PAY_MINED);
    unsigned tx;

    if (any == NULL)
        return NULL;
    tx = any->tx;
    for (unsigned i = 0; i < PAYMENTS; i++) {
        struct model *m = &model[i];

        if (m->there && m->state == PAY_SUBMITTED && m->tx == tx)
            return NULL; /* the settler waits for those */
    }
    for (unsigned i = 0; i < PAYMENTS; i++)
        if (model[i].there && model[i].state == PAY_MINED && model[i].tx == tx)
            model[i].state = PAY_FINAL;
    return test_final(tx) == X402_OK ? NULL : "final";
}

static const char *
step_failed(void)
{
    struct model *m = &model[roll(PAYMENTS)];
    enum x402_err expected = X402_OK;

    if (!m->there)
        return NULL;
    if (m->state == PAY_CAPTURED || m->state == PAY_SUBMITTED) {
        m->state = PAY_FAILED;
        if (m->run == PAY_RUN_REDEEMABLE)
            m->run = PAY_RUN_DELIVERED;
        if (m->runs > 0) {
            payer[payer_of((unsigned)(m - model))].lost += m->value;
            payer[payer_of((unsigned)(m - model))].settle_first = true;
        }
    } else if (is_due(m)) {
        m->state = PAY_RELEASED;
        m->run = PAY_RUN_NONE;
    } else {
        expected = X402_ERR_BUSY;
    }
    return test_failed(m->id, X402_ERR_EXPIRED) == expected ? NULL : "failed";
}

/* -- all of it -- */

static const char *
compare(const struct model *m)
{
    struct pay_row row = test_get(m->id);

    if (row.id != m->id || row.state != m->state)
        return "state";
    if (row.run != m->run)
        return "run";
    if (row.mode != m->mode || row.origin != m->origin)
        return "mode or origin";
    if (row.releases != m->releases || row.runs != m->runs)
        return "counts";
    if (row.block_number != m->block)
        return "block";
    return NULL;
}

static const char *
compare_all(void)
{
    struct ledger_stats stats;
    uint64_t count[PAY_FAILED + 1] = {0}, redeemable = 0;

    for (unsigned i = 0; i < PAYMENTS; i++) {
        const char *wrong = model[i].there ? compare(&model[i]) : NULL;

        if (wrong != NULL)
            return wrong;
        if (model[i].there) {
            count[model[i].state]++;
            redeemable += model[i].run == PAY_RUN_REDEEMABLE;
        }
    }
    ledger_stats(test_ledger, &stats);
    if (memcmp(count, stats.count, sizeof count) != 0 ||
        redeemable != stats.redeemable)
        return "numbers of rows";
    return NULL;
}

static const struct {
    const char *name;
    unsigned weight;
    const char *(*step)(void);
} steps[] = {
    {"reserve", 30, step_reserve}, {"capture", 16, step_capture},
    {"release", 8, step_release},  {"started", 6, step_started},
    {"done", 10, step_done},       {"lease", 2, step_lease},
    {"submit", 8, step_submit},    {"mined", 8, step_mined},
    {"replace", 2, step_replace},  {"paid_by", 2, step_paid_by},
    {"unmined", 3, step_unmined},  {"requeue", 2, step_requeue},
    {"final", 2, step_final},      {"failed", 1, step_failed},
};

static unsigned
choose(void)
{
    unsigned sum = 0, i = 0, at;

    for (i = 0; i < sizeof steps / sizeof *steps; i++)
        sum += steps[i].weight;
    at = roll(sum);
    for (i = 0; at >= steps[i].weight; i++)
        at -= steps[i].weight;
    return i;
}

static void
begin(void)
{
    memset(model, 0, sizeof model);
    memset(payer, 0, sizeof payer);
    now_ms = NOW;
    head = 100;
    test_folder();
    test_open();
}

static const char *
play(char *where, size_t where_len)
{
    const char *wrong = NULL;

    begin();
    for (int i = 0; i < STEPS && wrong == NULL; i++) {
        unsigned which = choose();

        now_ms += roll(900);
        if (roll(60) == 0)
            head += 2;
        if (roll(80) == 0) {
            test_close();
            test_open();
        }
        wrong = steps[which].step();
        if (wrong == NULL)
            wrong = compare_all();
        if (wrong != NULL)
            snprintf(where, where_len, "step %d, %s", i, steps[which].name);
    }
    if (wrong == NULL) {
        wrong = test_audit();
        snprintf(where, where_len, "audit");
    }
    test_close();
    return wrong;
}

int
main(int argc, char **argv)
{
    uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    uint64_t rounds = argc > 2 ? strtoull(argv[2], NULL, 10) : 12;

    for (uint64_t i = 0; i < rounds; i++) {
        char where[64] = "";
        const char *wrong;

        seed = first + i;
        for (int k = 0; k < 8; k++)
            roll(2);
        wrong = play(where, sizeof where);
        test_ok(wrong == NULL, "seed %llu: %s%s%s",
                (unsigned long long)(first + i),
                wrong != NULL ? where : "agrees", wrong != NULL ? ": " : "",
                wrong != NULL ? wrong : "");
    }
    return test_done();
}
