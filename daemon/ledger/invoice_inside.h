/* SPDX-License-Identifier: Apache-2.0 */
/* What the files about invoices share with each other and with run.c. */
#ifndef X402D_LEDGER_INVOICE_INSIDE_H
#define X402D_LEDGER_INVOICE_INSIDE_H

#include "internal.h"
#include "invoice.h"

/** The row under a statement of INVOICE_COLUMNS. */
void invoice_read(struct db *db, sqlite3_stmt *stmt, struct invoice_row *out);
bool invoice_by_hash(struct db *db, const uint8_t hash[32],
                     struct invoice_row *out);
/** -> PAID.  settled: the money is here, not only held. */
void invoice_pay(struct ledger *ledger, const struct invoice_row *row,
                 struct x402_msat paid, bool settled, uint64_t now_ms);

/** Change a row by a statement of (id, epoch, time), such as
 *  SQL_INVOICE_CANCEL: undecided -> HOLD_CANCEL, and LAPSED. */
void invoice_edge(struct ledger *ledger, const struct invoice_row *row,
                  enum statement which, uint64_t now_ms);
/** A step of its history, see event.h. */
void invoice_note(struct ledger *ledger, const struct invoice_row *row,
                  enum ledger_event what, uint64_t at_ms);
void invoice_send_plain(struct ledger *ledger, struct plain *plain,
                        void (*run)(struct ledger *, struct command *),
                        ledger_cb cb, void *arg);
/** A list of rows, read by the writer. */
struct invoice_list {
    struct command head;
    ledger_invoices_cb cb;
    void *arg;
    uint64_t expires_s;
    int64_t id;
    size_t limit;
    struct invoice_row *row;
    size_t len;
};
struct invoice_list *invoice_list_new(size_t limit, ledger_invoices_cb cb,
                                      void *arg);
void invoice_list_read(struct ledger *ledger, struct invoice_list *list,
                       sqlite3_stmt *stmt);

/* A reservation's id says in its first bit whether a row of payment or one of
 * invoice stands behind it. */
bool rid_is_invoice(const struct x402_rid *rid);
struct x402_rid rid_of_invoice(int64_t id);

/* -- invoice_run.c: the writer's half of the calls in ledger.h -- */

enum x402_err invoice_capture(struct ledger *ledger, const struct x402_rid *rid,
                              uint64_t now_ms);
enum x402_err invoice_started(struct ledger *ledger,
                              const struct x402_rid *rid);
enum x402_err invoice_done(struct ledger *ledger, const struct x402_rid *rid,
                           enum x402_till_end end, uint64_t now_ms);
/** The run ends without success: released, or broken off, or its worker is
 * gone.  Back to PAID. */
void invoice_break(struct ledger *ledger, const struct x402_rid *rid,
                   const struct ledger_step *why);

#endif
