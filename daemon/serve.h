/* SPDX-License-Identifier: Apache-2.0 */
/* Running the daemon: everything opened in order, and closed in order. */
#ifndef X402D_SERVE_H
#define X402D_SERVE_H

#include "config.h"

/** Run until a signal.  `path` is read again at SIGHUP.  Returns the exit code.
 */
int serve(struct config *config, const char *path);

#endif
