/* SPDX-License-Identifier: Apache-2.0 */
/* Writing the journal. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "journal.h"

enum { LINE_MAX_BYTES = 32 * 1024 };

bool
journal_open(struct journal *journal)
{
    char state[PATHS_MAX];
    int a, b;

    journal->lock_fd = -1;
    if (!paths_state(state)) {
        errno = ENOENT;
        return false;
    }
    a = snprintf(journal->folder, PATHS_MAX, "%s/payments", state);
    b = snprintf(journal->lock_path, PATHS_MAX, "%s/lock", state);
    if (a >= PATHS_MAX || b >= PATHS_MAX) {
        errno = ENAMETOOLONG;
        return false;
    }
    return paths_make_folder(journal->folder) &&
           journal_folder_is_private(state) &&
           journal_folder_is_private(journal->folder);
}

bool
journal_lock(struct journal *journal)
{
    int fd = open(journal->lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
                  0600);

    if (fd < 0)
        return false;
    while (flock(fd, LOCK_EX) != 0) {
        if (errno != EINTR) {
            close(fd);
            return false;
        }
    }
    journal->lock_fd = fd;
    return true;
}

void
journal_unlock(struct journal *journal)
{
    if (journal->lock_fd >= 0)
        close(journal->lock_fd);
    journal->lock_fd = -1;
}

/* The day's folder, made and synced when it is the first payment of the day. */
static bool
day_folder(char out[PATHS_MAX], const struct journal *journal, time_t now)
{
    char day[16];
    struct tm utc;

    if (gmtime_r(&now, &utc) == NULL ||
        strftime(day, sizeof(day), "%Y-%m-%d", &utc) == 0)
        return false;
    if (snprintf(out, PATHS_MAX, "%s/%s", journal->folder, day) >= PATHS_MAX)
        return false;
    if (mkdir(out, 0700) == 0)
        return journal_folder_sync(journal->folder);
    return errno == EEXIST;
}

static bool
file_name(char out[PATHS_MAX], const char *folder, const struct record *record)
{
    time_t created = (time_t)record->created.wall_s;
    const uint8_t *nonce = record->auth.nonce;
    char clock[16];
    struct tm utc;

    if (gmtime_r(&created, &utc) == NULL ||
        strftime(clock, sizeof(clock), "%H%M%S", &utc) == 0)
        return false;
    return snprintf(out, PATHS_MAX,
                    "%s/%s-%02x%02x%02x%02x%02x%02x%02x%02x.json", folder,
                    clock, nonce[0], nonce[1], nonce[2], nonce[3], nonce[4],
                    nonce[5], nonce[6], nonce[7]) < PATHS_MAX;
}

bool
journal_create(struct journal *journal, struct journal_entry *entry,
               const struct record *record)
{
    char *line = malloc(LINE_MAX_BYTES), folder[PATHS_MAX];
    struct x402_buf buf = x402_buf_on(line, LINE_MAX_BYTES);
    bool ok;

    entry->fd = -1;
    if (line == NULL)
        return false;
    record_encode(&buf, record);
    if (buf.full)
        errno = EFBIG;
    ok = !buf.full &&
         day_folder(folder, journal, (time_t)record->created.wall_s) &&
         file_name(entry->path, folder, record) &&
         journal_entry_create(entry, folder, x402_buf_span(&buf));
    free(line);
    return ok;
}

bool
journal_adopt(struct journal_entry *entry, const char *path)
{
    if (strlen(path) >= sizeof(entry->path)) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(entry->path, path, strlen(path) + 1);
    entry->fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
    if (entry->fd < 0)
        return false;
    if (flock(entry->fd, LOCK_EX | LOCK_NB) == 0)
        return true;
    journal_close(entry);
    errno = EBUSY;
    return false;
}

bool
journal_mark(struct journal_entry *entry, enum record_state state, long status)
{
    char line[256];
    struct x402_buf buf = x402_buf_on(line, sizeof(line));

    record_encode_state(&buf, state, status, (uint64_t)time(NULL));
    return journal_entry_append(entry, x402_buf_span(&buf));
}
