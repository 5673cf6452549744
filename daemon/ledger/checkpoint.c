/* SPDX-License-Identifier: Apache-2.0 */
/* Checkpoints: copying the write-ahead log into the ledger file, on a thread
 * and a connection of their own, so that no commit waits for them.  Under a
 * load without a pause the log would never be copied to its end and grow for
 * ever: over a size the writer itself makes it start anew. */
#include "../failpoint.h"
#include "internal.h"

static bool
is_fatal(int rc)
{
    /* no room, or somebody is reading: later */
    return (rc & 0xff) == SQLITE_IOERR || (rc & 0xff) == SQLITE_CORRUPT;
}

static void
copy_log(struct db *db, int mode)
{
    int rc = sqlite3_wal_checkpoint_v2(db->handle, NULL, mode, NULL, NULL);

    if (is_fatal(rc))
        ledger_die("checkpoint", rc);
    failpoint("after_checkpoint");
}

static void *
checkpoint_main(void *arg)
{
    struct ledger *ledger = arg;

    pthread_mutex_lock(&ledger->lock);
    while (!ledger->stopping) {
        if (!ledger->copy_wanted) {
            pthread_cond_wait(&ledger->grown, &ledger->lock);
            continue;
        }
        ledger->copy_wanted = false;
        pthread_mutex_unlock(&ledger->lock);
        copy_log(&ledger->copy, SQLITE_CHECKPOINT_PASSIVE);
        pthread_mutex_lock(&ledger->lock);
    }
    pthread_mutex_unlock(&ledger->lock);
    return NULL;
}

/* The log has `pages`, which only grows until it starts anew. */
int
checkpoint_note(void *arg, sqlite3 *handle, const char *name, int pages)
{
    struct ledger *ledger = arg;

    (void)handle;
    (void)name;
    if (pages < ledger->wal_copied) {
        ledger->wal_copied = 0;
        ledger->wal_restart = LEDGER_WAL_PAGES_MAX;
    }
    if (pages >= ledger->wal_restart) {
        /* somebody may be reading: not again with the very next commit */
        ledger->wal_restart = pages + LEDGER_WAL_PAGES_MAX / 4;
        copy_log(&ledger->write, SQLITE_CHECKPOINT_RESTART);
    } else if (pages - ledger->wal_copied >= LEDGER_CHECKPOINT_PAGES) {
        ledger->wal_copied = pages;
        pthread_mutex_lock(&ledger->lock);
        ledger->copy_wanted = true;
        pthread_cond_signal(&ledger->grown);
        pthread_mutex_unlock(&ledger->lock);
    }
    return SQLITE_OK;
}

int
checkpoint_start(struct ledger *ledger)
{
    int err = pthread_cond_init(&ledger->grown, NULL);

    ledger->wal_restart = LEDGER_WAL_PAGES_MAX;
    if (err == 0)
        err = pthread_create(&ledger->checkpointer, NULL, checkpoint_main,
                             ledger);
    return err;
}

void
checkpoint_stop(struct ledger *ledger)
{
    pthread_mutex_lock(&ledger->lock);
    ledger->stopping = true;
    pthread_cond_signal(&ledger->grown);
    pthread_mutex_unlock(&ledger->lock);
    pthread_join(ledger->checkpointer, NULL);
}
