/* SPDX-License-Identifier: Apache-2.0 */
/* The cashier, with a real ledger and a chain that says what it is told: who is
 * asked, in which order, and what is answered. */
#include <stdlib.h>
#include <string.h>

#include "fake_chain.h"
#include "ledger_test.h"

#define MANY 256

static struct cashier *cashier;
static struct config *config;
static unsigned nonce;
static const uint8_t worker[16] = {7};
static bool gone;

struct got {
    int done;
    struct x402_till_reserved out;
    struct cashier_answer answer;
    enum x402_err err;
};

static bool
still_there(void *arg)
{
    (void)arg;
    return !gone;
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
on_answer(void *arg, const struct cashier_answer *answer)
{
    struct got *got = arg;

    got->answer = *answer;
    got->err = answer->err;
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

static struct x402_till_reserve
fresh(void)
{
    return fake_payment(1, ++nonce);
}

static void
begin(struct got *got, const struct x402_till_reserve *in)
{
    memset(got, 0, sizeof *got);
    cashier_reserve(cashier, in, worker, still_there, on_reserved, got);
}

static struct got
reserve(const struct x402_till_reserve *in)
{
    struct got got;

    begin(&got, in);
    test_wait(&got.done);
    return got;
}

static struct got
charge(void (*command)(struct cashier *, const struct x402_rid *, ledger_cb,
                       void *),
       const struct x402_rid *rid)
{
    struct got got = {0};

    command(cashier, rid, on_plain, &got);
    test_wait(&got.done);
    return got;
}

/* Run the loop until somebody watches a payment. */
static void
until_watched(size_t len)
{
    while (fake_watched() < len)
        uv_run(core_loop(test_core), UV_RUN_ONCE);
}

static void
until_asked(unsigned len)
{
    while (fake.asked < len)
        uv_run(core_loop(test_core), UV_RUN_ONCE);
}

static bool
row_of(const struct x402_till_reserve *in, struct pay_row *row)
{
    struct pay_key key = {.chain_id = in->chain_id,
                          .contract = in->asset,
                          .payer = in->auth.from};

    memcpy(key.nonce, in->auth.nonce, sizeof key.nonce);
    return ledger_find(test_ledger, &key, row);
}

/* -- settle after -- */

static void
one_request(void)
{
    struct x402_till_reserve in = fresh();
    unsigned asked = fake.asked, kicks = fake.kicks;
    struct got got = reserve(&in);

    OK(got.err == X402_OK && !got.out.redeemed && !got.out.settled);
    OK(fake.asked == asked + 1 && fake.kicks == kicks);
    OK(charge(cashier_capture, &got.out.rid).err == X402_OK);
    OK(fake.kicks == kicks + 1 && fake.urgent_kicks == 0);
    OK(reserve(&in).err == X402_ERR_IN_PROGRESS);
    test_finish(&got.out.rid, X402_TILL_END_COMPLETE, NOW);
    OK(reserve(&in).err == X402_ERR_REPLAYED);
    OK(fake.asked == asked + 1); /* the chain was not bothered */
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

    OK(charge(cashier_release, &got.out.rid).err == X402_OK);
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

    charge(cashier_capture, &got.out.rid);
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

    gone = true;
    OK(reserve(&in).err == X402_ERR_UNAVAILABLE);
    OK(!row_of(&in, &row));
    gone = false;
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
submit_and_mine(int64_t payment, unsigned tx, bool mine)
{
    struct ledger_outcome paid = {payment, true};
    int64_t batch = test_submit(tx, &payment, 1);

    OK(batch != 0);
    if (mine)
        OK(test_mined(batch, tx, 101, &paid, 1) == X402_OK);
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
    OK(charge(cashier_capture, &got.out.rid).err == X402_OK);
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

    config->network[0].credit_payer = x402_amount_of(1);
    begin(&got, &in);
    until_watched(1);
    OK(row_of(&in, &row) && row.mode == PAY_SETTLE_BEFORE);
    fake_tell(test_ledger, CHAIN_TIMEOUT, X402_OK);
    test_wait(&got.done);
    config->network[0].credit_payer = x402_amount_of(1000000000);
}

/* -- the facilitator -- */

static struct x402_facilitator_request
request(const struct x402_till_reserve *in)
{
    struct x402_facilitator_request out;

    memset(&out, 0, sizeof out);
    out.version = 2;
    out.payment.wire = X402_WIRE_V2;
    out.payment.chain_id = in->chain_id;
    out.payment.auth = in->auth;
    out.payment.signature_len = 65;
    memcpy(out.payment.signature, in->signature, 65);
    out.requirement.asset = x402_asset_by_address(in->chain_id, &in->asset);
    out.requirement.pay_to = in->auth.to;
    out.requirement.amount = in->auth.value;
    return out;
}

static void
ask(struct got *got, const struct x402_till_reserve *in, bool settle)
{
    struct x402_facilitator_request r = request(in);

    memset(got, 0, sizeof *got);
    if (settle)
        cashier_settle(cashier, &r, on_answer, got);
    else
        cashier_verify(cashier, &r, on_answer, got);
}

static struct got
verify(const struct x402_till_reserve *in)
{
    struct got got;

    ask(&got, in, false);
    test_wait(&got.done);
    return got;
}

static struct got
settle(const struct x402_till_reserve *in)
{
    struct got got;

    ask(&got, in, true);
    test_wait(&got.done);
    return got;
}

static void
verified(void)
{
    struct x402_till_reserve in = fresh();
    struct got got = verify(&in);
    struct pay_row row;

    OK(got.err == X402_OK && !row_of(&in, &row));
    OK(memcmp(&got.answer.payer, &in.auth.from, 20) == 0);
    fake.verdict.err = X402_ERR_FUNDS;
    OK(verify(&in).err == X402_ERR_FUNDS);
    fake.verdict.err = X402_OK;
    in.auth.to.byte[0] ^= 1;
    OK(verify(&in).err == X402_ERR_PAYEE && settle(&in).err == X402_ERR_PAYEE);
    config->facilitate_any_payee = true;
    OK(verify(&in).err == X402_OK);
    config->facilitate_any_payee = false;
}

/* Twice at once, and twice in a row: one row, one transaction, one answer. */
static void
settled_twice(void)
{
    struct x402_till_reserve in = fresh(), other;
    struct got one, two;
    struct pay_row row;
    unsigned asked;

    ask(&one, &in, true);
    ask(&two, &in, true);
    until_watched(2);
    OK(row_of(&in, &row) && row.state == PAY_CAPTURED);
    OK(row.origin == PAY_ORIGIN_FACILITATOR && row.run == PAY_RUN_NONE);
    OK(verify(&in).err == X402_ERR_NONCE_USED);
    submit_and_mine(row.id, 520, true);
    fake_tell(test_ledger, CHAIN_MINED, X402_OK);
    OK(one.err == X402_OK && two.err == X402_OK);
    OK(one.answer.has_transaction &&
       memcmp(one.answer.transaction, two.answer.transaction, 32) == 0);
    asked = fake.asked;
    two = settle(&in);
    OK(two.err == X402_OK && fake.asked == asked);
    OK(memcmp(one.answer.transaction, two.answer.transaction, 32) == 0);
    other = in;
    other.auth.value = x402_amount_of(1);
    OK(settle(&other).err == X402_ERR_RESOURCE);
    OK(reserve(&in).err == X402_ERR_RESOURCE);
}

static void
settled_while_it_is_used(void)
{
    struct x402_till_reserve in = fresh();
    struct got first, second;

    /* the second one's simulation sees the nonce that the first one used */
    fake.hold = true;
    ask(&first, &in, true);
    until_asked(fake.asked);
    fake.verdict.err = X402_ERR_NONCE_USED;
    ask(&second, &in, true);
    fake.verdict.err = X402_OK;
    fake.hold = false;
    fake_answer();
    until_watched(2);
    fake_tell(test_ledger, CHAIN_TIMEOUT, X402_OK);
    OK(first.err == X402_ERR_PENDING && second.err == X402_ERR_PENDING);
    OK(!first.answer.has_transaction);
    ask(&first, &in, true); /* and once more goes on waiting */
    until_watched(1);
    fake_tell(test_ledger, CHAIN_REFUSED, X402_ERR_EXPIRED);
    OK(first.err == X402_ERR_EXPIRED);
}

static void
reserved_by_a_gateway(void)
{
    struct x402_till_reserve in = fresh();
    struct got got = reserve(&in);

    OK(settle(&in).err == X402_ERR_IN_PROGRESS);
    OK(verify(&in).err == X402_ERR_IN_PROGRESS);
    charge(cashier_release, &got.out.rid);
    OK(verify(&in).err == X402_OK);
}

static void
failed_before(void)
{
    struct x402_till_reserve in = fresh();
    struct got got;
    struct pay_row row;

    ask(&got, &in, true);
    until_watched(1);
    OK(row_of(&in, &row));
    test_failed(row.id, X402_ERR_FUNDS);
    fake_tell(test_ledger, CHAIN_REFUSED, X402_ERR_FUNDS);
    OK(got.err == X402_ERR_FUNDS);
    OK(settle(&in).err == X402_ERR_FUNDS);
}

static void (*const all[])(void) = {
    one_request,
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
    verified,
    settled_twice,
    settled_while_it_is_used,
    reserved_by_a_gateway,
    failed_before,
};

int
main(void)
{
    struct chain *chain;

    test_now_ms = core_now_ms();
    test_folder();
    test_open();
    config = fake_config();
    chain = fake_chain(test_core);
    cashier = cashier_new(test_core, config, test_ledger, &chain, 1);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        all[i]();
    OK(test_audit() == NULL);
    cashier_free(cashier);
    test_close();
    return test_done();
}
