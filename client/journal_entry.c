/* SPDX-License-Identifier: Apache-2.0 */
/* The file of one payment. */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal_entry.h"
#include "mutant.h"

bool
journal_folder_is_private(const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return false;
    if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() ||
        ((st.st_mode & 077) != 0 && !client_mutant("journal_shared"))) {
        errno = EPERM;
        return false;
    }
    return true;
}

bool
journal_folder_sync(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok;

    if (fd < 0)
        return false;
    ok = fsync(fd) == 0;
    close(fd);
    return ok;
}

bool
journal_entry_append(const struct journal_entry *entry, struct x402_span text)
{
    while (text.len > 0) {
        ssize_t n = write(entry->fd, text.at, text.len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        text.at += n;
        text.len -= (size_t)n;
    }
    return fsync(entry->fd) == 0 || client_mutant("journal_unsynced");
}

bool
journal_entry_create(struct journal_entry *entry, const char *folder,
                     struct x402_span text)
{
    int saved;

    entry->fd = open(entry->path,
                     O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (entry->fd < 0)
        return false;
    if (flock(entry->fd, LOCK_EX | LOCK_NB) == 0 &&
        journal_entry_append(entry, text) && journal_folder_sync(folder))
        return true;
    saved = errno;
    unlink(entry->path);
    journal_close(entry);
    errno = saved;
    return false;
}

static bool
read_all(size_t *len, char *text, size_t cap, int fd)
{
    ssize_t n;

    *len = 0;
    while ((n = read(fd, text + *len, cap - *len)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        *len += (size_t)n;
    }
    return true;
}

bool
journal_entry_read(size_t *len, char *text, size_t cap, bool *alive,
                   const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    bool ok;

    if (fd < 0)
        return false;
    *alive = flock(fd, LOCK_SH | LOCK_NB) != 0;
    ok = read_all(len, text, cap, fd);
    close(fd);
    return ok;
}

void
journal_close(struct journal_entry *entry)
{
    if (entry->fd >= 0)
        close(entry->fd);
    entry->fd = -1;
}
