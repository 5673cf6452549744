/* SPDX-License-Identifier: Apache-2.0 */
/* A group of commands in one transaction, and what becomes of them when it
 * cannot be kept. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../failpoint.h"
#include "../log.h"
#include "../metrics.h"
#include "internal.h"

void
ledger_die(const char *what, int rc)
{
    char code[16];

    snprintf(code, sizeof code, "%d", rc);
    log_event(LOG_ERROR, "ledger_broken", "what", what, "code", code, "error",
              sqlite3_errstr(rc), NULL);
    _exit(2);
}

static void
publish(struct ledger *ledger)
{
    struct tally *pending = &ledger->pending;

    for (int i = 1; i <= PAY_FAILED; i++)
        ledger->count[i] += pending->state[i];
    ledger->redeemable += pending->redeemable;
    memset(pending, 0, sizeof *pending);
    accounts_keep(&ledger->accounts);
}

/* -- one transaction -- */

/* Another daemon raised the epoch: it has the ledger now, and what we believe
 * about it is old. */
static void
check_epoch(struct ledger *ledger)
{
    struct db *db = &ledger->write;
    sqlite3_stmt *stmt = db_use(db, SQL_EPOCH);
    int64_t epoch = 0, outside;

    if (!db_row(db, stmt))
        return;
    epoch = sqlite3_column_int64(stmt, 0);
    outside = sqlite3_column_int64(stmt, 1);
    db_done(stmt);
    if (epoch != ledger->epoch && !mutant("fence_off"))
        ledger_die("another daemon took the ledger over", SQLITE_READONLY);
    if (outside != ledger->outside)
        accounts_forget_payers(&ledger->accounts);
    ledger->outside = outside;
}

/* Run commands from `first`, `len` of them, and commit.  The result code is
 * SQLITE_OK, or why nothing of it happened. */
static int
transact(struct ledger *ledger, struct command *first, size_t len)
{
    struct db *db = &ledger->write;

    db->rc = SQLITE_OK;
    memset(&ledger->pending, 0, sizeof ledger->pending);
    db_run(db, db_use(db, SQL_BEGIN));
    check_epoch(ledger);
    for (; len > 0 && db->rc == SQLITE_OK; len--, first = first->next)
        first->run(ledger, first);
    failpoint("before_commit");
    db_run(db, db_use(db, SQL_COMMIT));
    failpoint("after_commit");
    if (db->rc == SQLITE_OK)
        publish(ledger);
    return db->rc;
}

static void
roll_back(struct ledger *ledger)
{
    struct db *db = &ledger->write;

    db->rc = SQLITE_OK;
    accounts_undo(&ledger->accounts);
    if (sqlite3_get_autocommit(db->handle) == 0)
        db_run(db, db_use(db, SQL_ROLLBACK));
    if (db->rc != SQLITE_OK)
        ledger_die("rollback", db->rc);
}

/* After these nobody knows what is on the disk, and asking again may be told a
 * lie (fsync reports an error once).  A restart reads what is there. */
static bool
is_fatal(int rc)
{
    if (mutant("sync_error_ignored"))
        return false;
    switch (rc) {
    case SQLITE_IOERR_SHMSIZE: /* no room for the index in memory: as full */
    case SQLITE_IOERR_SHMOPEN:
    case SQLITE_IOERR_SHMMAP:
    case SQLITE_IOERR_NOMEM:
        return false;
    }
    return (rc & 0xff) == SQLITE_IOERR || (rc & 0xff) == SQLITE_CORRUPT ||
           (rc & 0xff) == SQLITE_NOTADB;
}

static bool
is_soft(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_FULL:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_NOMEM:
    case SQLITE_IOERR: /* those that are not fatal */
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
        return true;
    }
    return false;
}

static void
log_refused(const char *event, int rc)
{
    char code[16];

    snprintf(code, sizeof code, "%d", rc);
    log_event(LOG_ERROR, event, "code", code, "error", sqlite3_errstr(rc),
              NULL);
}

/* Readers do not need the disk's room or the write lock. */
static void
run_outside(struct ledger *ledger, struct command *command)
{
    ledger->write.rc = SQLITE_OK;
    command->run(ledger, command);
    if (ledger->write.rc != SQLITE_OK)
        ledger_die("read", ledger->write.rc);
}

static void
fail_group(struct ledger *ledger, struct command *first, size_t len,
           enum x402_err err)
{
    for (; len > 0; len--, first = first->next) {
        if (first->reads)
            run_outside(ledger, first);
        else
            first->fail(first, err);
    }
}

/* A statement that must not fail did, in one of these commands: each gets a
 * transaction of its own, so that one does not take the others along. */
static void
run_alone(struct ledger *ledger, struct command *first, size_t len)
{
    for (; len > 0; len--, first = first->next) {
        int rc = transact(ledger, first, 1);

        if (rc == SQLITE_OK)
            continue;
        if (is_fatal(rc))
            ledger_die("commit", rc);
        log_refused("ledger_command_failed", rc);
        roll_back(ledger);
        fail_group(ledger, first, 1,
                   is_soft(rc) ? X402_ERR_UNAVAILABLE : X402_ERR_INTERNAL);
    }
}

void
group_run(struct ledger *ledger, struct command *first, size_t len)
{
    int rc = transact(ledger, first, len);

    metrics_add(METRIC_COMMITS, 1);
    metrics_add(METRIC_COMMANDS, len);
    if (rc == SQLITE_OK)
        return;
    if (is_fatal(rc))
        ledger_die("commit", rc);
    roll_back(ledger);
    if ((rc & 0xff) == SQLITE_FULL && mutant("full_is_done"))
        return;
    if (is_soft(rc)) {
        log_refused("ledger_unavailable", rc);
        fail_group(ledger, first, len, X402_ERR_UNAVAILABLE);
    } else {
        run_alone(ledger, first, len);
    }
}
