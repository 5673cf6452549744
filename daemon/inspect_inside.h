/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of `x402d check` share. */
#ifndef X402D_INSPECT_INSIDE_H
#define X402D_INSPECT_INSIDE_H

#include "config_check.h"
#include "inspect.h"

struct inspection {
    const struct config *config;
    struct config_reading file; /* for the lines of what is said */
    unsigned errors, warnings;
};

/** "error: x402d.yaml:14: networks[0].signers[0]: ..." */
void inspect_say(struct inspection *in, const char *kind, const char *place,
                 const char *format, ...) __attribute__((format(printf, 4, 5)));
#define INSPECT_ERROR(in, ...)                                                 \
    ((in)->errors++, inspect_say(in, "error", __VA_ARGS__))
#define INSPECT_WARN(in, ...)                                                  \
    ((in)->warnings++, inspect_say(in, "warning", __VA_ARGS__))

/** --online: what the nodes say of the signers and the payees. */
void inspect_online(struct inspection *in);

#endif
