/* SPDX-License-Identifier: Apache-2.0 */
/* The writer: a queue and the one thread that writes.  It takes what waits, up
 * to a bound, into one transaction; while that is being made durable the next
 * group gathers.  Nobody is told anything before the commit is on the disk. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../failpoint.h"
#include "../log.h"
#include "../metrics.h"
#include "internal.h"

struct group {
    struct ledger *ledger;
    struct command *first;
    size_t len;
};

void *
command_new(size_t size)
{
    void *out = calloc(1, size);

    if (out == NULL) {
        fprintf(stderr, "x402d: out of memory\n");
        abort();
    }
    return out;
}

/* Waiting in the group's order, monotonic: a wall clock may be set back. */
static uint64_t
monotonic_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void
deliver_refused(void *arg)
{
    struct command *command = arg;

    command->deliver(command);
}

/* The ledger is closing: what its last answers set off comes too late. */
static bool
refuse(struct ledger *ledger, struct command *command)
{
    if (!command->reads)
        command->fail(command, X402_ERR_UNAVAILABLE);
    core_post(ledger->core, deliver_refused, command);
    return true;
}

bool
command_send(struct ledger *ledger, struct command *command, bool droppable)
{
    bool taken = true;

    if (ledger->closed)
        return refuse(ledger, command);
    command->since_ms = monotonic_ms();
    pthread_mutex_lock(&ledger->lock);
    if (droppable && ledger->waiting >= LEDGER_WAITING_MAX) {
        taken = false;
    } else {
        *ledger->last = command;
        ledger->last = &command->next;
        ledger->waiting++;
        ledger->eager += !command->lazy;
        pthread_cond_signal(&ledger->changed);
    }
    pthread_mutex_unlock(&ledger->lock);
    return taken;
}

void
ledger_die(const char *what, int rc)
{
    char code[16];

    snprintf(code, sizeof code, "%d", rc);
    log_event(LOG_ERROR, "ledger_broken", "what", what, "code", code, "error",
              sqlite3_errstr(rc), NULL);
    _exit(2);
}

/* -- results -- */

static void
deliver_group(void *arg)
{
    struct group *group = arg;

    for (struct command *at = group->first, *next; at != NULL; at = next) {
        next = at->next;
        at->deliver(at);
    }
    free(group);
}

static void
publish(struct ledger *ledger)
{
    struct tally *pending = &ledger->pending;

    for (int i = 1; i <= PAY_FAILED; i++)
        ledger->count[i] += pending->state[i];
    ledger->redeemable += pending->redeemable;
    memset(pending, 0, sizeof *pending);
}

/* -- one transaction -- */

/* Another daemon raised the epoch: it has the ledger now, and what we believe
 * about it is old. */
static void
check_epoch(struct ledger *ledger)
{
    struct db *db = &ledger->write;
    sqlite3_stmt *stmt = db_use(db, SQL_EPOCH);
    int64_t epoch = 0;

    if (!db_row(db, stmt))
        return;
    epoch = sqlite3_column_int64(stmt, 0);
    db_done(stmt);
    if (epoch != ledger->epoch)
        ledger_die("another daemon took the ledger over", SQLITE_READONLY);
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

static void
run_group(struct ledger *ledger, struct command *first, size_t len)
{
    int rc = transact(ledger, first, len);

    metrics_add(METRIC_COMMITS, 1);
    metrics_add(METRIC_COMMANDS, len);
    if (rc == SQLITE_OK)
        return;
    if (is_fatal(rc))
        ledger_die("commit", rc);
    roll_back(ledger);
    if (is_soft(rc)) {
        log_refused("ledger_unavailable", rc);
        fail_group(ledger, first, len, X402_ERR_UNAVAILABLE);
    } else {
        run_alone(ledger, first, len);
    }
}

/* -- the thread -- */

/* Lazy commands wait for company.  Time is up when the oldest is old enough. */
static uint64_t
lazy_wait_ms(const struct ledger *ledger)
{
    uint64_t now = monotonic_ms();
    uint64_t until = ledger->first->since_ms + LEDGER_LAZY_MS;

    return until > now ? until - now : 0;
}

static void
wait_for(struct ledger *ledger, uint64_t ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)ms * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_cond_timedwait(&ledger->changed, &ledger->lock, &until);
}

/* Wait until there is something to commit.  false: stopping, and empty. */
static bool
wait_for_work(struct ledger *ledger)
{
    for (;;) {
        uint64_t ms;

        if (ledger->eager > 0 || ledger->waiting >= LEDGER_GROUP_MAX)
            return true;
        if (ledger->stopping)
            return ledger->waiting > 0;
        if (ledger->waiting == 0) {
            pthread_cond_wait(&ledger->changed, &ledger->lock);
            continue;
        }
        ms = lazy_wait_ms(ledger);
        if (ms == 0)
            return true;
        wait_for(ledger, ms);
    }
}

static struct group *
take_group(struct ledger *ledger)
{
    struct group *group = command_new(sizeof *group);
    struct command **end = &ledger->first;

    group->ledger = ledger;
    group->first = ledger->first;
    while (*end != NULL && group->len < LEDGER_GROUP_MAX) {
        ledger->eager -= !(*end)->lazy;
        group->len++;
        end = &(*end)->next;
    }
    ledger->first = *end;
    if (*end == NULL)
        ledger->last = &ledger->first;
    *end = NULL;
    ledger->waiting -= group->len;
    return group;
}

/* `end` points into the last command taken, or at ledger->first when nothing
 * was: wait_for_work has seen to it that something was. */
static void *
writer_main(void *arg)
{
    struct ledger *ledger = arg;

    pthread_mutex_lock(&ledger->lock);
    while (wait_for_work(ledger)) {
        struct group *group = take_group(ledger);

        pthread_mutex_unlock(&ledger->lock);
        run_group(ledger, group->first, group->len);
        core_post(ledger->core, deliver_group, group);
        pthread_mutex_lock(&ledger->lock);
    }
    pthread_mutex_unlock(&ledger->lock);
    return NULL;
}

static int
init_wakeups(struct ledger *ledger)
{
    pthread_condattr_t attr;
    int err = pthread_condattr_init(&attr);

    if (err != 0)
        return err;
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    err = pthread_cond_init(&ledger->changed, &attr);
    pthread_condattr_destroy(&attr);
    return err;
}

int
writer_start(struct ledger *ledger)
{
    int err = pthread_mutex_init(&ledger->lock, NULL);

    if (err == 0)
        err = init_wakeups(ledger);
    ledger->last = &ledger->first;
    if (err == 0)
        err = pthread_create(&ledger->writer, NULL, writer_main, ledger);
    return err;
}

void
writer_stop(struct ledger *ledger)
{
    pthread_mutex_lock(&ledger->lock);
    ledger->stopping = true;
    pthread_cond_broadcast(&ledger->changed);
    pthread_mutex_unlock(&ledger->lock);
    pthread_join(ledger->writer, NULL);
    pthread_cond_destroy(&ledger->changed);
    pthread_mutex_destroy(&ledger->lock);
}
