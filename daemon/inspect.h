/* SPDX-License-Identifier: Apache-2.0 */
/* `x402d check`: what the configuration leads to on this machine. */
#ifndef X402D_INSPECT_H
#define X402D_INSPECT_H

#include <keystore.h>

#include "config.h"

/** Print what is wrong, unsafe, or worth knowing, with file and line.  online:
 * ask the nodes as well.  Returns the exit code: 0, or 1 when the daemon could
 * not or should not run like this. */
int inspect(struct config *config, const char *path, bool online);

/** Whose key this is. */
enum keystore_err inspect_address(const struct config_key *key,
                                  struct x402_address *out);

#endif
