/* SPDX-License-Identifier: Apache-2.0 */
/* See macaroon.h.  LND's identifier is a version byte (3) and a protobuf
 * message: nonce = 1, storage id = 2, repeated operation = 3 {entity = 1,
 * repeated action = 2}. */
#include "macaroon.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <x402/l402.h>
#include <x402/span.h>

/* -- the file -- */

static bool
same_file(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && a->st_mode == b->st_mode;
}

static bool
read_open(struct macaroon_file *file, int fd, char *error, size_t error_len)
{
    struct stat st;
    ssize_t n;

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        snprintf(error, error_len, "%s is not a file", file->path);
    else if ((st.st_mode & 077) != 0)
        snprintf(error, error_len,
                 "%s can be read by others: chmod 600 it, and give it to the "
                 "daemon's user",
                 file->path);
    else if (st.st_size <= 0 || st.st_size > MACAROON_MAX)
        snprintf(error, error_len, "%s is not a macaroon: 1 to %d bytes",
                 file->path, MACAROON_MAX);
    else if ((n = read(fd, file->bytes, sizeof file->bytes)) != st.st_size)
        snprintf(error, error_len, "%s cannot be read", file->path);
    else {
        file->len = (size_t)n;
        file->seen = st;
        return true;
    }
    return false;
}

bool
macaroon_read(struct macaroon_file *file, char *error, size_t error_len)
{
    struct stat st;
    bool good;
    int fd;

    if (file->len > 0 && stat(file->path, &st) == 0 &&
        same_file(&st, &file->seen))
        return true;
    file->len = 0;
    fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        snprintf(error, error_len, "%s: %s", file->path, strerror(errno));
        return false;
    }
    good = read_open(file, fd, error, error_len);
    close(fd);
    return good;
}

/* -- what it allows -- */

struct reader {
    const uint8_t *at;
    size_t left;
};

static bool
take_varint(struct reader *in, uint64_t *out)
{
    *out = 0;
    for (unsigned shift = 0; shift < 63 && in->left > 0; shift += 7) {
        uint8_t byte = *in->at++;

        in->left--;
        *out |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0)
            return true;
    }
    return false;
}

/* One field of length-delimited type; others do not occur here. */
static bool
take_field(struct reader *in, uint64_t *number, struct x402_span *out)
{
    uint64_t tag, len;

    if (!take_varint(in, &tag) || (tag & 7) != 2 || !take_varint(in, &len) ||
        len > in->left)
        return false;
    *number = tag >> 3;
    *out = (struct x402_span){(const char *)in->at, (size_t)len};
    in->at += len;
    in->left -= (size_t)len;
    return true;
}

static bool
is_one_of(struct x402_span text, const char *const *names)
{
    for (; *names != NULL; names++)
        if (x402_span_eq(text, x402_span_of(*names)))
            return true;
    return false;
}

/* LND's own invoice.macaroon may also make addresses and see the chain. */
static bool
is_allowed(struct x402_span entity, struct x402_span action)
{
    static const char *const read_or_write[] = {"invoices", "address", NULL};
    static const char *const read_only[] = {"info", "onchain", NULL};
    static const char *const calls[] = {
        "/lnrpc.Lightning/AddInvoice",
        "/lnrpc.Lightning/LookupInvoice",
        "/lnrpc.Lightning/SubscribeInvoices",
        "/lnrpc.Lightning/ListInvoices",
        "/lnrpc.Lightning/GetInfo",
        "/lnrpc.State/GetState",
        "/lnrpc.State/SubscribeState",
        "/invoicesrpc.Invoices/SubscribeSingleInvoice",
        "/invoicesrpc.Invoices/LookupInvoiceV2",
        "/invoicesrpc.Invoices/AddHoldInvoice",
        "/invoicesrpc.Invoices/SettleInvoice",
        "/invoicesrpc.Invoices/CancelInvoice",
        NULL,
    };

    if (x402_span_eq(entity, x402_span_of("uri")))
        return is_one_of(action, calls);
    if (is_one_of(entity, read_or_write))
        return x402_span_eq(action, x402_span_of("read")) ||
               x402_span_eq(action, x402_span_of("write"));
    return is_one_of(entity, read_only) &&
           x402_span_eq(action, x402_span_of("read"));
}

static bool
check_operation(struct x402_span op, char *what, size_t what_len)
{
    struct reader in = {(const uint8_t *)op.at, op.len};
    struct x402_span entity = {"", 0}, field;
    uint64_t number;

    while (in.left > 0) {
        if (!take_field(&in, &number, &field)) {
            snprintf(what, what_len, "its operations cannot be read");
            return false;
        }
        if (number == 1) {
            entity = field;
        } else if (number == 2 && !is_allowed(entity, field)) {
            snprintf(what, what_len, "it allows %.*s:%.*s",
                     (int)(entity.len < 64 ? entity.len : 64), entity.at,
                     (int)(field.len < 64 ? field.len : 64), field.at);
            return false;
        }
    }
    return true;
}

static bool
check_identifier(struct x402_span id, char *what, size_t what_len)
{
    struct reader in = {(const uint8_t *)id.at + 1, id.len - 1};
    struct x402_span field;
    uint64_t number;
    bool any = false;

    while (in.left > 0) {
        if (!take_field(&in, &number, &field))
            break;
        if (number != 3)
            continue;
        if (!check_operation(field, what, what_len))
            return false;
        any = true;
    }
    if (any && in.left == 0)
        return true;
    snprintf(what, what_len, "its operations cannot be read");
    return false;
}

bool
macaroon_is_modest(const uint8_t *bytes, size_t len, char *what,
                   size_t what_len)
{
    struct x402_macaroon macaroon;

    if (x402_macaroon_decode(&macaroon, bytes, len) != X402_OK ||
        macaroon.id.len < 2 || macaroon.id.at[0] != 3) {
        snprintf(what, what_len, "it is not a macaroon of LND");
        return false;
    }
    return check_identifier(macaroon.id, what, what_len);
}
