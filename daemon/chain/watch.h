/* SPDX-License-Identifier: Apache-2.0 */
/* Who waits for which payment to be mined. */
#ifndef X402D_WATCH_H
#define X402D_WATCH_H

#include "inside.h"

#define WATCH_MAX 8192 /* more are told CHAIN_TIMEOUT at once */

struct watches *watch_new(struct chain *chain);
/** Everybody is told CHAIN_TIMEOUT; then closed(arg).  The ledger's last
 * answers may still name payments, until watch_free. */
void watch_close(struct watches *watches, void (*closed)(void *arg), void *arg);
void watch_free(struct watches *watches);

/** The ledger says MINED. */
void watch_mined(struct watches *watches, int64_t payment);
/** The ledger has let it go: RELEASED or FAILED. */
void watch_refused(struct watches *watches, int64_t payment,
                   enum x402_err reason);

#endif
