/* SPDX-License-Identifier: Apache-2.0 */
/* Where secrets may lie in memory, and randomness for making them. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>

#include "keystore.h"

enum keystore_err
keystore_harden_process(void)
{
    const struct rlimit none = {0, 0};

    /* also closes /proc/<pid>/mem and ptrace to this user's other processes */
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return KEYSTORE_ERR_IO;
    if (setrlimit(RLIMIT_CORE, &none) != 0)
        return KEYSTORE_ERR_IO;
    return KEYSTORE_OK;
}

void *
keystore_secret_new(size_t len)
{
    void *secret = mmap(NULL, len, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (secret == MAP_FAILED)
        return NULL;
    if (mlock(secret, len) != 0) {
        munmap(secret, len);
        return NULL;
    }
    /* a kernel without it is no reason to stop: dumps are off already */
    (void)madvise(secret, len, MADV_DONTDUMP);
    return secret;
}

void
keystore_secret_free(void *secret, size_t len)
{
    if (secret == NULL)
        return;
    explicit_bzero(secret, len);
    munmap(secret, len);
}

enum keystore_err
keystore_random_bytes(void *out, size_t len)
{
    uint8_t *at = out;

    while (len > 0) {
        ssize_t n = getrandom(at, len, 0);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return KEYSTORE_ERR_RANDOM;
        at += n;
        len -= (size_t)n;
    }
    return KEYSTORE_OK;
}
