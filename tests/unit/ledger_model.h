/* SPDX-License-Identifier: Apache-2.0 */
/* A ledger without a database: the rules, over a plain array. */
#ifndef LEDGER_MODEL_H
#define LEDGER_MODEL_H

#include "ledger_test.h"

#define PAYMENTS 16
#define PAYERS 3
#define BALANCE 3000
#define LIMIT_PAYER 1500
#define LIMIT_TOTAL 2500
#define DAY_MS (24 * 3600 * 1000ull)

extern struct model {
    bool there;
    enum pay_state state;
    enum pay_run run;
    enum pay_mode mode;
    enum pay_origin origin;
    uint64_t value;
    unsigned releases, runs, worker, tx;
    bool taken, started;
    uint64_t charged_ms, block;
    int64_t id, batch;
    struct x402_rid rid;
} model[PAYMENTS];

extern struct model_payer {
    bool settle_first;
    uint64_t lost;
    uint64_t full_ms;
} payer[PAYERS];

extern uint64_t now_ms, head, seed;
extern unsigned last_tx;

unsigned roll(unsigned n);
unsigned payer_of(unsigned i);
bool is_due(const struct model *m);

/** What reserve must answer: for a new payment, and for one that is there.
 * *mode: as the credit decides; *redeem: one more run; *open: claims money. */
enum x402_err may_open(unsigned p, const struct ledger_reserve *in,
                       enum pay_mode *mode);
enum x402_err expect_known(struct model *m, unsigned p,
                           const struct ledger_reserve *in, enum pay_mode *mode,
                           bool *redeem, bool *open);
void open_model(struct model *m, const struct ledger_reserve *in,
                const struct ledger_reserved *out, enum pay_mode mode);

enum x402_err model_capture(struct model *m, uint64_t at_ms);
void model_break(struct model *m);
void model_give_up(struct model *m);
void model_mine(struct model *m, unsigned tx, uint64_t block);
void model_requeue(struct model *m);

#endif
