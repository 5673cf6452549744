/* SPDX-License-Identifier: Apache-2.0 */
/* LND's macaroon: read from its file, and judged by what it allows.  "A gateway
 * given admin.macaroon" loses everything when it is broken into. */
#ifndef X402D_MACAROON_H
#define X402D_MACAROON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#define MACAROON_MAX 4096

/** A file that is read again when it changes. */
struct macaroon_file {
    const char *path;
    struct stat seen;
    uint8_t bytes[MACAROON_MAX];
    size_t len;
};

/** Read the file unless it is the one that was read before.
 *  Returns: false with a message: missing, readable by others than its owner,
 *           empty, too long. */
bool macaroon_read(struct macaroon_file *file, char *error, size_t error_len);

/** Does it allow no more than to make and to watch invoices?  Reads the
 *  operations in its identifier.
 *  Returns: false; `what` names the first operation that is too much, or says
 *           that the identifier cannot be read. */
bool macaroon_is_modest(const uint8_t *bytes, size_t len, char *what,
                        size_t what_len);

#endif
