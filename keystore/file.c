/* SPDX-License-Identifier: Apache-2.0 */
/* Secret files: refused when anyone else could read them. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include <x402/encode.h>

#include "../lib/mutant.h"
#include "keystore.h"

/* The check is on the open file, not on the path: nothing can be swapped in
 * between. O_NONBLOCK, so that a FIFO cannot hang us before fstat says no. */
static enum keystore_err
open_secret(int *out, const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd < 0)
        return KEYSTORE_ERR_IO;
    if (fstat(fd, &st) != 0) {
        close(fd);
        return KEYSTORE_ERR_IO;
    }
    if (!S_ISREG(st.st_mode) ||
        ((st.st_mode & 077) != 0 && !mutant("key_shared")) ||
        (st.st_uid != geteuid() && st.st_uid != 0)) {
        close(fd);
        return KEYSTORE_ERR_ACCESS;
    }
    *out = fd;
    return KEYSTORE_OK;
}

static enum keystore_err
read_all(char *text, size_t *len, size_t cap, int fd)
{
    size_t have = 0;

    for (;;) {
        ssize_t n = read(fd, text + have, cap - have);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return KEYSTORE_ERR_IO;
        if (n == 0)
            break;
        have += (size_t)n;
        if (have == cap)
            return KEYSTORE_ERR_FORMAT; /* no room for the NUL: too large */
    }
    text[have] = '\0';
    *len = have;
    return KEYSTORE_OK;
}

enum keystore_err
keystore_file_read(char *text, size_t *len, size_t cap, const char *path)
{
    int fd;
    enum keystore_err err = open_secret(&fd, path);

    if (err != KEYSTORE_OK)
        return err;
    err = read_all(text, len, cap, fd);
    if (err != KEYSTORE_OK)
        OPENSSL_cleanse(text, cap);
    close(fd);
    return err;
}

enum keystore_err
keystore_password_read(char password[KEYSTORE_PASSWORD_MAX], size_t *len,
                       const char *path)
{
    enum keystore_err err =
        keystore_file_read(password, len, KEYSTORE_PASSWORD_MAX, path);

    if (err != KEYSTORE_OK)
        return err;
    if (*len > 0 && password[*len - 1] == '\n')
        password[--*len] = '\0';
    if (*len > 0 && password[*len - 1] == '\r')
        password[--*len] = '\0';
    return KEYSTORE_OK;
}

/* 64 hex digits, "0x" in front or not, one line end behind or not. */
static enum keystore_err
read_raw(uint8_t key32[32], const char *text, size_t len)
{
    char prefixed[2 + 64];
    struct x402_span span = {text, len};
    enum x402_err err;

    if (span.len > 0 && span.at[span.len - 1] == '\n')
        span.len--;
    if (span.len > 0 && span.at[span.len - 1] == '\r')
        span.len--;
    if (span.len == 64) {
        memcpy(prefixed, "0x", 2);
        memcpy(prefixed + 2, span.at, 64);
        span = (struct x402_span){prefixed, sizeof(prefixed)};
    }
    err = x402_hex_decode(key32, 32, span);
    OPENSSL_cleanse(prefixed, sizeof(prefixed));
    return err == X402_OK ? KEYSTORE_OK : KEYSTORE_ERR_FORMAT;
}

enum keystore_err
keystore_file_open(uint8_t key32[32], const char *path,
                   struct x402_span password)
{
    char text[KEYSTORE_FILE_MAX];
    size_t len, start;
    enum keystore_err err = keystore_file_read(text, &len, sizeof(text), path);

    if (err != KEYSTORE_OK)
        return err;
    start = strspn(text, " \t\r\n");
    if (text[start] != '{')
        err = read_raw(key32, text, len);
    else if (password.at == NULL)
        err = KEYSTORE_ERR_NEED_PASSWORD;
    else
        err = keystore_open(key32, (struct x402_span){text, len}, password);
    OPENSSL_cleanse(text, sizeof(text));
    return err;
}

static enum keystore_err
write_all(int fd, struct x402_span text)
{
    while (text.len > 0) {
        ssize_t n = write(fd, text.at, text.len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return KEYSTORE_ERR_IO;
        text.at += n;
        text.len -= (size_t)n;
    }
    return fsync(fd) == 0 ? KEYSTORE_OK : KEYSTORE_ERR_IO;
}

/* A new name is durable only when its folder is synced too. */
static enum keystore_err
sync_folder(const char *path)
{
    char folder[4096];
    const char *slash = strrchr(path, '/');
    size_t len = slash == NULL ? 0 : (size_t)(slash - path);
    int fd, rc;

    if (len >= sizeof(folder))
        return KEYSTORE_ERR_IO;
    if (slash == NULL)
        memcpy(folder, ".", 2);
    else if (len == 0)
        memcpy(folder, "/", 2);
    else {
        memcpy(folder, path, len);
        folder[len] = '\0';
    }
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return KEYSTORE_ERR_IO;
    rc = fsync(fd);
    close(fd);
    return rc == 0 ? KEYSTORE_OK : KEYSTORE_ERR_IO;
}

enum keystore_err
keystore_file_create(const char *path, struct x402_span text)
{
    enum keystore_err err;
    int fd =
        open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return errno == EEXIST ? KEYSTORE_ERR_EXISTS : KEYSTORE_ERR_IO;
    err = write_all(fd, text);
    if (close(fd) != 0 && err == KEYSTORE_OK)
        err = KEYSTORE_ERR_IO;
    if (err == KEYSTORE_OK)
        err = sync_folder(path);
    if (err != KEYSTORE_OK)
        unlink(path);
    return err;
}
