/* SPDX-License-Identifier: Apache-2.0 */
/* See cashier_test.h. */
#include "cashier_test.h"

#include <string.h>

struct cashier *test_cashier;
struct config *test_config;
bool worker_gone;

static unsigned cashier_nonce;
static const uint8_t worker[16] = {7};

static bool
still_there(void *arg)
{
    (void)arg;
    return !worker_gone;
}

static void
on_reserved(void *arg, const struct x402_till_reserved *out)
{
    struct got *got = arg;

    got->out = *out;
    got->err = out->err;
    got->done++;
}

static void
on_plain(void *arg, enum x402_err err, int64_t payment)
{
    struct got *got = arg;

    (void)payment;
    got->err = err;
    got->done++;
}

struct x402_till_reserve
fresh(void)
{
    return fake_payment(1, ++cashier_nonce);
}

void
begin(struct got *got, const struct x402_till_reserve *in)
{
    memset(got, 0, sizeof *got);
    cashier_reserve(test_cashier, in, worker, still_there, on_reserved, got);
}

struct got
reserve(const struct x402_till_reserve *in)
{
    struct got got;

    begin(&got, in);
    test_wait(&got.done);
    return got;
}

struct got
release_of(const struct x402_rid *rid)
{
    struct got got = {0};

    cashier_release(test_cashier, rid, 500, on_plain, &got);
    test_wait(&got.done);
    return got;
}

struct got
capture_all(const struct x402_rid *rid)
{
    struct got got = {0};

    cashier_capture(test_cashier, rid, NULL, on_plain, &got);
    test_wait(&got.done);
    return got;
}

/* Run the loop until somebody watches a payment. */
void
until_watched(size_t len)
{
    while (fake_watched() < len)
        uv_run(core_loop(test_core), UV_RUN_ONCE);
}

void
until_asked(unsigned len)
{
    while (fake.asked < len)
        uv_run(core_loop(test_core), UV_RUN_ONCE);
}

bool
row_of(const struct x402_till_reserve *in, struct pay_row *row)
{
    struct pay_key key = {.chain_id = in->chain_id,
                          .contract = in->asset,
                          .payer = in->auth.from};

    memcpy(key.nonce, in->auth.nonce, sizeof key.nonce);
    return ledger_find(test_ledger, &key, row);
}

void
submit_and_mine(int64_t payment, unsigned tx, bool mine)
{
    struct ledger_outcome paid = {payment, true};
    int64_t batch = test_submit(tx, &payment, 1);

    OK(batch != 0);
    if (mine)
        OK(test_mined(batch, tx, 101, &paid, 1) == X402_OK);
}

void
cashier_begin(void)
{
    struct chain *chain;

    test_now_ms = core_now_ms();
    test_folder();
    test_open();
    test_config = fake_config();
    chain = fake_chain(test_core);
    test_cashier = cashier_new(test_core, test_config, test_ledger, &chain, 1);
}

int
cashier_end(void)
{
    OK(test_audit() == NULL);
    cashier_free(test_cashier);
    test_close();
    return test_done();
}
