/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and closing: the file, the lock, the epoch, the threads.
 *
 * A ledger that is there is never replaced, and one that is damaged, foreign,
 * empty or cut off is refused: a daemon that silently started with an empty
 * ledger would have forgotten which authorizations were used. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../failpoint.h"
#include "internal.h"

#define PATH_LEN 4096
#define CLOSE_ROUNDS 4

struct message {
    char *text;
    size_t len;
};

__attribute__((format(printf, 2, 3))) static bool
say(struct message message, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(message.text, message.len, format, args);
    va_end(args);
    return false;
}

static bool
sync_folder(const char *path)
{
    char copy[PATH_LEN];
    int fd, err;

    snprintf(copy, sizeof copy, "%s", path);
    fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    err = fsync(fd);
    close(fd);
    return err == 0;
}

/* -- the first time -- */

/* Built under another name and then renamed, so that no crash leaves half a
 * ledger behind. */
static bool
build(const char *path, const char *temporary, struct message error)
{
    int fd = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                  0600);

    if (fd < 0)
        return say(error, "%s: %s", temporary, strerror(errno));
    close(fd);
    if (!schema_create(temporary, error.text, error.len))
        return false;
    if (renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_NOREPLACE) != 0 &&
        errno != EEXIST)
        return say(error, "%s: %s", path, strerror(errno));
    if (!sync_folder(path))
        return say(error, "%s: cannot sync the folder: %s", path,
                   strerror(errno));
    return true;
}

static bool
create(const char *path, struct message error)
{
    char other[PATH_LEN];
    bool good;

    snprintf(other, sizeof other, "%s-wal", path);
    if (access(other, F_OK) == 0)
        return say(error,
                   "%s is missing, but its log %s is there: put the ledger "
                   "back, or move the log away",
                   path, other);
    snprintf(other, sizeof other, "%s.new.%d", path, (int)getpid());
    good = build(path, other, error);
    unlink(other);
    return good;
}

/* -- the file and its lock -- */

static bool
check_file(int fd, const char *path, struct message error)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return say(error, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return say(error, "%s is not a file", path);
    if ((st.st_mode & 077) != 0)
        return say(error, "%s can be read by others: chmod 600 it", path);
    if (st.st_size == 0)
        return say(error, "%s is empty: restore it, or remove it to start anew",
                   path);
    return true;
}

/* flock, because SQLite's own locks are fcntl's: those of one process are lost
 * with the first descriptor that it closes. */
static bool
lock_file(struct ledger *ledger, struct message error)
{
    const int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;

    ledger->lock_fd = open(ledger->path, flags);
    if (ledger->lock_fd < 0 && errno == ENOENT) {
        if (!create(ledger->path, error))
            return false;
        ledger->lock_fd = open(ledger->path, flags);
    }
    if (ledger->lock_fd < 0)
        return say(error, "%s: %s", ledger->path,
                   errno == ELOOP ? "is a symbolic link" : strerror(errno));
    if (!check_file(ledger->lock_fd, ledger->path, error))
        return false;
    if (flock(ledger->lock_fd, LOCK_EX | LOCK_NB) == 0 || mutant("lock_off"))
        return true;
    if (errno == EWOULDBLOCK)
        return say(error, "%s is in use by another x402d", ledger->path);
    return say(error, "%s: cannot be locked: %s", ledger->path,
               strerror(errno));
}

/* -- the connections -- */

static bool
raise_epoch(struct ledger *ledger)
{
    struct db *db = &ledger->write;
    sqlite3_stmt *stmt;

    db_run(db, db_use(db, SQL_BEGIN));
    stmt = db_use(db, SQL_EPOCH_RAISE);
    if (db_row(db, stmt))
        ledger->epoch = sqlite3_column_int64(stmt, 0);
    db_run(db, stmt);
    db_run(db, db_use(db, SQL_COMMIT));
    return db->rc == SQLITE_OK;
}

static void
count_rows(struct ledger *ledger)
{
    struct db *db = &ledger->write;
    sqlite3_stmt *stmt = db_use(db, SQL_LAST_ID);

    if (db_row(db, stmt))
        ledger->last_id = sqlite3_column_int64(stmt, 0);
    db_done(stmt);
    stmt = db_use(db, SQL_COUNT_STATES);
    while (db_row(db, stmt)) {
        int state = sqlite3_column_int(stmt, 0);

        if (state < 1 || state > PAY_FAILED)
            continue;
        ledger->count[state] = sqlite3_column_int64(stmt, 1);
        ledger->redeemable += sqlite3_column_int64(stmt, 2);
    }
}

/* By the index of keys alone. */
static void
recall_keys(struct ledger *ledger)
{
    struct db *db = &ledger->write;
    sqlite3_stmt *stmt = db_use(db, SQL_KEYS);
    struct x402_address payer;
    uint8_t nonce[32];

    seen_init(&ledger->seen, (uint64_t)ledger->last_id);
    while (db_row(db, stmt)) {
        column_address(db, stmt, 0, &payer);
        column_blob(db, stmt, 1, nonce, sizeof nonce);
        seen_add(&ledger->seen, &payer, nonce);
    }
}

static bool
start_log(struct db *db)
{
    return db_exec(db, "PRAGMA journal_mode = WAL;"
                       "PRAGMA synchronous = FULL;"
                       "PRAGMA cache_size = -65536;") &&
           (!mutant("sync_off") || db_exec(db, "PRAGMA synchronous = OFF;"));
}

static bool
open_connections(struct ledger *ledger, struct message error)
{
    struct db *write = &ledger->write;

    if (!db_open(write, ledger->path, SQLITE_OPEN_READWRITE))
        return say(error, "%s: %s", ledger->path, sqlite3_errstr(write->rc));
    if (!schema_check(write, error.text, error.len))
        return false;
    if (!start_log(write) || !raise_epoch(ledger))
        return say(error, "%s: %s", ledger->path,
                   sqlite3_errmsg(write->handle));
    count_rows(ledger);
    recall_keys(ledger);
    credit_recall(ledger);
    if (write->rc != SQLITE_OK)
        return say(error, "%s: its rows do not add up: %s", ledger->path,
                   sqlite3_errstr(write->rc));
    if (!db_open(&ledger->copy, ledger->path, SQLITE_OPEN_READWRITE) ||
        !db_open(&ledger->read, ledger->path, SQLITE_OPEN_READONLY))
        return say(error, "%s: cannot be opened again", ledger->path);
    sqlite3_wal_hook(write->handle, checkpoint_note, ledger);
    return true;
}

static void
close_all(struct ledger *ledger)
{
    db_close(&ledger->read);
    db_close(&ledger->copy);
    db_close(&ledger->write);
    accounts_free(&ledger->accounts);
    seen_free(&ledger->seen);
    if (ledger->lock_fd >= 0)
        close(ledger->lock_fd);
    free(ledger->path);
    free(ledger);
}

struct ledger *
ledger_open(struct core *core, const char *path, char *error, size_t error_len)
{
    struct ledger *ledger = command_new(sizeof *ledger);
    struct message message = {error, error_len};

    ledger->core = core;
    ledger->lock_fd = -1;
    accounts_init(&ledger->accounts);
    ledger->path = command_copy(path, strlen(path) + 1);
    if (strlen(path) >= PATH_LEN - 32) {
        say(message, "the ledger's path is too long");
    } else if (lock_file(ledger, message) &&
               open_connections(ledger, message)) {
        if (writer_start(ledger) == 0 && checkpoint_start(ledger) == 0)
            return ledger;
        say(message, "cannot start the ledger's threads");
        abort(); /* one may be running */
    }
    close_all(ledger);
    return NULL;
}

void
ledger_close(struct ledger *ledger)
{
    if (ledger == NULL)
        return;
    checkpoint_stop(ledger);
    writer_stop(ledger);
    pthread_cond_destroy(&ledger->grown); /* its last commits signalled it */
    ledger->closed = true;
    /* the last answers, and the refusal of what they ask for in turn */
    for (int i = 0; i < CLOSE_ROUNDS; i++)
        uv_run(core_loop(ledger->core), UV_RUN_NOWAIT);
    close_all(ledger);
}
