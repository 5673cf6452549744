/* SPDX-License-Identifier: Apache-2.0 */
/* The cashier for the gateway: who is asked, in which order, and what is
 * answered. */
#include <string.h>

#include "cashier_test.h"

#define MANY 256

/* -- settle after -- */

static void
one_request(void)
{
    struct x402_till_reserve in = fresh();
    unsigned asked = fake.asked, kicks = fake.kicks;
    struct got got = reserve(&in);

    OK(got.err == X402_OK && !got.out.redeemed && !got.out.settled);
    OK(fake.asked == asked + 1 && fake.kicks == kicks);
    OK(capture_all(&got.out.rid).err == X402_OK);
    OK(fake.kicks == kicks + 1 && fake.urgent_kicks == 0);
    OK(reserve(&in).err == X402_ERR_IN_PROGRESS);
    test_finish(&got.out.rid, X402_TILL_END_COMPLETE, NOW);
    OK(reserve(&in).err == X402_ERR_REPLAYED);
    OK(fake.asked == asked + 1); /* the chain was not bothered */
}

/* A cashier that did not reserve it finds the payment's chain in the ledger. */
static void
captured_by_the_next_one(void)
{
    struct x402_till_reserve in = fresh();
    struct got got = reserve(&in);
    struct chain *chain = fake_chain(test_core);

    cashier_free(test_cashier);
    test_cashier = cashier_new(test_core, test_config, test_ledger, &chain, 1);
    OK(capture_all(&got.out.rid).err == X402_OK && fake.kicks == 1);
    OK(capture_all(&got.out.rid).err == X402_OK);
    test_finish(&got.out.rid, X402_TILL_END_COMPLETE, NOW);
}

static void
what_a_worker_may_not_choose(void)
{
    struct x402_till_reserve in = fresh();
    unsigned asked = fake.asked;

    in.auth.to.byte[3] ^= 1;
    OK(reserve(&in).err == X402_ERR_PAYEE);
    in = fresh();
    memset(in.auth.to.byte, 0, 20);
    OK(reserve(&in).err == X402_ERR_PAYEE);
    in = fresh();
    in.asset.byte[3] ^= 1;
    OK(reserve(&in).err == X402_ERR_ASSET);
    in = fresh();
    in.auth.value = x402_amount_of(0);
    OK(reserve(&in).err == X402_ERR_AMOUNT);
    in = fresh();
    in.chain_id = 8453;
    OK(reserve(&in).err == X402_ERR_NETWORK);
    in = fresh();
    memset(in.auth.from.byte, 0, 20);
    OK(reserve(&in).err == X402_ERR_SIGNATURE);
    OK(fake.asked == asked);
    OK(test_sql(
           "SELECT count(*) FROM payment WHERE payee <> (SELECT payee FROM "
           "payment LIMIT 1)") == 0);
}

static void
the_same_at_once(void)
{
    struct x402_till_reserve in = fresh(), other = in;
    struct got first, got[MANY], elsewhere;
    unsigned asked = fake.asked;
    int in_progress = 0;

    fake.hold = true;
    begin(&first, &in);
    for (int i = 0; i < MANY; i++) {
        begin(&got[i], &in);
        in_progress += got[i].err == X402_ERR_IN_PROGRESS;
    }
    other.fingerprint[0] ^= 1;
    begin(&elsewhere, &other);
    OK(in_progress == MANY && elsewhere.err == X402_ERR_RESOURCE);
    OK(fake.asked == asked + 1 && first.done == 0);
    fake.hold = false;
    fake_answer();
    test_wait(&first.done);
    OK(first.err == X402_OK);
    OK(reserve(&other).err == X402_ERR_RESOURCE);
    OK(fake.asked == asked + 1);
}

static void
refused_by_the_chain(void)
{
    static const enum x402_err reasons[] = {
        X402_ERR_FUNDS,      X402_ERR_NONCE_USED, X402_ERR_SIGNATURE,
        X402_ERR_SIMULATION, X402_ERR_BUSY,       X402_ERR_UNAVAILABLE};

    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        struct x402_till_reserve in = fresh();
        struct pay_row row;

        fake.verdict.err = reasons[i];
        OK(reserve(&in).err == reasons[i]);
        OK(!row_of(&in, &row));
        fake.verdict.err = X402_OK;
        OK(reserve(&in).err == X402_OK);
    }
}

static void
released_asks_again(void)
{
    struct x402_till_reserve in = fresh();
    unsigned asked = fake.asked;
    struct got got = reserve(&in);

    OK(release_of(&got.out.rid).err == X402_OK);
    fake.verdict.err = X402_ERR_FUNDS;
    OK(reserve(&in).err == X402_ERR_FUNDS);
    fake.verdict.err = X402_OK;
    OK(reserve(&in).err == X402_OK);
    OK(fake.asked == asked + 3);
}

static void
redeemed_without_the_chain(void)
{
    struct x402_till_reserve in = fresh();
    struct got got = reserve(&in);
    unsigned asked = fake.asked;

    capture_all(&got.out.rid);
    test_finish(&got.out.rid, X402_TILL_END_SERVER, core_now_ms());
    fake.health.reachable = fake.health.can_settle = false;
    got = reserve(&in);
    OK(got.err == X402_OK && got.out.redeemed && fake.asked == asked);
    fake.health.reachable = fake.health.can_settle = true;
}

static void
looked_up(void)
{
    struct x402_till_reserve in = fresh();
    unsigned asked = fake.asked;

    in.flags = X402_TILL_LOOK_UP;
    OK(reserve(&in).err == X402_ERR_EXPIRED);
    OK(fake.asked == asked);
}

static void
a_settler_that_cannot(void)
{
    struct x402_till_reserve in = fresh();

    fake.health.can_settle = false;
    OK(reserve(&in).err == X402_ERR_FEES);
    fake.health.reachable = false;
    OK(reserve(&in).err == X402_ERR_UNAVAILABLE);
    fake.health.reachable = true;
    fake.health.signer_len = 0;
    OK(reserve(&in).err == X402_ERR_UNAVAILABLE);
    fake.health.signer_len = 1;
    fake.health.can_settle = true;
    OK(reserve(&in).err == X402_OK);
}

static void
a_worker_that_left(void)
{
    struct x402_till_reserve in = fresh();
    struct pay_row row;

    worker_gone = true;
    OK(reserve(&in).err == X402_ERR_UNAVAILABLE);
    OK(!row_of(&in, &row));
    worker_gone = false;
    OK(reserve(&in).err == X402_OK);
}

/* -- settle first -- */

static struct x402_till_reserve
strict(void)
{
    struct x402_till_reserve in = fresh();

    in.flags = X402_TILL_SETTLE_FIRST;
    return in;
}

static void
mined_in_time(void)
{
    struct x402_till_reserve in = strict();
    unsigned urgent = fake.urgent_kicks;
    struct got got, again;
    struct pay_row row;

    begin(&got, &in);
    until_watched(1);
    OK(fake.urgent_kicks == urgent + 1 && row_of(&in, &row));
    OK(reserve(&in).err == X402_ERR_IN_PROGRESS);
    submit_and_mine(row.id, 500, true);
    fake_tell(test_ledger, CHAIN_MINED, X402_OK);
    OK(got.done == 1 && got.err == X402_OK && got.out.settled);
    OK(got.out.has_transaction && !got.out.redeemed);
    OK(capture_all(&got.out.rid).err == X402_OK);
    again = reserve(&in);
    OK(again.err == X402_ERR_IN_PROGRESS);
}

static void
mined_too_late(void)
{
    struct x402_till_reserve in = strict();
    struct ledger_outcome paid;
    struct got got;
    struct pay_row row;
    int64_t batch;

    begin(&got, &in);
    until_watched(1);
    OK(row_of(&in, &row));
    batch = test_submit(510, &row.id, 1);
    fake_tell(test_ledger, CHAIN_TIMEOUT, X402_OK);
    test_wait(&got.done);
    OK(got.err == X402_ERR_PENDING && got.out.has_transaction);
    got = reserve(&in);
    OK(got.err == X402_ERR_PENDING && got.out.has_transaction);
    paid = (struct ledger_outcome){row.id, true};
    test_mined(batch, 510, 101, &paid, 1);
    got = reserve(&in);
    OK(got.err == X402_OK && got.out.redeemed && got.out.settled);
    OK(got.out.has_transaction && fake_watched() == 0);
}

static void
never_submitted(void)
{
    struct x402_till_reserve in = strict();
    struct got got;
    struct pay_row row;

    begin(&got, &in);
    until_watched(1);
    fake_tell(test_ledger, CHAIN_TIMEOUT, X402_OK);
    test_wait(&got.done);
    OK(got.err == X402_ERR_UNAVAILABLE && !got.out.has_transaction);
    OK(row_of(&in, &row) && row.state == PAY_RELEASED && row.releases == 0);
}

static void
refused_while_waiting(void)
{
    struct x402_till_reserve in = strict();
    struct got got;
    struct pay_row row;

    begin(&got, &in);
    until_watched(1);
    OK(row_of(&in, &row));
    test_failed(row.id, X402_ERR_FUNDS);
    fake_tell(test_ledger, CHAIN_REFUSED, X402_ERR_FUNDS);
    test_wait(&got.done);
    OK(got.err == X402_ERR_FUNDS);
    OK(row_of(&in, &row) && row.state == PAY_RELEASED);
}

static void
payers_with_code(void)
{
    struct x402_till_reserve in = fresh();
    struct got got;
    struct pay_row row;

    fake.verdict.has_code = true;
    begin(&got, &in);
    until_watched(1);
    fake.verdict.has_code = false;
    OK(row_of(&in, &row) && row.alone && row.mode == PAY_SETTLE_BEFORE);
    fake_tell(test_ledger, CHAIN_TIMEOUT, X402_OK);
    test_wait(&got.done);
    in = fresh();
    in.flags = X402_TILL_SMART_WALLET;
    in.signature_len = 200;
    begin(&got, &in);
    until_watched(1);
    OK(row_of(&in, &row) && row.alone && row.mode == PAY_SETTLE_BEFORE);
    OK(row.signature_len == 200);
    fake_tell(test_ledger, CHAIN_TIMEOUT, X402_OK);
    test_wait(&got.done);
}

static void
over_the_credit(void)
{
    struct x402_till_reserve in = fresh();
    struct got got;
    struct pay_row row;

    test_config->network[0].credit_payer = x402_amount_of(1);
    begin(&got, &in);
    until_watched(1);
    OK(row_of(&in, &row) && row.mode == PAY_SETTLE_BEFORE);
    fake_tell(test_ledger, CHAIN_TIMEOUT, X402_OK);
    test_wait(&got.done);
    test_config->network[0].credit_payer = x402_amount_of(1000000000);
}

static void (*const all[])(void) = {
    one_request,
    captured_by_the_next_one,
    what_a_worker_may_not_choose,
    the_same_at_once,
    refused_by_the_chain,
    released_asks_again,
    redeemed_without_the_chain,
    looked_up,
    a_settler_that_cannot,
    a_worker_that_left,
    mined_in_time,
    mined_too_late,
    never_submitted,
    refused_while_waiting,
    payers_with_code,
    over_the_credit,
};

int
main(void)
{
    cashier_begin();
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        all[i]();
    return cashier_end();
}
