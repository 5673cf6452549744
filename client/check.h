/* SPDX-License-Identifier: Apache-2.0 */
/* Asking the chain about payments whose outcome is open. */
#ifndef CLIENT_CHECK_H
#define CLIENT_CHECK_H

#include "config.h"
#include "journal.h"

/** Mark expired payments void where a final block proves that they were never
 *  used.  rpc: the node to ask; NULL: the configured ones.  Returns an exit
 *  code. */
int check_payments(struct journal *journal, const struct config *config,
                   const char *rpc);

#endif
