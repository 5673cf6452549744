/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the ledger share: a ledger in a folder of its own, commands
 * that wait for their answer, and payments made to order. */
#ifndef LEDGER_TEST_H
#define LEDGER_TEST_H

#include <sqlite3.h>

#include "ledger/event.h"
#include "ledger/ledger.h"

#define NOW 1700000000000ull /* ms */
#define CHAIN 84532

/* The runner: test.h counts for each file, and these tests have several. */
void test_ok(bool ok, const char *why, ...)
    __attribute__((format(printf, 2, 3)));
int test_done(void);

/** A check that is its own description. */
#define OK(x) test_ok((x), "%s: %s", __func__, #x)

extern struct core *test_core;
extern struct ledger *test_ledger;
extern char test_path[256];  /* of the ledger file */
extern uint64_t test_now_ms; /* the settler's clock; NOW unless set */

/** A fresh folder; sets test_path; the folder goes at exit. */
void test_folder(void);
/** Open test_path; ends the program when it does not open. */
void test_open(void);
void test_close(void);
/** Open, and expect a refusal: the message, or NULL when it opened. */
const char *test_refusal(void);
/** Run the loop until *flag. */
void test_wait(const int *flag);

/** A payment of `value` by payer number `payer`, good in every way. */
struct ledger_reserve test_payment(unsigned payer, unsigned nonce,
                                   uint64_t value);
struct pay_key test_key(const struct ledger_reserve *in);

struct ledger_reserved test_reserve(const struct ledger_reserve *in);
enum x402_err test_capture(const struct x402_rid *rid, uint64_t now_ms);
enum x402_err test_release(const struct x402_rid *rid, uint64_t now_ms);
enum x402_err test_started(const struct x402_rid *rid);
enum x402_err test_finish(const struct x402_rid *rid, enum x402_till_end end,
                          uint64_t now_ms);
enum x402_err test_lease_end(const uint8_t worker[16],
                             const struct x402_rid *rids, size_t len,
                             uint64_t now_ms);
/** Submit as a new batch under transaction number `tx`; the batch id, 0 when
 * it was refused. */
int64_t test_submit(unsigned tx, const int64_t *payments, size_t len);
enum x402_err test_replace(int64_t batch, unsigned tx);
enum x402_err test_mined(int64_t batch, unsigned tx, uint64_t block,
                         const struct ledger_outcome *outcomes, size_t len);
enum x402_err test_paid_by(int64_t payment, unsigned tx, uint64_t block);
enum x402_err test_unmined(unsigned tx);
enum x402_err test_requeue(int64_t batch);
enum x402_err test_final(unsigned tx);
enum x402_err test_failed(int64_t payment, enum x402_err reason);
/** Rows of a list, copied; valid until the next call. */
const struct pay_row *test_due_but(const int64_t *but, size_t but_len,
                                   size_t limit, size_t *len);
static inline const struct pay_row *
test_due(size_t *len)
{
    return test_due_but(NULL, 0, 64, len);
}
const struct pay_row *test_in_state(enum pay_state state, size_t *len);
size_t test_workers(void);
size_t test_open_txs(void);

struct pay_row test_get(int64_t payment);
/** One integer by SQL, through a connection of the test's own. */
int64_t test_sql(const char *sql);
/** The steps of a payment or invoice as the operator's tools read them,
 * "what+ms" with ms after NOW; detail, reason, block, left out in brackets. */
const char *test_history(enum ledger_rail rail, int64_t id);
/** Every counter of the ledger against the rows: NULL, or what is wrong. */
const char *test_audit(void);

#endif
