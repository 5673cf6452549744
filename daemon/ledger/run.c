/* SPDX-License-Identifier: Apache-2.0 */
/* A run: the one request that a payment buys.  capture, release, started,
 * done. */
#include <stdlib.h>
#include <string.h>

#include "../failpoint.h"
#include "internal.h"
#include "invoice_inside.h"

struct run {
    struct plain plain;
    struct x402_rid rid;
    uint64_t now_ms;
    unsigned margin_s;
    bool has_charge;
    struct x402_amount charge;
    enum x402_till_end end;
    unsigned status;
};

void
plain_fail(struct command *command, enum x402_err err)
{
    ((struct plain *)command)->err = err;
}

void
plain_deliver(struct command *command)
{
    struct plain *plain = (struct plain *)command;

    plain->cb(plain->arg, plain->err, plain->payment);
    free(plain);
}

/* ?1 is the row, ?2 and ?3 are the same everywhere. */
static sqlite3_stmt *
edge(struct ledger *ledger, enum statement which, int64_t id, uint64_t now_ms)
{
    sqlite3_stmt *stmt = db_use(&ledger->write, which);

    bind_int(stmt, 1, id);
    bind_int(stmt, 2, ledger->epoch);
    bind_int(stmt, 3, (int64_t)now_ms);
    return stmt;
}

/* -- how a run ends -- */

static void
end_charged(struct ledger *ledger, const struct row *row, enum pay_run run,
            bool delivered, uint64_t now_ms)
{
    sqlite3_stmt *stmt = edge(ledger, SQL_RUN_END, row->pay.id, now_ms);

    bind_int(stmt, 4, run);
    bind_int(stmt, 5, delivered);
    db_run_one(&ledger->write, stmt);
    row_count(ledger, row->pay.state, row->pay.run, row->pay.state, run);
}

/* RESERVED -> RELEASED.  Counted, except where it is not the request that
 * failed: a settle-first payment that was never submitted. */
static void
end_reserved(struct ledger *ledger, const struct row *row, bool counted,
             const struct ledger_step *why)
{
    sqlite3_stmt *stmt = edge(ledger, SQL_RELEASE, row->pay.id, why->at_ms);
    struct money money = money_of(&row->pay);

    bind_int(stmt, 4, counted);
    bind_int(stmt, 5, why->reason);
    db_run_one(&ledger->write, stmt);
    row_count(ledger, PAY_RESERVED, PAY_RUN_OPEN, PAY_RELEASED, PAY_RUN_NONE);
    credit_close(ledger, &money);
    event_note(ledger, LEDGER_PAYMENT, row->pay.id, why);
}

/* It cannot be captured any more, or not so much. */
static enum x402_err
refuse_capture(struct ledger *ledger, const struct run *run,
               const struct row *row, enum x402_err reason)
{
    struct ledger_step why = {
        .what = EVENT_RELEASED, .at_ms = run->now_ms, .reason = reason};

    end_reserved(ledger, row, false, &why);
    return reason;
}

/* "never started, or ended by our or the upstream's fault": once more. */
static enum pay_run
after_break(const struct row *row)
{
    if (row->pay.state == PAY_FAILED || row->pay.runs >= LEDGER_RUNS_MAX)
        return PAY_RUN_DELIVERED;
    return PAY_RUN_REDEEMABLE;
}

static void
break_charged(struct ledger *ledger, const struct row *row, enum pay_run run,
              const struct ledger_step *why)
{
    end_charged(ledger, row, run, false, why->at_ms);
    event_note(ledger, LEDGER_PAYMENT, row->pay.id, why);
}

void
run_break(struct ledger *ledger, const struct row *row,
          const struct ledger_step *why)
{
    if (row->pay.run != PAY_RUN_OPEN)
        return;
    if (row->pay.state == PAY_RESERVED)
        end_reserved(ledger, row, row->pay.mode == PAY_SETTLE_AFTER, why);
    else
        break_charged(ledger, row, after_break(row), why);
}

/* The worker says so: work was done for nothing, of which a payer may cause
 * only so much.  (The end of a lease is nothing that a payer can cause.) */
static void
run_give_up(struct ledger *ledger, const struct row *row,
            const struct ledger_step *why)
{
    struct money money = money_of(&row->pay);

    if (money.state == PAY_RESERVED && money.mode == PAY_SETTLE_AFTER)
        credit_release(ledger, &money, why->at_ms);
    run_break(ledger, row, why);
}

/* -- capture -- */

static uint64_t
deadline_s(const struct run *run)
{
    return run->now_ms / 1000 + run->margin_s;
}

/* Nearly always: RESERVED, in time, by its own worker.  One statement that
 * says all of that; false: look what else it is. */
static bool
capture_at_once(struct ledger *ledger, struct run *run)
{
    int64_t id = rid_row(&run->rid);
    sqlite3_stmt *stmt = edge(ledger, SQL_CAPTURE, id, run->now_ms);

    bind_blob(stmt, 4, run->rid.byte, sizeof run->rid.byte);
    bind_int(stmt, 5, mutant("capture_late") ? 0 : (int64_t)deadline_s(run));
    if (db_run(&ledger->write, stmt) != 1)
        return false;
    row_count(ledger, PAY_RESERVED, PAY_RUN_OPEN, PAY_CAPTURED, PAY_RUN_OPEN);
    run->plain.err = X402_OK;
    run->plain.payment = id;
    return true;
}

static void
note(struct ledger *ledger, const struct run *run, enum ledger_event what,
     int64_t id)
{
    struct ledger_step step = {.what = what, .at_ms = run->now_ms};

    event_note(ledger, LEDGER_PAYMENT, id, &step);
}

/* upto: "The settled amount MAY be 0".  Nothing will be sent, and the
 * authorization is not taken again. */
static enum x402_err
capture_nothing(struct ledger *ledger, const struct run *run,
                const struct row *row)
{
    struct money money = money_of(&row->pay);

    db_run_one(&ledger->write,
               edge(ledger, SQL_CAPTURE_NOTHING, row->pay.id, run->now_ms));
    row_count(ledger, PAY_RESERVED, PAY_RUN_OPEN, PAY_RELEASED, PAY_RUN_NONE);
    credit_close(ledger, &money);
    note(ledger, run, EVENT_NOTHING_TAKEN, row->pay.id);
    return X402_OK;
}

/* upto: what the work did cost.  "The settled amount MUST be <= the authorized
 * maximum." */
static enum x402_err
capture_part(struct ledger *ledger, const struct run *run,
             const struct row *row)
{
    struct money money = money_of(&row->pay);
    sqlite3_stmt *stmt;

    if (row->pay.method != X402_METHOD_PERMIT2_UPTO ||
        x402_amount_cmp(&run->charge, &row->pay.auth.value) > 0)
        return refuse_capture(ledger, run, row, X402_ERR_OVERRIDE);
    if (x402_amount_is_zero(&run->charge))
        return capture_nothing(ledger, run, row);
    stmt = edge(ledger, SQL_CAPTURE_PART, row->pay.id, run->now_ms);
    bind_amount(stmt, 4, &run->charge);
    db_run_one(&ledger->write, stmt);
    row_count(ledger, PAY_RESERVED, PAY_RUN_OPEN, PAY_CAPTURED, PAY_RUN_OPEN);
    credit_close(ledger, &money);
    money.value = run->charge;
    credit_open(ledger, &money);
    return X402_OK;
}

static enum x402_err
capture_reserved(struct ledger *ledger, const struct run *run,
                 const struct row *row)
{
    if (run->has_charge && row->pay.auth.valid_before_s >= deadline_s(run))
        return capture_part(ledger, run, row);
    /* too late, or it were captured by now */
    return refuse_capture(ledger, run, row, X402_ERR_EXPIRED);
}

/* A settle-first or redeemed run: the money is there already. */
static enum x402_err
capture_charged(struct ledger *ledger, const struct run *run,
                const struct row *row)
{
    db_run_one(&ledger->write,
               edge(ledger, SQL_CAPTURE_CHARGED, row->pay.id, run->now_ms));
    if (row->pay.runs > 0)
        note(ledger, run, EVENT_ANSWERED_AGAIN, row->pay.id);
    return X402_OK;
}

static enum x402_err
capture(struct ledger *ledger, const struct run *run, const struct row *row)
{
    if (row->taken)
        return X402_OK;
    if (row->pay.run != PAY_RUN_OPEN)
        return X402_ERR_UNKNOWN_RESERVATION;
    switch (row->pay.state) {
    case PAY_RESERVED:
        return capture_reserved(ledger, run, row);
    case PAY_CAPTURED:
    case PAY_SUBMITTED:
    case PAY_MINED:
    case PAY_FINAL:
        return capture_charged(ledger, run, row);
    case PAY_FAILED:
        end_charged(ledger, row, PAY_RUN_DELIVERED, false, run->now_ms);
        return X402_ERR_EXPIRED;
    case PAY_RELEASED:
        break;
    }
    return X402_ERR_UNKNOWN_RESERVATION;
}

static bool
find(struct ledger *ledger, struct run *run, struct row *row)
{
    run->plain.err = X402_OK;
    run->plain.payment = 0;
    if (!row_by_rid(&ledger->write, &run->rid, row))
        return false;
    run->plain.payment = row->pay.id;
    return true;
}

static void
capture_run(struct ledger *ledger, struct command *command)
{
    struct run *run = (struct run *)command;
    struct row row;

    if (rid_is_invoice(&run->rid)) {
        run->plain.err = invoice_capture(ledger, &run->rid, run->now_ms);
        return;
    }
    if (!run->has_charge && capture_at_once(ledger, run))
        return;
    run->plain.err = find(ledger, run, &row) ? capture(ledger, run, &row)
                                             : X402_ERR_UNKNOWN_RESERVATION;
}

/* An id that is not there any more was released before: nothing to do. */
static void
release_run(struct ledger *ledger, struct command *command)
{
    struct run *run = (struct run *)command;
    struct ledger_step why = {
        .what = EVENT_RELEASED, .at_ms = run->now_ms, .detail = run->status};
    struct row row;

    if (rid_is_invoice(&run->rid)) {
        run->plain.err = X402_OK;
        invoice_break(ledger, &run->rid, &why);
    } else if (find(ledger, run, &row)) {
        run_give_up(ledger, &row, &why);
    }
}

static void
started_run(struct ledger *ledger, struct command *command)
{
    struct run *run = (struct run *)command;
    struct row row;
    sqlite3_stmt *stmt;

    if (rid_is_invoice(&run->rid)) {
        run->plain.err = invoice_started(ledger, &run->rid);
        return;
    }
    if (!find(ledger, run, &row)) {
        run->plain.err = X402_ERR_UNKNOWN_RESERVATION;
        return;
    }
    stmt = db_use(&ledger->write, SQL_STARTED);
    bind_int(stmt, 1, row.pay.id);
    bind_int(stmt, 2, ledger->epoch);
    db_run(&ledger->write, stmt);
}

static void
done(struct ledger *ledger, const struct run *run, const struct row *row)
{
    struct ledger_step why = {
        .what = EVENT_BROKEN, .at_ms = run->now_ms, .detail = run->end};

    if (row->pay.run != PAY_RUN_OPEN)
        return;
    if (!row->taken) {
        run_give_up(ledger, row, &why);
        return;
    }
    switch (run->end) {
    case X402_TILL_END_COMPLETE:
        end_charged(ledger, row, PAY_RUN_DELIVERED, true, run->now_ms);
        return;
    case X402_TILL_END_CLIENT:
        break_charged(ledger, row,
                      row->started ? PAY_RUN_DELIVERED : after_break(row),
                      &why);
        return;
    case X402_TILL_END_SERVER:
        run_break(ledger, row, &why);
        return;
    }
}

/* Nearly always: captured, and every byte was sent. */
static bool
deliver_at_once(struct ledger *ledger, struct run *run)
{
    sqlite3_stmt *stmt;

    if (run->end != X402_TILL_END_COMPLETE)
        return false;
    stmt = edge(ledger, SQL_DELIVERED, rid_row(&run->rid), run->now_ms);
    bind_blob(stmt, 4, run->rid.byte, sizeof run->rid.byte);
    return db_run(&ledger->write, stmt) == 1; /* no state changed: no count */
}

static void
done_run(struct ledger *ledger, struct command *command)
{
    struct run *run = (struct run *)command;
    struct row row;

    run->plain.err = X402_OK;
    run->plain.payment = rid_row(&run->rid);
    if (rid_is_invoice(&run->rid)) {
        run->plain.err = invoice_done(ledger, &run->rid, run->end, run->now_ms);
        return;
    }
    if (deliver_at_once(ledger, run))
        return;
    if (find(ledger, run, &row))
        done(ledger, run, &row);
    else
        run->plain.err = X402_ERR_UNKNOWN_RESERVATION;
}

/* -- sending -- */

static struct run *
new_run(void (*run)(struct ledger *, struct command *),
        const struct x402_rid *rid, ledger_cb cb, void *arg)
{
    struct run *command = command_new(sizeof *command);

    command->plain.head.run = run;
    command->plain.head.fail = plain_fail;
    command->plain.head.deliver = plain_deliver;
    command->plain.cb = cb;
    command->plain.arg = arg;
    command->rid = *rid;
    return command;
}

static void
send_run(struct ledger *ledger, struct run *run)
{
    (void)command_send(ledger, &run->plain.head, false);
}

void
ledger_capture(struct ledger *ledger, const struct x402_rid *rid,
               const struct x402_amount *charge, uint64_t now_ms,
               unsigned margin_s, ledger_cb cb, void *arg)
{
    struct run *run = new_run(capture_run, rid, cb, arg);

    run->has_charge = charge != NULL;
    if (charge != NULL)
        run->charge = *charge;

    run->now_ms = now_ms;
    run->margin_s = margin_s;
#ifdef X402_MUTANTS
    if (mutant("capture_before_commit")) {
        run->plain.cb = ledger_nobody;
        cb(arg, X402_OK, 0);
    }
#endif
    send_run(ledger, run);
}

void
ledger_release(struct ledger *ledger, const struct x402_rid *rid,
               unsigned status, uint64_t now_ms, ledger_cb cb, void *arg)
{
    struct run *run = new_run(release_run, rid, cb, arg);

    run->status = status;
    run->now_ms = now_ms;
    send_run(ledger, run);
}

void
ledger_started(struct ledger *ledger, const struct x402_rid *rid, ledger_cb cb,
               void *arg)
{
    struct run *run = new_run(started_run, rid, cb, arg);

    run->plain.head.lazy = true;
    send_run(ledger, run);
}

void
ledger_done(struct ledger *ledger, const struct x402_rid *rid,
            enum x402_till_end end, uint64_t now_ms, ledger_cb cb, void *arg)
{
    struct run *run = new_run(done_run, rid, cb, arg);

    run->plain.head.lazy = true;
    run->end = end;
    run->now_ms = now_ms;
    send_run(ledger, run);
}
