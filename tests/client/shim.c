/* SPDX-License-Identifier: Apache-2.0 */
/* Preloaded into the client by tests: a disk that cannot sync, a wall clock
 * that was set, a kernel without randomness. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

/* SHIM_FSYNC says for what: "file", "folder". */
static int
fails(const char *kind)
{
    const char *what = getenv("SHIM_FSYNC");

    return what != NULL && strcmp(what, kind) == 0;
}

int
fsync(int fd)
{
    int (*real)(int);
    struct stat st;

    if (fstat(fd, &st) == 0 && fails(S_ISDIR(st.st_mode) ? "folder" : "file")) {
        errno = EIO;
        return -1;
    }
    *(void **)&real = dlsym(RTLD_NEXT, "fsync");
    return real(fd);
}

time_t
time(time_t *out)
{
    const char *shift = getenv("SHIM_TIME");
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    now.tv_sec += shift == NULL ? 0 : atol(shift);
    if (out != NULL)
        *out = now.tv_sec;
    return now.tv_sec;
}

ssize_t
getrandom(void *out, size_t len, unsigned flags)
{
    ssize_t (*real)(void *, size_t, unsigned);

    if (getenv("SHIM_RANDOM") != NULL) {
        errno = ENOSYS;
        return -1;
    }
    *(void **)&real = dlsym(RTLD_NEXT, "getrandom");
    return real(out, len, flags);
}
