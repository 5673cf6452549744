/* SPDX-License-Identifier: Apache-2.0 */
/* See faulty_vfs.h.  Every write keeps what was there before, until the file is
 * synced; a loss of power puts some of that back and ends the process. */
#include "faulty_vfs.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#define SECTOR 512

struct undo {
    struct undo *next;
    sqlite3_file *real;
    const char *name;
    sqlite3_int64 offset;
    int len;
    unsigned char old[];
};

struct file {
    sqlite3_file base;
    sqlite3_file *real; /* behind this struct */
    const char *name;   /* SQLite's, until it is closed */
};

static sqlite3_vfs vfs, *parent;
static sqlite3_io_methods methods;
static sqlite3_mem_methods memory;

static enum fault armed;
static unsigned strike_at, power_seed;
static bool strike_for_ever, powersafe;
static atomic_uint calls;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct undo *undos;

static bool
strikes(enum fault kind)
{
    unsigned n;

    if (kind != armed)
        return false;
    n = atomic_fetch_add(&calls, 1) + 1;
    return n == strike_at || (strike_for_ever && n > strike_at);
}

bool
faulty_struck(void)
{
    return atomic_load(&calls) >= strike_at;
}

static sqlite3_file *
real(sqlite3_file *file)
{
    return ((struct file *)file)->real;
}

/* -- the loss of power -- */

static unsigned
roll(unsigned n)
{
    power_seed = power_seed * 1103515245u + 12345u;
    return (power_seed >> 16) % n;
}

static void
put_back(const struct undo *undo)
{
    for (int at = 0; at < undo->len; at += SECTOR) {
        int len = undo->len - at < SECTOR ? undo->len - at : SECTOR;

        if (roll(2) == 0)
            undo->real->pMethods->xWrite(undo->real, undo->old + at, len,
                                         undo->offset + at);
    }
}

static void
power_goes(void)
{
    unsigned mode = roll(3); /* nothing lost, all lost, some lost */

    for (struct undo *undo = undos; undo != NULL; undo = undo->next) {
        if (mode == 1)
            undo->real->pMethods->xWrite(undo->real, undo->old, undo->len,
                                         undo->offset);
        else if (mode == 2)
            put_back(undo);
    }
    _exit(5);
}

static void
remember(const struct file *mine, int len, sqlite3_int64 offset)
{
    sqlite3_file *file = mine->real;
    struct undo *undo = calloc(1, sizeof *undo + (size_t)len);

    if (undo == NULL)
        abort();
    undo->real = file;
    undo->name = mine->name;
    undo->offset = offset;
    undo->len = len;
    file->pMethods->xRead(file, undo->old, len, offset); /* short: zeros */
    undo->next = undos;
    undos = undo;
}

/* fsync() is the file's, whichever descriptor it is called on: what another
 * connection wrote is on the disk then, too.  A close ends only its own. */
static void
forget(const struct file *file, bool synced)
{
    struct undo **at = &undos;

    while (*at != NULL) {
        struct undo *undo = *at;

        if (synced ? strcmp(undo->name, file->name) != 0
                   : undo->real != file->real) {
            at = &undo->next;
            continue;
        }
        *at = undo->next;
        free(undo);
    }
}

/* -- files -- */

static int
on_close(sqlite3_file *file)
{
    pthread_mutex_lock(&lock);
    forget((struct file *)file, false);
    pthread_mutex_unlock(&lock);
    return real(file)->pMethods->xClose(real(file));
}

static int
on_read(sqlite3_file *file, void *out, int len, sqlite3_int64 offset)
{
    if (strikes(FAULT_READ))
        return SQLITE_IOERR_READ;
    return real(file)->pMethods->xRead(real(file), out, len, offset);
}

static int
on_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 offset)
{
    int rc;

    if (strikes(FAULT_WRITE_IO))
        return SQLITE_IOERR_WRITE;
    if (strikes(FAULT_WRITE_FULL))
        return SQLITE_FULL;
    if (armed != FAULT_POWER)
        return real(file)->pMethods->xWrite(real(file), bytes, len, offset);
    pthread_mutex_lock(&lock);
    remember((struct file *)file, len, offset);
    rc = real(file)->pMethods->xWrite(real(file), bytes, len, offset);
    if (strikes(FAULT_POWER))
        power_goes();
    pthread_mutex_unlock(&lock);
    return rc;
}

static int
on_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    if (strikes(FAULT_WRITE_IO))
        return SQLITE_IOERR_TRUNCATE;
    return real(file)->pMethods->xTruncate(real(file), size);
}

static int
on_sync(sqlite3_file *file, int flags)
{
    if (strikes(FAULT_SYNC))
        return SQLITE_IOERR_FSYNC;
    pthread_mutex_lock(&lock);
    if (strikes(FAULT_POWER))
        power_goes();
    forget((struct file *)file, true);
    pthread_mutex_unlock(&lock);
    /* nothing but this process dies here: the kernel's cache is the disk */
    (void)flags;
    return SQLITE_OK;
}

static int
on_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return real(file)->pMethods->xFileSize(real(file), size);
}

static int
on_lock(sqlite3_file *file, int level)
{
    return real(file)->pMethods->xLock(real(file), level);
}

static int
on_unlock(sqlite3_file *file, int level)
{
    return real(file)->pMethods->xUnlock(real(file), level);
}

static int
on_reserved_lock(sqlite3_file *file, int *out)
{
    return real(file)->pMethods->xCheckReservedLock(real(file), out);
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

/* Without "powersafe overwrite", SQLite takes care that no sector is written
 * in parts; with it, the ledger's log is written in large pieces.  A seed has
 * one or the other. */
static int
on_characteristics(sqlite3_file *file)
{
    (void)file;
    return powersafe ? SQLITE_IOCAP_POWERSAFE_OVERWRITE : 0;
}

static int
on_shm_map(sqlite3_file *file, int page, int size, int extend,
           void volatile **out)
{
    return real(file)->pMethods->xShmMap(real(file), page, size, extend, out);
}

static int
on_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
    return real(file)->pMethods->xShmLock(real(file), offset, n, flags);
}

static void
on_shm_barrier(sqlite3_file *file)
{
    real(file)->pMethods->xShmBarrier(real(file));
}

static int
on_shm_unmap(sqlite3_file *file, int remove)
{
    return real(file)->pMethods->xShmUnmap(real(file), remove);
}

static int
on_open(sqlite3_vfs *self, const char *name, sqlite3_file *file, int flags,
        int *out)
{
    struct file *mine = (struct file *)file;
    int rc;

    (void)self;
    mine->real = (sqlite3_file *)(mine + 1);
    mine->name = name == NULL ? "" : name;
    mine->base.pMethods = NULL;
    rc = parent->xOpen(parent, name, mine->real, flags, out);
    if (rc == SQLITE_OK)
        mine->base.pMethods = &methods;
    return rc;
}

/* -- memory -- */

static void *
on_malloc(int len)
{
    return strikes(FAULT_MEMORY) ? NULL : memory.xMalloc(len);
}

static void *
on_realloc(void *old, int len)
{
    return strikes(FAULT_MEMORY) ? NULL : memory.xRealloc(old, len);
}

static void
install_memory(void)
{
    sqlite3_mem_methods mine;

    sqlite3_shutdown();
    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &memory);
    mine = memory;
    mine.xMalloc = on_malloc;
    mine.xRealloc = on_realloc;
    sqlite3_config(SQLITE_CONFIG_MALLOC, &mine);
    /* or one arena per connection would hide the calls */
    sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0);
}

static void
install_files(void)
{
    parent = sqlite3_vfs_find("unix");
    vfs = *parent;
    vfs.zName = "faulty";
    vfs.szOsFile = (int)sizeof(struct file) + parent->szOsFile;
    vfs.xOpen = on_open;
    methods = (sqlite3_io_methods){
        .iVersion = 2,
        .xClose = on_close,
        .xRead = on_read,
        .xWrite = on_write,
        .xTruncate = on_truncate,
        .xSync = on_sync,
        .xFileSize = on_size,
        .xLock = on_lock,
        .xUnlock = on_unlock,
        .xCheckReservedLock = on_reserved_lock,
        .xFileControl = on_control,
        .xSectorSize = on_sector_size,
        .xDeviceCharacteristics = on_characteristics,
        .xShmMap = on_shm_map,
        .xShmLock = on_shm_lock,
        .xShmBarrier = on_shm_barrier,
        .xShmUnmap = on_shm_unmap,
    };
    sqlite3_vfs_register(&vfs, 1);
}

void
faulty_install(enum fault kind, unsigned n, bool for_ever, unsigned seed)
{
    strike_at = n;
    strike_for_ever = for_ever;
    powersafe = seed % 2 != 0;
    power_seed = seed * 2654435761u + 1;
    if (kind == FAULT_MEMORY)
        install_memory();
    install_files();
    atomic_store(&calls, 0);
    armed = kind;
}
