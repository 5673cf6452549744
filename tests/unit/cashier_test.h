/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the cashier share: a cashier over a real ledger and a chain
 * that says what it is told, and answers that are waited for. */
#ifndef CASHIER_TEST_H
#define CASHIER_TEST_H

#include "fake_chain.h"
#include "ledger_test.h"

extern struct cashier *test_cashier;
extern struct config *test_config;
extern bool worker_gone; /* what still_there says */

struct got {
    int done;
    struct x402_till_reserved out;
    struct cashier_answer answer;
    enum x402_err err;
};

void cashier_begin(void);
int cashier_end(void);

/** A new payment. */
struct x402_till_reserve fresh(void);
/** Ask; and ask and wait. */
void begin(struct got *got, const struct x402_till_reserve *in);
struct got reserve(const struct x402_till_reserve *in);
/** cashier_capture of all. */
struct got capture_all(const struct x402_rid *rid);
struct got release_of(const struct x402_rid *rid);
/** Run the loop until so many are watched, or were asked about. */
void until_watched(size_t len);
void until_asked(unsigned len);
bool row_of(const struct x402_till_reserve *in, struct pay_row *row);
void submit_and_mine(int64_t payment, unsigned tx, bool mine);

#endif
