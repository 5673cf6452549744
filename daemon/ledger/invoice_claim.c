/* SPDX-License-Identifier: Apache-2.0 */
/* claim: one payment hash buys one successful request, whichever dialect
 * presents it. */
#include <stdlib.h>
#include <string.h>

#include "../failpoint.h"
#include "invoice_inside.h"

#define RELEASES_FREE 5  /* releases of one proof before it has to wait */
#define RELEASE_MS 10000 /* between two more */

struct claim {
    struct command head;
    ledger_invoice_claim_cb cb;
    void *arg;
    struct ledger_invoice_claim in;
    struct ledger_invoice_claimed out;
};

static bool
is_paid(const struct claim *claim, const struct invoice_row *row)
{
    return row->state == INVOICE_PAID || claim->in.settled ||
           (claim->in.held && row->state == INVOICE_ISSUED &&
            row->hold == HOLD_OPEN);
}

static struct x402_msat
paid(const struct claim *claim, const struct invoice_row *row)
{
    return row->state == INVOICE_PAID ? row->paid : claim->in.paid;
}

/* The upstream fails again and again: work for nothing, which prepaid money
 * must not be refused for, but which can be asked to wait. */
static bool
too_often(const struct claim *claim, const struct invoice_row *row)
{
    return row->releases >= RELEASES_FREE &&
           claim->in.now_ms < row->updated_ms + RELEASE_MS;
}

static enum x402_err
decide_paid(const struct claim *claim, const struct invoice_row *row)
{
    if (!is_paid(claim, row))
        return X402_ERR_LN_NOT_PAID;
    if (x402_msat_cmp(paid(claim, row), row->amount) < 0)
        return X402_ERR_LN_AMOUNT;
    if (claim->in.now_ms / 1000 > row->expires_s + INVOICE_REDEEM_S)
        return X402_ERR_LN_INVOICE_EXPIRED;
    return too_often(claim, row) ? X402_ERR_RATE : X402_OK;
}

static enum x402_err
decide(const struct claim *claim, const struct invoice_row *row)
{
    if (memcmp(row->request_hash, claim->in.request_hash, 32) != 0)
        return X402_ERR_LN_REQUEST;
    if (row->open && !mutant("invoice_replay"))
        return X402_ERR_LN_IN_FLIGHT;
    switch (row->state) {
    case INVOICE_RESERVED:
        return mutant("invoice_replay") ? X402_OK : X402_ERR_LN_IN_FLIGHT;
    case INVOICE_FINAL:
        return mutant("invoice_replay") ? X402_OK : X402_ERR_LN_USED;
    case INVOICE_ISSUED:
    case INVOICE_PAID:
    case INVOICE_LAPSED:
        return decide_paid(claim, row);
    }
    return X402_ERR_INTERNAL;
}

static void
reserve(struct ledger *ledger, struct claim *claim,
        const struct invoice_row *row)
{
    struct db *db = &ledger->write;
    sqlite3_stmt *stmt = db_use(db, SQL_INVOICE_RESERVE);

    claim->out.rid = rid_of_invoice(row->id);
    claim->out.redeemed = row->runs > 0;
    bind_int(stmt, 1, row->id);
    bind_blob(stmt, 2, claim->out.rid.byte, sizeof claim->out.rid.byte);
    bind_blob(stmt, 3, claim->in.worker, sizeof claim->in.worker);
    bind_int(stmt, 4, claim->in.dialect);
    bind_int(stmt, 5, ledger->epoch);
    bind_int(stmt, 6, (int64_t)claim->in.now_ms);
    db_run_one(db, stmt);
    if (row->runs > 0)
        invoice_note(ledger, row, EVENT_REDEEMED, claim->in.now_ms);
    else if (row->releases > 0)
        invoice_note(ledger, row, EVENT_RESERVED_AGAIN, claim->in.now_ms);
}

static void
claim_run(struct ledger *ledger, struct command *command)
{
    struct claim *claim = (struct claim *)command;
    struct invoice_row row;

    memset(&claim->out, 0, sizeof claim->out);
    claim->out.err = X402_ERR_OFFER;
    if (!invoice_by_hash(&ledger->write, claim->in.payment_hash, &row))
        return;
    claim->out.row = row;
    claim->out.err = decide(claim, &row);
    if (claim->out.err != X402_OK)
        return;
    if (row.state == INVOICE_ISSUED || row.state == INVOICE_LAPSED)
        invoice_pay(ledger, &row, claim->in.paid, claim->in.settled,
                    claim->in.now_ms);
    if (row.state != INVOICE_RESERVED && row.state != INVOICE_FINAL)
        reserve(ledger, claim, &row);
}

static void
claim_fail(struct command *command, enum x402_err err)
{
    struct claim *claim = (struct claim *)command;

    memset(&claim->out, 0, sizeof claim->out);
    claim->out.err = err;
}

static void
claim_deliver(struct command *command)
{
    struct claim *claim = (struct claim *)command;

    claim->cb(claim->arg, &claim->out);
    free(claim);
}

static void
claim_refused(void *arg)
{
    claim_deliver(arg);
}

void
ledger_invoice_claim(struct ledger *ledger,
                     const struct ledger_invoice_claim *in,
                     ledger_invoice_claim_cb cb, void *arg)
{
    struct claim *claim = command_new(sizeof *claim);

    claim->head.run = claim_run;
    claim->head.fail = claim_fail;
    claim->head.deliver = claim_deliver;
    claim->cb = cb;
    claim->arg = arg;
    claim->in = *in;
    if (command_send(ledger, &claim->head, true))
        return;
    claim->out.err = X402_ERR_BUSY;
    core_post(ledger->core, claim_refused, claim);
}
