/* SPDX-License-Identifier: Apache-2.0 */
/* See secret.h. */
#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../core.h"

static bool
say(char *error, size_t error_len, const char *path, const char *what)
{
    snprintf(error, error_len, "%s: %s", path, what);
    return false;
}

/* O_EXCL: what is there is never written over.  A file that a crash left short
 * is refused by the next start, not filled up. */
static bool
create(const char *path, char *error, size_t error_len)
{
    uint8_t bytes[32];
    int fd =
        open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool good;

    if (fd < 0)
        return say(error, error_len, path, strerror(errno));
    core_random(bytes, sizeof bytes);
    good = write(fd, bytes, sizeof bytes) == (ssize_t)sizeof bytes &&
           fsync(fd) == 0;
    explicit_bzero(bytes, sizeof bytes);
    close(fd);
    if (good)
        return true;
    unlink(path);
    return say(error, error_len, path, "cannot be written");
}

static bool
read_bytes(uint8_t out[32], int fd, const char *path, char *error,
           size_t error_len)
{
    uint8_t bytes[33];
    struct stat st;
    bool good;

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return say(error, error_len, path, "is not a file");
    if ((st.st_mode & 077) != 0)
        return say(error, error_len, path,
                   "can be read by others: chmod 600 it");
    good = read(fd, bytes, sizeof bytes) == 32;
    memcpy(out, bytes, 32);
    explicit_bzero(bytes, sizeof bytes);
    return good || say(error, error_len, path,
                       "does not hold 32 bytes: restore it, or remove it and "
                       "lose the proofs that were not used yet");
}

static void
derive(uint8_t out[32], const uint8_t key[32], const char *purpose)
{
    unsigned len = 32;

    if (HMAC(EVP_sha256(), key, 32, (const unsigned char *)purpose,
             strlen(purpose), out, &len) == NULL)
        abort();
}

bool
secret_open(struct secret *out, const char *path, char *error, size_t error_len)
{
    const int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    int fd = open(path, flags);
    uint8_t key[32];
    bool good;

    if (fd < 0 && errno == ENOENT) {
        if (!create(path, error, error_len))
            return false;
        fd = open(path, flags);
    }
    if (fd < 0)
        return say(error, error_len, path, strerror(errno));
    good = read_bytes(key, fd, path, error, error_len);
    close(fd);
    if (good) {
        derive(out->l402, key, "x402 L402 root key");
        derive(out->mpp, key, "x402 MPP challenge secret");
    }
    explicit_bzero(key, sizeof key);
    return good;
}
