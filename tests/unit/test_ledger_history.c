/* SPDX-License-Identifier: Apache-2.0 */
/* What the ledger can still say of a payment's way, step by step, however it
 * went: each is told here as it happens, and read as an operator reads it. */
#include <string.h>

#include "ledger_test.h"

static unsigned nonce, tx;

#define IS(id, text)                                                           \
    do {                                                                       \
        const char *is_ = test_history(LEDGER_PAYMENT, id);                    \
        test_ok(strcmp(is_, text) == 0, "%s: %s", __func__, is_);              \
    } while (0)

static struct ledger_reserve
payment(void)
{
    return test_payment(1, ++nonce, 1000);
}

static struct ledger_reserved
reserve_at(struct ledger_reserve *in, unsigned ms)
{
    struct ledger_reserved out;

    in->now_ms = NOW + ms;
    out = test_reserve(in);
    return out;
}

static int64_t
captured(void)
{
    struct ledger_reserve in = payment();
    struct ledger_reserved out = reserve_at(&in, 0);

    test_capture(&out.rid, NOW + 10);
    test_finish(&out.rid, X402_TILL_END_COMPLETE, NOW + 20);
    return out.payment;
}

static int64_t
submit_at(int64_t id, unsigned ms)
{
    test_now_ms = NOW + ms;
    return test_submit(++tx, &id, 1);
}

static void
mine_at(int64_t id, int64_t batch, unsigned block, unsigned ms)
{
    struct ledger_outcome paid = {id, true};

    test_now_ms = NOW + ms;
    OK(test_mined(batch, tx, block, &paid, 1) == X402_OK);
}

static void
the_usual_way(void)
{
    int64_t id = captured(), batch = submit_at(id, 30);

    IS(id, "reserved+0 captured+10 delivered+20 signed+30");
    mine_at(id, batch, 101, 40);
    test_now_ms = NOW + 50;
    OK(test_final(tx) == X402_OK);
    IS(id, "reserved+0 captured+10 delivered+20 signed+30 "
           "mined+40[block 101] final+50[block 101]");
    OK(test_sql("SELECT count(*) FROM event") == 0); /* and costs no row */
    test_now_ms = NOW + 60;                          /* told once more */
    OK(test_final(tx) == X402_OK && test_unmined(tx) == X402_OK);
    IS(id, "reserved+0 captured+10 delivered+20 signed+30 "
           "mined+40[block 101] final+50[block 101]");
}

/* Released twice, then good, mined, taken back and mined again. */
static void
the_long_way(void)
{
    struct ledger_reserve in = payment();
    struct ledger_reserved out = reserve_at(&in, 0);
    int64_t id = out.payment, batch;

    test_release(&out.rid, NOW + 1);
    out = reserve_at(&in, 2);
    OK(reserve_at(&in, 3).err == X402_ERR_IN_PROGRESS);
    test_lease_end(in.worker, NULL, 0, NOW + 4);
    out = reserve_at(&in, 5);
    test_capture(&out.rid, NOW + 6);
    test_finish(&out.rid, X402_TILL_END_COMPLETE, NOW + 7);
    OK(reserve_at(&in, 8).err == X402_ERR_REPLAYED);
    OK(reserve_at(&in, 9).err == X402_ERR_REPLAYED);
    batch = submit_at(id, 10);
    test_now_ms = NOW + 11;
    OK(test_replace(batch, ++tx) == X402_OK);
    mine_at(id, batch, 101, 12);
    test_now_ms = NOW + 13;
    OK(test_unmined(tx) == X402_OK);
    mine_at(id, batch, 102, 14);
    test_now_ms = NOW + 15;
    OK(test_final(tx) == X402_OK);
    IS(id, "reserved+0 released+1[500] again+2 gone+4 again+5 captured+6 "
           "delivered+7 refused+8[replayed] signed+10 replaced+11 "
           "mined+12[block 101] reorged+13[block 101] mined+14[block 102] "
           "final+15[block 102]");
}

static void
another_transaction_of_ours(void)
{
    int64_t id = captured(), batch = submit_at(id, 30);

    test_now_ms = NOW + 40;
    OK(test_requeue(batch) == X402_OK);
    batch = submit_at(id, 50);
    mine_at(id, batch, 105, 60);
    IS(id, "reserved+0 captured+10 delivered+20 signed+30 requeued+40 "
           "signed+50 mined+60[block 105]");
}

static void
somebody_elses_transaction(void)
{
    int64_t id = captured();

    (void)submit_at(id, 30);
    test_now_ms = NOW + 40;
    OK(test_paid_by(id, 7000, 102) == X402_OK);
    test_now_ms = NOW + 50;
    OK(test_unmined(7000) == X402_OK);
    test_now_ms = NOW + 60;
    OK(test_paid_by(id, 7000, 103) == X402_OK);
    test_now_ms = NOW + 70;
    OK(test_final(7000) == X402_OK);
    IS(id, "reserved+0 captured+10 delivered+20 mined+40[block 102] "
           "reorged+50[block 102] mined+60[block 103] final+70[block 103]");
}

static void
a_failure(void)
{
    int64_t id = captured();

    test_now_ms = NOW + 900;
    OK(test_failed(id, X402_ERR_EXPIRED) == X402_OK);
    IS(id, "reserved+0 captured+10 delivered+20 failed+900[expired]");
}

static void
too_late_to_capture(void)
{
    struct ledger_reserve in = payment();
    struct ledger_reserved out = reserve_at(&in, 0);

    OK(test_capture(&out.rid, NOW + 290000) == X402_ERR_EXPIRED);
    IS(out.payment, "reserved+0 released+290000[expired]");
}

static void
a_run_that_broke_off(void)
{
    struct ledger_reserve in = test_payment(2, ++nonce, 1000);
    struct ledger_reserved out = reserve_at(&in, 0);

    test_capture(&out.rid, NOW + 1);
    test_finish(&out.rid, X402_TILL_END_SERVER, NOW + 2);
    out = reserve_at(&in, 3);
    OK(out.redeemed);
    test_capture(&out.rid, NOW + 4);
    test_finish(&out.rid, X402_TILL_END_COMPLETE, NOW + 5);
    IS(out.payment, "reserved+0 captured+1 broken+2[3] redeemed+3 answered+4 "
                    "delivered+5");
}

/* However often a chain turns around: 64 rows, the first and the newest. */
static void
a_bound(void)
{
    int64_t id = captured(), batch = submit_at(id, 30);
    const char *steps;

    for (unsigned i = 0; i < 100; i++) {
        mine_at(id, batch, 101 + i, 100 + 10 * i);
        test_now_ms = NOW + 105 + 10 * i;
        OK(test_unmined(tx) == X402_OK);
    }
    OK(test_sql("SELECT max(n) FROM (SELECT count(*) AS n FROM event "
                "GROUP BY subject)") == LEDGER_EVENTS_MAX);
    steps = test_history(LEDGER_PAYMENT, id);
    OK(strstr(steps, "mined+410[block 132] "
                     "reorged+1095[block 200][136 more]") != NULL);
    OK(test_sql("SELECT sum(more + 1) FROM event WHERE seq = 63") == 137);
    mine_at(id, batch, 300, 5000);
}

static void
what_is_kept(void)
{
    int64_t before = test_sql("SELECT count(*) FROM event");

    OK(before > LEDGER_EVENTS_MAX);
    test_sql("DELETE FROM event WHERE rail = 1");
    OK(test_sql("SELECT count(*) FROM event") == before);
}

static void (*const all[])(void) = {
    the_usual_way,
    the_long_way,
    another_transaction_of_ours,
    somebody_elses_transaction,
    a_failure,
    too_late_to_capture,
    a_run_that_broke_off,
    a_bound,
    what_is_kept,
};

int
main(void)
{
    test_folder();
    test_open();
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        const char *wrong;

        test_now_ms = NOW;
        all[i]();
        wrong = test_audit();
        test_ok(wrong == NULL, "the counters add up: %s",
                wrong != NULL ? wrong : "all");
    }
    test_close();
    return test_done();
}
