/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a worker's lease: its open runs end, except those that it holds.
 */
#include <stdlib.h>
#include <string.h>

#include "../failpoint.h"
#include "internal.h"
#include "invoice_inside.h"

struct lease {
    struct plain plain;
    uint8_t worker[16];
    uint64_t now_ms;
    struct x402_rid *rid; /* sorted */
    size_t len;
};

static int
compare_rid(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct x402_rid));
}

static bool
is_held(const struct lease *lease, const struct x402_rid *rid)
{
    if (lease->len == 0 || mutant("hold_ignored"))
        return false;
    return bsearch(rid, lease->rid, lease->len, sizeof *rid, compare_rid) !=
           NULL;
}

/* All open runs of the worker, before the first is ended: ending one changes
 * what the statement walks over. */
static struct x402_rid *
open_runs(struct ledger *ledger, const struct lease *lease,
          enum statement which, size_t *len)
{
    struct db *db = &ledger->write;
    sqlite3_stmt *stmt = db_use(db, which);
    struct x402_rid *list = NULL;
    size_t cap = 0;

    *len = 0;
    bind_blob(stmt, 1, lease->worker, sizeof lease->worker);
    while (db_row(db, stmt)) {
        if (*len == cap) {
            struct x402_rid *more;

            cap = cap == 0 ? 64 : cap * 2;
            more = command_new(cap * sizeof *more);
            if (*len > 0)
                memcpy(more, list, *len * sizeof *more);
            free(list);
            list = more;
        }
        column_blob(db, stmt, 0, &list[(*len)++], sizeof *list);
    }
    return list;
}

static void
break_off(struct ledger *ledger, const struct x402_rid *rid, uint64_t now_ms)
{
    struct ledger_step why = {.what = EVENT_WORKER_GONE, .at_ms = now_ms};
    struct row row;

    if (rid_is_invoice(rid))
        invoice_break(ledger, rid, &why);
    else if (row_by_rid(&ledger->write, rid, &row))
        run_break(ledger, &row, &why);
}

static void
end_runs(struct ledger *ledger, const struct lease *lease, enum statement which)
{
    size_t len;
    struct x402_rid *list = open_runs(ledger, lease, which, &len);

    for (size_t i = 0; i < len; i++)
        if (!is_held(lease, &list[i]))
            break_off(ledger, &list[i], lease->now_ms);
    free(list);
}

static void
lease_run(struct ledger *ledger, struct command *command)
{
    struct lease *lease = (struct lease *)command;

    lease->plain.err = X402_OK;
    end_runs(ledger, lease, SQL_OPEN_OF_WORKER);
    end_runs(ledger, lease, SQL_INVOICE_OPEN_OF_WORKER);
}

static void
lease_deliver(struct command *command)
{
    free(((struct lease *)command)->rid);
    plain_deliver(command);
}

void
ledger_lease_end(struct ledger *ledger, const uint8_t worker[16],
                 const struct x402_rid *rids, size_t rids_len, uint64_t now_ms,
                 ledger_cb cb, void *arg)
{
    struct lease *lease = command_new(sizeof *lease);

    lease->plain.head.run = lease_run;
    lease->plain.head.fail = plain_fail;
    lease->plain.head.deliver = lease_deliver;
    lease->plain.cb = cb;
    lease->plain.arg = arg;
    lease->now_ms = now_ms;
    memcpy(lease->worker, worker, sizeof lease->worker);
    if (rids_len > 0) {
        lease->rid = command_new(rids_len * sizeof *rids);
        lease->len = rids_len;
        memcpy(lease->rid, rids, rids_len * sizeof *rids);
        qsort(lease->rid, rids_len, sizeof *rids, compare_rid);
    }
    (void)command_send(ledger, &lease->plain.head, false);
}
