/* SPDX-License-Identifier: Apache-2.0 */
/* The cashier for the facilitator's API: verify only asks, settle claims, and
 * the same payment always gets the same answer. */
#include <string.h>

#include "cashier_test.h"

static void
on_answer(void *arg, const struct cashier_answer *answer)
{
    struct got *got = arg;

    got->answer = *answer;
    got->err = answer->err;
    got->done++;
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
        cashier_settle(test_cashier, &r, NULL, on_answer, got);
    else
        cashier_verify(test_cashier, &r, NULL, true, on_answer, got);
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
    test_config->facilitate_any_payee = true;
    OK(verify(&in).err == X402_OK);
    test_config->facilitate_any_payee = false;
}

/* Only /verify of a known signature may do with what was seen a moment ago. */
static void
advised(void)
{
    struct x402_till_reserve in = fresh();
    struct x402_facilitator_request r = request(&in);
    struct got got;

    OK(verify(&in).err == X402_OK && fake.advice);
    memset(&got, 0, sizeof got);
    cashier_verify(test_cashier, &r, NULL, false, on_answer, &got);
    test_wait(&got.done);
    OK(got.err == X402_OK && !fake.advice);
    fake.advice = true;
    fake.verdict.err = X402_ERR_SIMULATION;
    OK(settle(&in).err == X402_ERR_SIMULATION && !fake.advice);
    fake.advice = true;
    OK(reserve(&in).err == X402_ERR_SIMULATION && !fake.advice);
    fake.verdict.err = X402_OK;
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
    release_of(&got.out.rid);
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
    verified,
    advised,
    settled_twice,
    settled_while_it_is_used,
    reserved_by_a_gateway,
    failed_before,
};

int
main(void)
{
    cashier_begin();
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        all[i]();
    return cashier_end();
}
