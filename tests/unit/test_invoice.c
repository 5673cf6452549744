/* SPDX-License-Identifier: Apache-2.0 */
/* Invoices in the ledger: the states, one payment hash for one success, leases,
 * what the node says, and what is kept. */
#include <string.h>

#include "ledger/invoice.h"
#include "ledger_test.h"

#define EXPIRES (NOW / 1000 + 60)

static const uint8_t worker[16] = {7};

struct waited {
    int done;
    enum x402_err err;
    int64_t payment;
    struct ledger_invoice_claimed claimed;
    struct invoice_row row[64];
    size_t len;
};

static void
on_plain(void *arg, enum x402_err err, int64_t payment)
{
    struct waited *w = arg;

    w->err = err;
    w->payment = payment;
    w->done = 1;
}

static void
on_claimed(void *arg, const struct ledger_invoice_claimed *out)
{
    struct waited *w = arg;

    w->claimed = *out;
    w->done = 1;
}

static void
on_rows(void *arg, const struct invoice_row *rows, size_t len)
{
    struct waited *w = arg;

    w->len = len;
    memcpy(w->row, rows, len * sizeof *rows);
    w->done = 1;
}

/* -- commands that wait -- */

static struct ledger_invoice
invoice(uint8_t n)
{
    struct ledger_invoice in = {.amount = {21000},
                                .unit = X402_TILL_MILLISAT,
                                .expires_s = EXPIRES,
                                .resource = "https://a.example/x",
                                .now_ms = NOW};

    memset(in.payment_hash, n, 32);
    memset(in.request_hash, 0xee, 32);
    return in;
}

static enum x402_err
issue(uint8_t n)
{
    struct ledger_invoice in = invoice(n);
    struct waited w = {0};

    ledger_invoice_issue(test_ledger, &in, on_plain, &w);
    test_wait(&w.done);
    return w.err;
}

static int64_t
news(uint8_t n, bool settled, uint64_t msat, uint64_t settle_index)
{
    struct ledger_invoice_news in = {.settled = settled,
                                     .lapsed = !settled,
                                     .paid = {msat},
                                     .settle_index = settle_index,
                                     .now_ms = NOW};
    struct waited w = {0};

    memset(in.payment_hash, n, 32);
    ledger_invoice_news(test_ledger, &in, on_plain, &w);
    test_wait(&w.done);
    return w.payment;
}

static struct ledger_invoice_claim
claim_of(uint8_t n)
{
    struct ledger_invoice_claim in = {.dialect = X402_TILL_LNBTC,
                                      .now_ms = NOW};

    memset(in.payment_hash, n, 32);
    memset(in.request_hash, 0xee, 32);
    memcpy(in.worker, worker, 16);
    return in;
}

static struct ledger_invoice_claimed
claim_with(const struct ledger_invoice_claim *in)
{
    struct waited w = {0};

    ledger_invoice_claim(test_ledger, in, on_claimed, &w);
    test_wait(&w.done);
    return w.claimed;
}

static struct ledger_invoice_claimed
claim(uint8_t n)
{
    struct ledger_invoice_claim in = claim_of(n);

    return claim_with(&in);
}

static enum invoice_state
state_of(uint8_t n)
{
    struct invoice_row row;
    uint8_t hash[32];

    memset(hash, n, 32);
    return ledger_invoice_find(test_ledger, hash, &row) ? row.state : 0;
}

static struct x402_rid
paid_and_claimed(uint8_t n)
{
    struct ledger_invoice_claimed out;

    if (issue(n) != X402_OK || news(n, true, 21000, n) == 0)
        test_ok(false, "could not pay");
    out = claim(n);
    if (out.err != X402_OK)
        test_ok(false, "could not claim");
    return out.rid;
}

/* -- the tests -- */

static void
one_paid_request(void)
{
    struct ledger_invoice_claimed out;

    OK(issue(1) == X402_OK);
    OK(issue(1) == X402_ERR_LN_USED);
    OK(state_of(1) == INVOICE_ISSUED);
    OK(claim(1).err == X402_ERR_LN_NOT_PAID);
    OK(news(1, true, 21000, 1) != 0);
    OK(news(1, true, 21000, 1) == 0); /* idempotent */
    OK(state_of(1) == INVOICE_PAID);
    out = claim(1);
    OK(out.err == X402_OK && !out.redeemed && out.row.amount.value == 21000);
    OK(claim(1).err == X402_ERR_LN_IN_FLIGHT);
    OK(test_capture(&out.rid, NOW) == X402_OK);
    OK(test_capture(&out.rid, NOW) == X402_OK);
    OK(claim(1).err == X402_ERR_LN_IN_FLIGHT);
    OK(test_started(&out.rid) == X402_OK);
    OK(test_finish(&out.rid, X402_TILL_END_COMPLETE, NOW) == X402_OK);
    OK(test_finish(&out.rid, X402_TILL_END_SERVER, NOW) == X402_OK);
    OK(state_of(1) == INVOICE_FINAL);
    OK(claim(1).err == X402_ERR_LN_USED);
    OK(test_release(&out.rid, NOW) == X402_OK);
    OK(state_of(1) == INVOICE_FINAL);
}

static void
what_is_refused(void)
{
    struct ledger_invoice_claim in;

    OK(claim(200).err == X402_ERR_OFFER);
    OK(issue(2) == X402_OK && news(2, true, 21000, 2) != 0);
    in = claim_of(2);
    in.request_hash[0] ^= 1;
    OK(claim_with(&in).err == X402_ERR_LN_REQUEST);
    in = claim_of(2);
    in.now_ms = (EXPIRES + INVOICE_REDEEM_S + 1) * 1000;
    OK(claim_with(&in).err == X402_ERR_LN_INVOICE_EXPIRED);
    in.now_ms -= 1000;
    OK(claim_with(&in).err == X402_OK);
}

/* F07: less is not enough, more is */
static void
amounts(void)
{
    struct ledger_invoice_claim in;

    OK(issue(3) == X402_OK && news(3, true, 20999, 3) != 0);
    OK(claim(3).err == X402_ERR_LN_AMOUNT);
    OK(issue(4) == X402_OK && news(4, true, 42000, 4) != 0);
    OK(claim(4).err == X402_OK);
    OK(issue(5) == X402_OK);
    in = claim_of(5);
    in.settled = true;
    in.paid.value = 20999;
    OK(claim_with(&in).err == X402_ERR_LN_AMOUNT);
    OK(state_of(5) == INVOICE_ISSUED);
    in.paid.value = 21000;
    OK(claim_with(&in).err == X402_OK);
    OK(state_of(5) == INVOICE_RESERVED);
}

static void
release_and_redeem(void)
{
    struct x402_rid rid = paid_and_claimed(10), again;
    struct ledger_invoice_claimed out;

    OK(test_release(&rid, NOW) == X402_OK && state_of(10) == INVOICE_PAID);
    OK(test_capture(&rid, NOW) == X402_ERR_UNKNOWN_RESERVATION);
    out = claim(10);
    OK(out.err == X402_OK && !out.redeemed);
    OK(test_capture(&out.rid, NOW) == X402_OK);
    OK(test_finish(&out.rid, X402_TILL_END_SERVER, NOW) == X402_OK);
    OK(state_of(10) == INVOICE_PAID);
    out = claim(10);
    OK(out.err == X402_OK && out.redeemed);
    again = out.rid;
    OK(test_capture(&again, NOW) == X402_OK);
    OK(test_finish(&again, X402_TILL_END_SERVER, NOW) == X402_OK);
    OK(state_of(10) == INVOICE_FINAL); /* one more run, not two */
    OK(claim(10).err == X402_ERR_LN_USED);
}

static void
how_runs_end(void)
{
    struct x402_rid rid = paid_and_claimed(11);

    /* never captured */
    OK(test_finish(&rid, X402_TILL_END_CLIENT, NOW) == X402_OK);
    OK(state_of(11) == INVOICE_PAID);
    rid = paid_and_claimed(12);
    OK(test_capture(&rid, NOW) == X402_OK && test_started(&rid) == X402_OK);
    OK(test_finish(&rid, X402_TILL_END_CLIENT, NOW) == X402_OK);
    OK(state_of(12) == INVOICE_FINAL);
    rid = paid_and_claimed(13);
    OK(test_capture(&rid, NOW) == X402_OK);
    OK(test_finish(&rid, X402_TILL_END_CLIENT, NOW) == X402_OK);
    OK(state_of(13) == INVOICE_PAID); /* not a byte had left */
}

static void
too_many_releases(void)
{
    struct ledger_invoice_claim in = claim_of(14);
    struct x402_rid rid = paid_and_claimed(14);
    int n = 1;

    for (; n < 5; n++) {
        (void)test_release(&rid, NOW);
        rid = claim_with(&in).rid;
    }
    (void)test_release(&rid, NOW);
    OK(claim_with(&in).err == X402_ERR_RATE);
    in.now_ms = NOW + 10000;
    OK(claim_with(&in).err == X402_OK);
}

static void
leases(void)
{
    struct x402_rid held = paid_and_claimed(20), lost = paid_and_claimed(21);
    struct ledger_reserve in = test_payment(1, 99, 1000);
    struct ledger_reserved out;

    memcpy(in.worker, worker, 16);
    out = test_reserve(&in);
    OK(out.err == X402_OK && test_workers() == 1);
    OK(test_lease_end(worker, &held, 1, NOW) == X402_OK);
    OK(state_of(20) == INVOICE_RESERVED && state_of(21) == INVOICE_PAID);
    OK(test_get(out.payment).state == PAY_RELEASED);
    OK(test_capture(&lost, NOW) == X402_ERR_UNKNOWN_RESERVATION);
    OK(test_capture(&held, NOW) == X402_OK);
    OK(test_lease_end(worker, NULL, 0, NOW) == X402_OK);
    OK(state_of(20) == INVOICE_PAID);
    OK(test_workers() == 0);
}

static void
late_and_lapsed(void)
{
    struct waited w = {0};

    OK(issue(30) == X402_OK && news(30, false, 0, 0) == 0);
    OK(state_of(30) == INVOICE_LAPSED);
    OK(claim(30).err == X402_ERR_LN_NOT_PAID);
    /* F13: recorded as paid, never "unpaid" */
    OK(news(30, true, 21000, 0) != 0 && state_of(30) == INVOICE_PAID);
    OK(news(30, false, 0, 0) == 0 && state_of(30) == INVOICE_PAID);
    OK(issue(31) == X402_OK && news(31, false, 0, 0) == 0);
    ledger_invoices_prune(test_ledger, EXPIRES + 1, 100, on_plain, &w);
    test_wait(&w.done);
    OK(w.err == X402_OK && state_of(31) == 0 && state_of(30) == INVOICE_PAID);
}

/* -- hold invoices -- */

static struct ledger_invoice_claimed
hold_and_claim(uint8_t n)
{
    struct ledger_invoice in = invoice(n);
    struct ledger_invoice_claim claim_in = claim_of(n);
    struct waited w = {0};

    in.held = true;
    memset(in.preimage, 0xaa, 32);
    ledger_invoice_issue(test_ledger, &in, on_plain, &w);
    test_wait(&w.done);
    OK(claim_with(&claim_in).err == X402_ERR_LN_NOT_PAID);
    claim_in.held = true;
    claim_in.paid = in.amount;
    return claim_with(&claim_in);
}

static enum invoice_hold
hold_of(uint8_t n)
{
    struct invoice_row row;
    uint8_t hash[32];

    memset(hash, n, 32);
    return ledger_invoice_find(test_ledger, hash, &row) ? row.hold : HOLD_NONE;
}

static void
resolve(uint8_t n, enum invoice_hold hold)
{
    struct waited w = {0};
    uint8_t hash[32];

    memset(hash, n, 32);
    ledger_invoice_resolve(test_ledger, hash, hold, test_now_ms, on_plain, &w);
    test_wait(&w.done);
    OK(w.err == X402_OK);
}

static void
held(void)
{
    struct ledger_invoice_claim late = claim_of(61);
    struct ledger_invoice_claimed good = hold_and_claim(60);
    struct ledger_invoice_claimed bad = hold_and_claim(61);
    struct waited w = {0};

    OK(good.err == X402_OK && bad.err == X402_OK);
    OK(state_of(60) == INVOICE_RESERVED && hold_of(60) == HOLD_OPEN);
    OK(!ledger_invoices_any_decided(test_ledger));
    OK(test_capture(&good.rid, NOW) == X402_OK);
    OK(state_of(60) == INVOICE_FINAL && hold_of(60) == HOLD_SETTLE);
    OK(test_release(&bad.rid, NOW) == X402_OK);
    OK(state_of(61) == INVOICE_LAPSED && hold_of(61) == HOLD_CANCEL);
    late.held = true; /* the node was not told yet */
    OK(claim_with(&late).err == X402_ERR_LN_NOT_PAID);
    OK(ledger_invoices_any_decided(test_ledger));
    ledger_invoices_decided(test_ledger, 0, 8, on_rows, &w);
    test_wait(&w.done);
    OK(w.len == 2 && w.row[0].preimage[31] == 0xaa);
    w.done = 0; /* what is to be told is not forgotten */
    ledger_invoices_prune(test_ledger, EXPIRES + 1, 100, on_plain, &w);
    test_wait(&w.done);
    OK(state_of(61) == INVOICE_LAPSED);
    resolve(60, HOLD_SETTLED);
    resolve(61, HOLD_CANCELLED);
    resolve(60, HOLD_LOST); /* too late: nothing changes */
    OK(hold_of(60) == HOLD_SETTLED && hold_of(61) == HOLD_CANCELLED);
    OK(!ledger_invoices_any_decided(test_ledger));
    /* charged, and broken off: once more without a decision */
    OK(test_finish(&good.rid, X402_TILL_END_SERVER, NOW) == X402_OK);
    good = claim(60);
    OK(good.err == X402_OK && good.redeemed);
    OK(test_release(&good.rid, NOW) == X402_OK);
    OK(state_of(60) == INVOICE_PAID && hold_of(60) == HOLD_SETTLED);
}

static void
held_and_left(void)
{
    struct ledger_invoice in = invoice(62);
    struct ledger_invoice_news over = {.overdue = true, .now_ms = NOW};
    struct waited w = {0};

    in.held = true;
    ledger_invoice_issue(test_ledger, &in, on_plain, &w);
    test_wait(&w.done);
    memset(over.payment_hash, 62, 32);
    w.done = 0;
    ledger_invoice_news(test_ledger, &over, on_plain, &w);
    test_wait(&w.done);
    OK(state_of(62) == INVOICE_LAPSED && hold_of(62) == HOLD_CANCEL);
    OK(news(62, true, 21000, 0) != 0); /* settled all the same, by hand */
    OK(state_of(62) == INVOICE_PAID && hold_of(62) == HOLD_SETTLED);
    /* an invoice that is not held is never given back */
    OK(issue(63) == X402_OK);
    memset(over.payment_hash, 63, 32);
    w.done = 0;
    ledger_invoice_news(test_ledger, &over, on_plain, &w);
    test_wait(&w.done);
    OK(state_of(63) == INVOICE_ISSUED && hold_of(63) == HOLD_NONE);
    OK(news(63, false, 0, 0) == 0);
}

/* -- what the ledger can say of it later -- */

static struct ledger_invoice_claimed
claim_at(uint8_t n, bool held, unsigned ms)
{
    struct ledger_invoice_claim in = claim_of(n);

    in.held = held;
    in.paid.value = held ? 21000 : 0;
    in.now_ms = NOW + ms;
    return claim_with(&in);
}

static void
is_history(uint8_t n, const char *expected)
{
    struct invoice_row row;
    uint8_t hash[32];
    const char *steps;

    memset(hash, n, 32);
    OK(ledger_invoice_find(test_ledger, hash, &row));
    steps = test_history(LEDGER_INVOICE, row.id);
    test_ok(strcmp(steps, expected) == 0, "history: %s", steps);
}

static void
histories(void)
{
    struct ledger_invoice_claimed out;

    OK(issue(70) == X402_OK && news(70, true, 21000, 0) != 0);
    out = claim_at(70, false, 10);
    OK(test_release(&out.rid, NOW + 20) == X402_OK);
    out = claim_at(70, false, 30);
    OK(test_lease_end(worker, NULL, 0, NOW + 40) == X402_OK);
    out = claim_at(70, false, 50);
    OK(test_capture(&out.rid, NOW + 60) == X402_OK);
    OK(test_finish(&out.rid, X402_TILL_END_SERVER, NOW + 70) == X402_OK);
    out = claim_at(70, false, 80);
    OK(test_capture(&out.rid, NOW + 90) == X402_OK);
    OK(test_finish(&out.rid, X402_TILL_END_COMPLETE, NOW + 100) == X402_OK);
    is_history(70,
               "issued+0 paid+0 reserved+10 released+20[500] again+30 gone+40 "
               "again+50 captured+60 broken+70[3] redeemed+80 answered+90 "
               "delivered+100");
}

static void
histories_of_held(void)
{
    struct ledger_invoice_claimed out = hold_and_claim(71);

    OK(test_capture(&out.rid, NOW + 20) == X402_OK);
    OK(test_finish(&out.rid, X402_TILL_END_COMPLETE, NOW + 25) == X402_OK);
    test_now_ms = NOW + 30;
    resolve(71, HOLD_SETTLED);
    is_history(71, "issued+0 paid+0 reserved+0 captured+20 delivered+25 "
                   "settled+30");
    out = hold_and_claim(72);
    OK(test_release(&out.rid, NOW + 20) == X402_OK);
    resolve(72, HOLD_CANCELLED);
    is_history(72, "issued+0 paid+0 reserved+0 released+20[500] cancelled+30");
    test_now_ms = NOW;
    /* events go with an invoice that is forgotten, others stay */
    OK(issue(73) == X402_OK && news(73, false, 0, 0) == 0);
    is_history(73, "issued+0 lapsed+0");
    OK(news(73, true, 21000, 0) != 0);
    is_history(73, "issued+0 paid+0 lapsed+0");
}

static void
forgotten_with_its_history(void)
{
    struct waited w = {0};
    int64_t before = test_sql("SELECT count(*) FROM event WHERE rail = 2");
    int64_t of_72 = test_sql("SELECT count(*) FROM event WHERE rail = 2 AND "
                             "subject IN (SELECT id FROM invoice WHERE "
                             "state = 5 AND hold <> 3)");

    ledger_invoices_prune(test_ledger, EXPIRES + 1, 100, on_plain, &w);
    test_wait(&w.done);
    OK(of_72 > 0 &&
       test_sql("SELECT count(*) FROM event WHERE rail = 2") == before - of_72);
}

static void
cursor_and_lists(void)
{
    struct waited w = {0};
    struct invoice_cursor cursor;

    OK(news(200, true, 1, 77) == 0); /* not ours: moves the cursor */
    cursor = ledger_invoice_cursor(test_ledger);
    OK(cursor.settle_index == 77);
    OK(news(200, true, 1, 5) == 0);
    cursor = ledger_invoice_cursor(test_ledger);
    OK(cursor.settle_index == 77);
    OK(issue(40) == X402_OK && issue(41) == X402_OK);
    OK(ledger_invoices_outstanding(test_ledger, NOW / 1000, 1000) == 2);
    OK(ledger_invoices_outstanding(test_ledger, NOW / 1000, 1) == 1);
    OK(ledger_invoices_outstanding(test_ledger, EXPIRES, 1000) == 0);
    ledger_invoices_issued(test_ledger, 0, 0, 1, on_rows, &w);
    test_wait(&w.done);
    OK(w.len == 1 && w.row[0].payment_hash[0] == 40);
    w.done = 0;
    ledger_invoices_issued(test_ledger, w.row[0].expires_s, w.row[0].id, 64,
                           on_rows, &w);
    test_wait(&w.done);
    OK(w.len == 1 && w.row[0].payment_hash[0] == 41);
}

static void
restart(void)
{
    struct x402_rid rid = paid_and_claimed(50);

    test_close();
    test_open();
    OK(state_of(50) == INVOICE_RESERVED && test_workers() == 1);
    OK(test_capture(&rid, NOW) == X402_OK);
    OK(test_finish(&rid, X402_TILL_END_COMPLETE, NOW) == X402_OK);
    OK(claim(50).err == X402_ERR_LN_USED);
    OK(ledger_invoice_cursor(test_ledger).settle_index == 77);
}

int
main(void)
{
    test_folder();
    test_open();
    one_paid_request();
    what_is_refused();
    amounts();
    release_and_redeem();
    how_runs_end();
    too_many_releases();
    test_lease_end(worker, NULL, 0, NOW);
    leases();
    late_and_lapsed();
    held();
    held_and_left();
    histories();
    histories_of_held();
    forgotten_with_its_history();
    cursor_and_lists();
    restart();
    OK(test_audit() == NULL);
    test_close();
    return test_done();
}
