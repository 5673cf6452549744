/* SPDX-License-Identifier: Apache-2.0 */
/* Preloaded into nginx by a test: fails one allocation of the process, the
 * n-th from the moment at which the test writes n into a shared file. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static volatile int32_t *left;

__attribute__((constructor)) static void
open_counter(void)
{
    const char *path = getenv("FAIL_ALLOC");
    int fd = path != NULL ? open(path, O_RDWR) : -1;
    void *page;

    if (fd < 0)
        return;
    page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (page != MAP_FAILED)
        left = page;
    close(fd);
}

static int
fails(void)
{
    if (left == NULL || *left <= 0)
        return 0;
    *left -= 1;
    return *left == 0;
}

void *
malloc(size_t size)
{
    static void *(*next)(size_t);

    if (next == NULL)
        *(void **)&next = dlsym(RTLD_NEXT, "malloc");
    if (fails()) {
        errno = ENOMEM;
        return NULL;
    }
    return next(size);
}

int
posix_memalign(void **out, size_t alignment, size_t size)
{
    static int (*next)(void **, size_t, size_t);

    if (next == NULL)
        *(void **)&next = dlsym(RTLD_NEXT, "posix_memalign");
    if (fails())
        return ENOMEM;
    return next(out, alignment, size);
}
