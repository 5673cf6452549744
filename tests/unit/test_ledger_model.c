/* SPDX-License-Identifier: Apache-2.0 */
/* Random commands, against the ledger and against a plain array that knows the
 * rules and nothing of SQL.  After every command the answer and
 * every row must agree; now and then the ledger is closed and opened again.
 *
 *     test_ledger_model [SEED [ROUNDS]] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger_model.h"

#define WORKERS 3
#define STEPS 400

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
