/* SPDX-License-Identifier: Apache-2.0 */
/* What reserve decides, and what claim then writes. */
#ifndef X402D_LEDGER_RESERVE_H
#define X402D_LEDGER_RESERVE_H

#include "internal.h"

struct reserve {
    struct command head;
    ledger_reserve_cb cb;
    void *arg;
    struct ledger_reserve in;
    struct ledger_reserved out;
};

/** What is to be done with a payment that may go on. */
enum claim {
    CLAIM_NONE,       /* nothing: it is there already */
    CLAIM_INSERT,     /* a new row */
    CLAIM_AGAIN,      /* RELEASED -> RESERVED */
    CLAIM_FACILITATE, /* RELEASED -> CAPTURED */
    CLAIM_REDEEM,     /* one more run */
};

/** Write it.  r->out.row is the row so far; its id is set for a new one. */
void claim_write(struct ledger *ledger, struct reserve *r, enum claim step);

#endif
