/* SPDX-License-Identifier: Apache-2.0 */
/* Lightning payments in the journal: a file each, <state>/lightning/<day>-
 * <payment hash>.json, written and synced before LND is asked to pay.  Its
 * lines are like those of record.h: everything first, then a line per change,
 * and one with the preimage when it was paid. */
#ifndef CLIENT_LN_RECORD_H
#define CLIENT_LN_RECORD_H

#include <x402/bolt11.h>

#include "journal.h"

#define LN_ENTRY_MAX 12288
#define LN_RESOURCE_MAX 4096
/* A proof stays usable for so long after its invoice's end: what was prepaid
 * cannot be taken back. */
#define LN_USABLE_S (24 * 3600)

struct ln_record {
    struct record_time created;
    char method[RECORD_METHOD_MAX];
    char url[X402_URL_MAX];
    char origin[URL_ORIGIN_MAX];
    uint8_t body32[32];
    enum x402_ln_network network;
    uint8_t payee[X402_NODE_LEN];
    uint8_t payment_hash[32];
    uint8_t request_hash[32];
    struct x402_msat amount, max_fee;
    uint64_t end_s; /* of the invoice */
    char invoice[X402_BOLT11_MAX + 1];
    char accepted[LN_ENTRY_MAX];    /* JSON, echoed */
    char resource[LN_RESOURCE_MAX]; /* JSON; "": none */
    bool held; /* a hold invoice: the proof is the invoice itself, shown while
                  the payment is on its way */
    bool has_preimage;
    uint8_t preimage[32];
    enum record_state state;
    long status;
};

/** A whole file's text and back.
 *  Returns: X402_ERR_SYNTAX: the first line is torn or not ours. */
void ln_record_encode(struct x402_buf *out, const struct ln_record *record);
X402_MUST_CHECK enum x402_err ln_record_decode(struct ln_record *out,
                                               struct x402_span text);

/** The folder, made when it is missing.  false: errno. */
__attribute__((warn_unused_result)) bool ln_journal_open(char out[PATHS_MAX]);
/** Write a payment durably.  On false nothing may be paid. */
__attribute__((warn_unused_result)) bool
ln_journal_create(const char *folder, struct journal_entry *entry,
                  const struct ln_record *record);
/** Append the preimage durably. */
__attribute__((warn_unused_result)) bool
ln_journal_paid(struct journal_entry *entry, const uint8_t preimage[32]);

struct ln_seen {
    const struct ln_record *record;
    const char *path;
    bool alive; /* a process works on it */
};
typedef bool ln_visit(void *owner, const struct ln_seen *seen);

/** Visit payments, newest day first, as journal_scan does and under the same
 *  lock. */
__attribute__((warn_unused_result)) bool
ln_journal_scan(const char *folder, bool all, ln_visit *visit, void *owner);

#endif
