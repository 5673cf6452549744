/* SPDX-License-Identifier: Apache-2.0 */
/* See logfile.h. */
#include "logfile.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <sqlite3.h>

#include "../failpoint.h"

#define NAME "x402-ledger"
/* SQLite's own writes of 128 KiB or more: "nBuf &= 0x1ffff" */
#define GATHER_MAX (124 * 1024)
#define FRAME_HEADER 24

struct logfile {
    sqlite3_file base;
    sqlite3_file *real; /* behind this struct */
    uint8_t *bytes;     /* NULL: nothing was written yet, or no memory */
    size_t len;
    sqlite3_int64 at; /* where they belong */
    bool plain;       /* frames come whole: see is_plain */
    bool commits;     /* the frame being written is a transaction's last */
};

static sqlite3_vfs vfs, *parent;

static struct logfile *
mine(sqlite3_file *file)
{
    return (struct logfile *)file;
}

static sqlite3_file *
real(sqlite3_file *file)
{
    return mine(file)->real;
}

/* What cannot be written is forgotten: the transaction that it belongs to
 * fails, and the next one begins in the same place. */
static int
flush(struct logfile *log)
{
    size_t len = log->len;

    log->len = 0;
    if (len == 0)
        return SQLITE_OK;
    return log->real->pMethods->xWrite(log->real, log->bytes, (int)len,
                                       log->at);
}

static int
on_close(sqlite3_file *file)
{
    int rc = flush(mine(file));
    int closed = real(file)->pMethods->xClose(real(file));

    sqlite3_free(mine(file)->bytes);
    return rc != SQLITE_OK ? rc : closed;
}

static int
on_read(sqlite3_file *file, void *out, int len, sqlite3_int64 at)
{
    int rc = flush(mine(file));

    if (rc != SQLITE_OK)
        return rc;
    return real(file)->pMethods->xRead(real(file), out, len, at);
}

/* "If this is a commit record, [bytes 4..7 are] the size of the database file
 * in pages after the commit.  For all other records, zero." */
static bool
is_commit(const uint8_t *header)
{
    return (header[4] | header[5] | header[6] | header[7]) != 0;
}

static bool
has_room(struct logfile *log, size_t len, sqlite3_int64 at)
{
    if (log->bytes == NULL)
        log->bytes = sqlite3_malloc(GATHER_MAX);
    return log->bytes != NULL && log->len + len <= GATHER_MAX &&
           (log->len == 0 || at == log->at + (sqlite3_int64)log->len);
}

static int
gather(struct logfile *log, const void *bytes, size_t len, sqlite3_int64 at)
{
    int rc = SQLITE_OK;

    if (!has_room(log, len, at)) {
        rc = flush(log);
        if (rc != SQLITE_OK)
            return rc;
        if (!has_room(log, len, at))
            return log->real->pMethods->xWrite(log->real, bytes, (int)len, at);
    }
    if (log->len == 0)
        log->at = at;
    memcpy(log->bytes + log->len, bytes, len);
    log->len += len;
    return SQLITE_OK;
}

static int
on_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 at)
{
    struct logfile *log = mine(file);
    bool header = len == FRAME_HEADER;
    int rc;

    if (!log->plain)
        return log->real->pMethods->xWrite(log->real, bytes, len, at);
    rc = gather(log, bytes, (size_t)len, at);
    if (header)
        log->commits = is_commit(bytes);
    if (rc == SQLITE_OK && !header && log->commits && !mutant("log_late"))
        rc = flush(log);
    return rc;
}

static int
on_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    int rc = flush(mine(file));

    if (rc != SQLITE_OK)
        return rc;
    return real(file)->pMethods->xTruncate(real(file), size);
}

static int
on_sync(sqlite3_file *file, int flags)
{
    int rc = mutant("log_late") ? SQLITE_OK : flush(mine(file));

    if (rc != SQLITE_OK)
        return rc;
    return real(file)->pMethods->xSync(real(file), flags);
}

static int
on_size(sqlite3_file *file, sqlite3_int64 *size)
{
    int rc = flush(mine(file));

    if (rc != SQLITE_OK)
        return rc;
    return real(file)->pMethods->xFileSize(real(file), size);
}

static int
on_control(sqlite3_file *file, int op, void *arg)
{
    return real(file)->pMethods->xFileControl(real(file), op, arg);
}

static int
on_sector_size(sqlite3_file *file)
{
    return real(file)->pMethods->xSectorSize(real(file));
}

static int
on_characteristics(sqlite3_file *file)
{
    return real(file)->pMethods->xDeviceCharacteristics(real(file));
}

/* All that SQLite does with a log. */
static const sqlite3_io_methods methods = {
    .iVersion = 1,
    .xClose = on_close,
    .xRead = on_read,
    .xWrite = on_write,
    .xTruncate = on_truncate,
    .xSync = on_sync,
    .xFileSize = on_size,
    .xFileControl = on_control,
    .xSectorSize = on_sector_size,
    .xDeviceCharacteristics = on_characteristics,
};

/* Where a write may damage its neighbours in the sector, SQLite fills the log
 * up to sectors and splits frames; that is left alone. */
static bool
is_plain(sqlite3_file *file)
{
    return (file->pMethods->xDeviceCharacteristics(file) &
            SQLITE_IOCAP_POWERSAFE_OVERWRITE) != 0;
}

static int
open_log(const char *name, struct logfile *log, int flags, int *out)
{
    int rc;

    memset(log, 0, sizeof *log);
    log->real = (sqlite3_file *)(log + 1);
    rc = parent->xOpen(parent, name, log->real, flags, out);
    if (log->real->pMethods != NULL) {
        log->base.pMethods = &methods;
        log->plain = is_plain(log->real);
    }
    return rc;
}

static int
on_open(sqlite3_vfs *self, const char *name, sqlite3_file *file, int flags,
        int *out)
{
    (void)self;
    if ((flags & SQLITE_OPEN_WAL) != 0)
        return open_log(name, mine(file), flags, out);
    return parent->xOpen(parent, name, file, flags, out);
}

const char *
logfile_vfs(void)
{
    sqlite3_vfs *now = sqlite3_vfs_find(NULL);

    if (now == NULL)
        return NULL;
    if (now == parent)
        return NAME;
    parent = now;
    vfs = *parent;
    vfs.zName = NAME;
    vfs.szOsFile = (int)sizeof(struct logfile) + parent->szOsFile;
    vfs.xOpen = on_open;
    return sqlite3_vfs_register(&vfs, 0) == SQLITE_OK ? NAME : NULL;
}
