/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger's commands as the settler uses them, and what a payer may owe. */
#include <stdlib.h>
#include <string.h>

#include "ledger_test.h"

static unsigned nonce, tx;

static int64_t
captured_of(unsigned payer, uint64_t value)
{
    struct ledger_reserve in = test_payment(payer, ++nonce, value);
    struct ledger_reserved out = test_reserve(&in);

    if (out.err != X402_OK || test_capture(&out.rid, NOW) != X402_OK)
        test_ok(false, "could not capture");
    test_finish(&out.rid, X402_TILL_END_COMPLETE, NOW);
    return out.payment;
}

static enum pay_state
state_of(int64_t payment)
{
    return test_get(payment).state;
}

static void
a_batch_to_its_end(void)
{
    int64_t payment[3], batch;
    struct ledger_outcome outcome[3];
    struct pay_row row;
    size_t len;

    for (int i = 0; i < 3; i++) {
        payment[i] = captured_of(1, 1000);
        outcome[i] = (struct ledger_outcome){payment[i], i != 2};
    }
    test_due(&len);
    OK(len == 3);
    /* the limit is of those that are wanted */
    OK(test_due_but((int64_t[]){payment[1], 999999, payment[0]}, 3, 1, &len)
           ->id == payment[2]);
    OK(len == 1);
    test_due_but(payment, 3, 64, &len);
    OK(len == 0);
    batch = test_submit(++tx, payment, 3);
    OK(batch != 0 && test_open_txs() == 1);
    test_due(&len);
    OK(len == 0);
    OK(test_in_state(PAY_SUBMITTED, &len)[0].batch_id == batch && len == 3);
    OK(test_submit(++tx, payment, 1) == 0); /* they are on their way */
    OK(test_replace(batch, ++tx) == X402_OK);
    OK(test_open_txs() == 2);
    row = test_get(payment[0]);
    OK(row.has_tx && row.tx_hash[0] == (uint8_t)tx);
    OK(test_mined(batch, 9999, 101, outcome, 3) == X402_ERR_INTERNAL);
    OK(test_mined(0, 9999, 101, outcome, 3) == X402_ERR_INTERNAL);
    OK(test_mined(batch, tx, 101, outcome, 3) == X402_OK);
    OK(test_mined(batch, tx, 101, outcome, 3) == X402_OK);
    OK(state_of(payment[0]) == PAY_MINED && state_of(payment[1]) == PAY_MINED);
    row = test_get(payment[2]);
    OK(row.state == PAY_CAPTURED && row.batch_id == 0 && !row.has_tx);
    OK(test_in_state(PAY_MINED, &len)[0].block_number == 101 && len == 2);
    OK(test_final(tx) == X402_OK);
    OK(test_final(tx) == X402_OK);
    row = test_get(payment[0]);
    OK(row.state == PAY_FINAL && row.has_tx && row.signature_len == 0);
    OK(test_open_txs() == 0);
    OK(test_unmined(tx) == X402_OK); /* FINAL is final */
    OK(state_of(payment[0]) == PAY_FINAL);
    OK(test_requeue(batch) == X402_OK);
    OK(test_failed(payment[2], X402_ERR_EXPIRED) == X402_OK);
}

static void
all_or_nothing(void)
{
    struct ledger_reserve in = test_payment(8, ++nonce, 1000);
    struct ledger_reserved out = test_reserve(&in);
    int64_t payment[2] = {captured_of(8, 1000), out.payment};
    size_t before = test_open_txs();

    OK(test_submit(++tx, payment, 2) == 0); /* RESERVED, settled after */
    OK(state_of(payment[0]) == PAY_CAPTURED && test_open_txs() == before);
    OK(test_submit(++tx, payment, 0) == 0);
    payment[1] = 424242;
    OK(test_submit(++tx, payment, 2) == 0);
    OK(test_replace(424242, ++tx) == X402_ERR_BUSY);
    test_release(&out.rid, NOW);
    test_failed(payment[0], X402_ERR_EXPIRED);
}

static void
a_reorg(void)
{
    int64_t payment = captured_of(2, 1000), batch;
    struct ledger_outcome paid = {payment, true};

    batch = test_submit(++tx, &payment, 1);
    test_mined(batch, tx, 101, &paid, 1);
    OK(test_unmined(tx) == X402_OK);
    OK(state_of(payment) == PAY_SUBMITTED && test_open_txs() == 1);
    OK(test_audit() == NULL);
    OK(test_mined(batch, tx, 103, &paid, 1) == X402_OK);
    OK(test_get(payment).block_number == 103);
    OK(test_unmined(tx) == X402_OK);
    OK(test_requeue(batch) == X402_OK);
    OK(state_of(payment) == PAY_CAPTURED && test_open_txs() == 0);
    OK(test_replace(batch, ++tx) == X402_ERR_BUSY); /* closed */
    test_failed(payment, X402_ERR_EXPIRED);
}

static void
paid_by_somebody_else(void)
{
    int64_t one = captured_of(3, 1000), two = captured_of(3, 1000), batch;
    int64_t both[2] = {one, two};
    struct ledger_outcome outcome[2] = {{one, true}, {two, true}};
    struct pay_row row;

    batch = test_submit(++tx, both, 2);
    OK(test_paid_by(one, 7000, 102) == X402_OK);
    row = test_get(one);
    OK(row.state == PAY_MINED && row.batch_id == 0 && row.block_number == 102);
    OK(test_paid_by(one, 7001, 103) == X402_ERR_BUSY);
    OK(test_mined(batch, tx, 104, outcome, 2) == X402_OK);
    OK(test_get(one).block_number == 102 && test_get(two).block_number == 104);
    OK(test_unmined(7000) == X402_OK);
    OK(state_of(one) == PAY_CAPTURED && state_of(two) == PAY_MINED);
    OK(test_paid_by(one, 7002, 105) == X402_OK); /* from CAPTURED too */
    OK(test_final(7002) == X402_OK && state_of(one) == PAY_FINAL);
    OK(test_final(tx) == X402_OK && state_of(two) == PAY_FINAL);
}

static void
proof_of_failure(void)
{
    int64_t payment = captured_of(4, 1000);
    struct ledger_reserve in = test_payment(4, ++nonce, 1000);

    OK(test_reserve(&in).mode == PAY_SETTLE_AFTER);
    OK(test_failed(payment, X402_ERR_NONCE_USED) == X402_OK);
    OK(state_of(payment) == PAY_FAILED);
    OK(test_get(payment).reason == X402_ERR_NONCE_USED);
    OK(test_failed(payment, X402_ERR_EXPIRED) == X402_ERR_BUSY);
    OK(test_submit(++tx, &payment, 1) == 0);
    in = test_payment(4, ++nonce, 1000);
    OK(test_reserve(&in).mode == PAY_SETTLE_BEFORE); /* a payer with a loss */
    OK(test_sql("SELECT u64(lost) FROM payer JOIN payment USING (payer) "
                "WHERE state = 7 ORDER BY id DESC LIMIT 1") == 1000);
}

/* Only what was delivered is lost. */
static void
failure_without_a_loss(void)
{
    struct ledger_reserve in = test_payment(5, ++nonce, 1000);
    struct ledger_reserved out;

    in.origin = PAY_ORIGIN_FACILITATOR;
    in.mode = PAY_SETTLE_BEFORE;
    out = test_reserve(&in);
    OK(test_failed(out.payment, X402_ERR_EXPIRED) == X402_OK);
    OK(state_of(out.payment) == PAY_FAILED);
    out = test_reserve(&in);
    OK(out.err == X402_OK && out.row.state == PAY_FAILED);
    in = test_payment(5, ++nonce, 1000);
    OK(test_reserve(&in).mode == PAY_SETTLE_AFTER);
}

static void
a_run_whose_payment_failed(void)
{
    struct ledger_reserve in = test_payment(6, ++nonce, 1000);
    struct ledger_reserved out = test_reserve(&in);

    test_capture(&out.rid, NOW);
    test_finish(&out.rid, X402_TILL_END_SERVER, NOW);
    out = test_reserve(&in);
    OK(out.redeemed);
    OK(test_failed(out.payment, X402_ERR_EXPIRED) == X402_OK);
    OK(test_capture(&out.rid, NOW) == X402_ERR_EXPIRED);
    OK(test_get(out.payment).run == PAY_RUN_DELIVERED);
    OK(test_reserve(&in).err == X402_ERR_REPLAYED);
}

static void
earliest_deadline_first(void)
{
    struct ledger_reserve in;
    struct ledger_reserved out;
    const struct pay_row *rows;
    size_t len;

    for (unsigned i = 0; i < 5; i++) {
        in = test_payment(7, ++nonce, 10);
        in.auth.valid_before_s += (i * 3 + 2) % 5;
        out = test_reserve(&in);
        test_capture(&out.rid, NOW);
    }
    rows = test_due(&len);
    OK(len >= 5);
    for (size_t i = 1; i < len; i++)
        OK(rows[i].auth.valid_before_s >= rows[i - 1].auth.valid_before_s);
    while (len > 0) {
        test_failed(test_due(&len)[0].id, X402_ERR_EXPIRED);
        test_due(&len);
    }
}

/* -- credit -- */

static void
exposure(void)
{
    struct ledger_reserve in = test_payment(10, ++nonce, 600);
    struct ledger_reserved out;
    struct ledger_outcome paid;
    int64_t batch;

    in.balance = x402_amount_of(1000);
    out = test_reserve(&in);
    OK(out.err == X402_OK);
    in = test_payment(10, ++nonce, 401);
    in.balance = x402_amount_of(1000);
    OK(test_reserve(&in).err == X402_ERR_FUNDS);
    in.auth.value = x402_amount_of(400);
    OK(test_reserve(&in).err == X402_OK);
    test_capture(&out.rid, NOW);
    batch = test_submit(++tx, &out.payment, 1);
    in = test_payment(10, ++nonce, 1);
    in.balance = x402_amount_of(1000);
    OK(test_reserve(&in).err == X402_ERR_FUNDS);
    paid = (struct ledger_outcome){out.payment, true};
    test_mined(batch, tx, 101, &paid, 1);
    OK(test_reserve(&in).err == X402_ERR_FUNDS); /* read at block 100 */
    in.balance = x402_amount_of(401);            /* 1000 less the mined 600 */
    in.block_number = 101;
    in.head_number = 101;
    OK(test_reserve(&in).err == X402_OK);
    test_unmined(tx);
    in = test_payment(10, ++nonce, 1);
    in.balance = x402_amount_of(1000);
    OK(test_reserve(&in).err == X402_ERR_FUNDS);
}

static void
a_release_gives_room(void)
{
    struct ledger_reserve one = test_payment(11, ++nonce, 1000),
                          two = test_payment(11, ++nonce, 1000);
    struct ledger_reserved out;

    one.balance = two.balance = x402_amount_of(1000);
    out = test_reserve(&one);
    OK(test_reserve(&two).err == X402_ERR_FUNDS);
    test_release(&out.rid, NOW);
    OK(test_reserve(&two).err == X402_OK);
    OK(test_reserve(&one).err == X402_ERR_FUNDS);
}

static void
the_payers_limit(void)
{
    struct ledger_reserve in;
    struct ledger_reserved out[3];
    struct ledger_outcome paid;
    int64_t batch;

    for (int i = 0; i < 3; i++) {
        in = test_payment(12, ++nonce, 500);
        in.limits.payer = x402_amount_of(1000);
        out[i] = test_reserve(&in);
    }
    OK(out[1].mode == PAY_SETTLE_AFTER && out[2].mode == PAY_SETTLE_BEFORE);
    OK(out[2].row.mode == PAY_SETTLE_BEFORE);
    test_capture(&out[0].rid, NOW);
    batch = test_submit(++tx, &out[0].payment, 1);
    paid = (struct ledger_outcome){out[0].payment, true};
    test_mined(batch, tx, 101, &paid, 1);
    in = test_payment(12, ++nonce, 500);
    in.limits.payer = x402_amount_of(1000);
    in.head_number = 103; /* 101 is two deep: counts until it is three */
    in.block_number = 102;
    in.confirmations = 3;
    OK(test_reserve(&in).mode == PAY_SETTLE_BEFORE);
    in = test_payment(12, ++nonce, 500);
    in.limits.payer = x402_amount_of(1000);
    in.head_number = 103;
    in.block_number = 103;
    in.confirmations = 2;
    OK(test_reserve(&in).mode == PAY_SETTLE_AFTER);
}

static void
the_limit_of_all(void)
{
    struct ledger_reserve in;
    int64_t open = test_sql("SELECT sum(u64(value)) FROM payment "
                            "WHERE mode = 1 AND state IN (1, 3, 4)");

    for (unsigned i = 0; i < 3; i++) {
        in = test_payment(20 + i, ++nonce, 500);
        in.head_number = in.block_number = 200;
        in.limits.total = x402_amount_of(
            (uint64_t)(open + 1000 +
                       test_sql("SELECT coalesce(sum(u64(value)), 0) "
                                "FROM loss")));
        OK(test_reserve(&in).mode ==
           (i < 2 ? PAY_SETTLE_AFTER : PAY_SETTLE_BEFORE));
    }
    in = test_payment(30, ++nonce, 500);
    in.limits.payer = x402_amount_of(0);
    OK(test_reserve(&in).mode == PAY_SETTLE_BEFORE);
}

static void
losses_of_a_day(void)
{
    struct ledger_reserve in = test_payment(31, ++nonce, 500);
    int64_t open = test_sql("SELECT sum(u64(value)) FROM payment "
                            "WHERE mode = 1 AND state IN (1, 3, 4)");

    OK(test_sql("SELECT count(*) FROM loss") > 0);
    test_close();
    test_open();
    in.head_number = in.block_number = 300;
    in.limits.total = x402_amount_of((uint64_t)open + 500);
    OK(test_reserve(&in).mode == PAY_SETTLE_BEFORE);
    in = test_payment(31, ++nonce, 500);
    in.head_number = in.block_number = 300;
    in.limits.total = x402_amount_of((uint64_t)open + 500);
    in.now_ms = NOW + 24 * 3600 * 1000 + 1;
    OK(test_reserve(&in).mode == PAY_SETTLE_AFTER);
}

static void
huge_amounts(void)
{
    struct ledger_reserve in = test_payment(32, ++nonce, 1);
    uint8_t most[32];

    memset(most, 0xff, sizeof most);
    x402_amount_from_be32(&in.balance, most);
    x402_amount_from_be32(&in.auth.value, most);
    in.mode = PAY_SETTLE_BEFORE;
    OK(test_reserve(&in).err == X402_OK);
    in = test_payment(32, ++nonce, 1);
    x402_amount_from_be32(&in.balance, most);
    OK(test_reserve(&in).err == X402_ERR_FUNDS);
}

static void
the_bucket_of_releases(void)
{
    struct ledger_reserve in;
    struct ledger_reserved out;
    int granted = 0;

    for (int i = 0; i < 70; i++) {
        in = test_payment(33, ++nonce, 1);
        out = test_reserve(&in);
        if (out.err == X402_OK)
            test_release(&out.rid, NOW);
        granted += out.err == X402_OK;
    }
    OK(granted == 60 && out.err == X402_ERR_RATE);
    in.now_ms = NOW + 1000;
    OK(test_reserve(&in).err == X402_OK);
    in = test_payment(34, ++nonce, 1);
    OK(test_reserve(&in).err == X402_OK); /* another payer */
}

static void (*const all[])(void) = {
    a_batch_to_its_end,
    all_or_nothing,
    a_reorg,
    paid_by_somebody_else,
    proof_of_failure,
    failure_without_a_loss,
    a_run_whose_payment_failed,
    earliest_deadline_first,
    exposure,
    a_release_gives_room,
    the_payers_limit,
    the_limit_of_all,
    losses_of_a_day,
    the_bucket_of_releases,
    huge_amounts,
};

int
main(void)
{
    test_folder();
    test_open();
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        const char *wrong;

        all[i]();
        if (all[i] == huge_amounts)
            continue; /* beyond what the audit can count */
        wrong = test_audit();
        test_ok(wrong == NULL, "the counters add up: %s",
                wrong != NULL ? wrong : "all");
    }
    test_close();
    return test_done();
}
