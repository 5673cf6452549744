/* SPDX-License-Identifier: Apache-2.0 */
/* The secret that L402 macaroons and MPP challenges are made with: 32 random
 * bytes in a file that only the daemon reads.  Without it a proof of an earlier
 * payment in these dialects is not ours any more. */
#ifndef X402D_SECRET_H
#define X402D_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct secret {
    uint8_t
        l402[32]; /* one key for each purpose, made of the one in the file */
    uint8_t mpp[32];
};

/** Read FILE, or create it (0600, durable).  false with a message: readable by
 * others, not 32 bytes, cannot be written. */
bool secret_open(struct secret *out, const char *path, char *error,
                 size_t error_len);

#endif
