/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger's commands as the gateway uses them: the states, the runs, the
 * leases, and everything that is refused. */
#include <stdlib.h>
#include <string.h>

#include "ledger_test.h"

static unsigned nonce; /* a new payment each */

static struct ledger_reserve
fresh(uint64_t value)
{
    return test_payment(1, ++nonce, value);
}

static struct ledger_reserved
captured(const struct ledger_reserve *in)
{
    struct ledger_reserved out = test_reserve(in);

    if (out.err != X402_OK || test_capture(&out.rid, NOW) != X402_OK)
        test_ok(false, "could not capture");
    return out;
}

static enum pay_run
run_of(int64_t payment)
{
    return test_get(payment).run;
}

static enum pay_state
state_of(int64_t payment)
{
    return test_get(payment).state;
}

static void
one_paid_request(void)
{
    struct ledger_reserve in = fresh(1000);
    struct ledger_reserved out = test_reserve(&in);

    OK(out.err == X402_OK && out.created && !out.redeemed);
    OK(out.row.state == PAY_RESERVED && out.mode == PAY_SETTLE_AFTER);
    OK(test_reserve(&in).err == X402_ERR_IN_PROGRESS);
    OK(test_capture(&out.rid, NOW) == X402_OK);
    OK(state_of(out.payment) == PAY_CAPTURED);
    OK(test_capture(&out.rid, NOW) == X402_OK);
    OK(test_get(out.payment).runs == 1);
    OK(test_reserve(&in).err == X402_ERR_IN_PROGRESS);
    OK(test_started(&out.rid) == X402_OK);
    OK(test_finish(&out.rid, X402_TILL_END_COMPLETE, NOW) == X402_OK);
    OK(test_finish(&out.rid, X402_TILL_END_SERVER, NOW) == X402_OK);
    OK(run_of(out.payment) == PAY_RUN_DELIVERED);
    OK(test_reserve(&in).err == X402_ERR_REPLAYED);
}

static void
what_is_stored(void)
{
    struct ledger_reserve in = fresh(4242);
    struct ledger_reserved out = test_reserve(&in);
    struct pay_key key = test_key(&in);
    struct pay_row row;

    OK(ledger_find(test_ledger, &key, &row));
    OK(row.id == out.payment && row.chain_id == CHAIN);
    OK(memcmp(&row.auth, &in.auth, sizeof in.auth) == 0);
    OK(row.signature_len == 65 && memcmp(row.signature, in.signature, 65) == 0);
    OK(memcmp(row.fingerprint, in.fingerprint, 32) == 0);
    OK(row.created_ms == NOW && row.updated_ms == NOW && !row.has_tx);
    OK(row.origin == PAY_ORIGIN_GATEWAY && row.run == PAY_RUN_OPEN);
    OK(memcmp(&row, &out.row, sizeof row) == 0);
    key.nonce[31] ^= 1;
    OK(!ledger_find(test_ledger, &key, &row));
    OK(!ledger_get(test_ledger, 999999, &row));
    test_release(&out.rid, NOW);
}

static void
released_and_tried_again(void)
{
    struct ledger_reserve in = fresh(1000);
    struct ledger_reserved out;

    for (unsigned i = 1; i <= 3; i++) {
        out = test_reserve(&in);
        OK(out.err == X402_OK && out.created == (i == 1));
        OK(test_release(&out.rid, NOW) == X402_OK);
        OK(test_release(&out.rid, NOW) == X402_OK);
        OK(test_capture(&out.rid, NOW) == X402_ERR_UNKNOWN_RESERVATION);
        OK(test_get(out.payment).releases == i);
    }
    OK(state_of(out.payment) == PAY_RELEASED);
    OK(test_get(out.payment).signature_len == 0); /* nor can it be sent */
    OK(test_reserve(&in).err == X402_ERR_RELEASE_LIMIT);
}

static void
a_release_that_comes_late(void)
{
    struct ledger_reserve in = fresh(1000);
    struct ledger_reserved first = test_reserve(&in), second;

    test_release(&first.rid, NOW);
    second = test_reserve(&in);
    OK(second.err == X402_OK);
    OK(test_release(&first.rid, NOW) == X402_OK);
    OK(test_capture(&first.rid, NOW) == X402_ERR_UNKNOWN_RESERVATION);
    OK(test_started(&first.rid) == X402_ERR_UNKNOWN_RESERVATION);
    OK(test_finish(&first.rid, X402_TILL_END_SERVER, NOW) ==
       X402_ERR_UNKNOWN_RESERVATION);
    OK(state_of(second.payment) == PAY_RESERVED);
    OK(test_capture(&second.rid, NOW) == X402_OK);
}

static void
another_chain_verdict(void)
{
    struct ledger_reserve in = fresh(1000);
    struct ledger_reserved out;
    struct pay_key key = test_key(&in);
    struct pay_row row;

    in.chain = X402_ERR_NONCE_USED;
    out = test_reserve(&in);
    OK(out.err == X402_ERR_NONCE_USED && out.payment == 0);
    OK(!ledger_find(test_ledger, &key, &row));
    in.chain = X402_OK;
    out = test_reserve(&in);
    test_release(&out.rid, NOW);
    in.chain = X402_ERR_FUNDS;
    OK(test_reserve(&in).err == X402_ERR_FUNDS);
    OK(state_of(out.payment) == PAY_RELEASED);
}

static void
capture_against_the_clock(void)
{
    struct ledger_reserve in = fresh(1000);
    uint64_t last_ms = (in.auth.valid_before_s - 20) * 1000;
    struct ledger_reserved out = test_reserve(&in);

    OK(test_capture(&out.rid, last_ms) == X402_OK);
    in = fresh(1000);
    out = test_reserve(&in);
    OK(test_capture(&out.rid, last_ms + 1000) == X402_ERR_EXPIRED);
    OK(state_of(out.payment) == PAY_RELEASED);
    OK(test_get(out.payment).reason == X402_ERR_EXPIRED);
    OK(test_capture(&out.rid, last_ms) == X402_ERR_UNKNOWN_RESERVATION);
}

static void
bound_to_one_request(void)
{
    struct ledger_reserve in = fresh(1000), other;
    struct ledger_reserved out = test_reserve(&in);

    other = in;
    other.fingerprint[0] ^= 1;
    OK(test_reserve(&other).err == X402_ERR_RESOURCE);
    test_release(&out.rid, NOW);
    OK(test_reserve(&other).err == X402_ERR_RESOURCE);
    other = in;
    other.auth.to.byte[0] ^= 1;
    OK(test_reserve(&other).err == X402_ERR_RESOURCE);
    other = in;
    other.auth.value = x402_amount_of(1001);
    OK(test_reserve(&other).err == X402_ERR_RESOURCE);
    other = in;
    other.auth.valid_before_s++;
    OK(test_reserve(&other).err == X402_ERR_RESOURCE);
    /* the same authorization, signed again */
    other = in;
    other.signature[0] ^= 1;
    out = test_reserve(&other);
    OK(out.err == X402_OK && out.row.signature[0] == other.signature[0]);
    test_release(&out.rid, NOW);
}

static void
keys_differ_by_every_part(void)
{
    struct ledger_reserve in = fresh(1000), other;

    OK(test_reserve(&in).created);
    other = in;
    other.auth.nonce[31] ^= 1;
    OK(test_reserve(&other).created);
    other = in;
    other.auth.from.byte[19] ^= 1;
    OK(test_reserve(&other).created);
    other = in;
    other.asset.byte[19] ^= 1;
    OK(test_reserve(&other).created);
    other = in;
    other.chain_id++;
    OK(test_reserve(&other).created);
}

static void
what_does_not_fit(void)
{
    struct ledger_reserve in = fresh(1000);

    in.auth.valid_before_s = UINT64_MAX;
    OK(test_reserve(&in).err == X402_ERR_TOO_LONG);
    in.auth.valid_before_s = (uint64_t)INT64_MAX + 1;
    OK(test_reserve(&in).err == X402_ERR_TOO_LONG);
    in = fresh(1000);
    in.auth.valid_after_s = UINT64_MAX;
    OK(test_reserve(&in).err == X402_ERR_NOT_YET_VALID);
    in = fresh(1000);
    in.signature_len = X402_SIGNATURE_MAX;
    memset(in.resource, 'x', sizeof in.resource - 1);
    OK(test_reserve(&in).err == X402_OK);
}

/* -- redeemed runs -- */

static void
redeemed_once(void)
{
    struct ledger_reserve in = fresh(1000);
    struct ledger_reserved out = captured(&in), again;
    struct ledger_stats stats;

    test_started(&out.rid);
    test_finish(&out.rid, X402_TILL_END_SERVER, NOW);
    OK(run_of(out.payment) == PAY_RUN_REDEEMABLE);
    ledger_stats(test_ledger, &stats);
    OK(stats.redeemable == 1);
    in.chain = X402_ERR_NONCE_USED; /* of course: it is paid */
    again = test_reserve(&in);
    OK(again.err == X402_OK && again.redeemed && !again.created);
    OK(memcmp(&again.rid, &out.rid, sizeof out.rid) != 0);
    OK(again.row.state == PAY_CAPTURED);
    OK(test_reserve(&in).err == X402_ERR_IN_PROGRESS);
    OK(test_capture(&again.rid, NOW + 3600000) == X402_OK);
    OK(test_get(out.payment).runs == 2);
    test_finish(&again.rid, X402_TILL_END_SERVER, NOW);
    OK(run_of(out.payment) == PAY_RUN_DELIVERED);
    OK(test_reserve(&in).err == X402_ERR_REPLAYED);
    ledger_stats(test_ledger, &stats);
    OK(stats.redeemable == 0);
}

static void
released_while_redeemed(void)
{
    struct ledger_reserve in = fresh(1000);
    struct ledger_reserved out = captured(&in);

    test_finish(&out.rid, X402_TILL_END_SERVER, NOW);
    for (int i = 0; i < 5; i++) {
        out = test_reserve(&in);
        OK(out.err == X402_OK && out.redeemed);
        OK(test_release(&out.rid, NOW) == X402_OK);
        OK(run_of(out.payment) == PAY_RUN_REDEEMABLE);
    }
    OK(test_get(out.payment).runs == 1 && test_get(out.payment).releases == 0);
    in.now_ms = NOW + 24 * 3600 * 1000 + 1;
    OK(test_reserve(&in).err == X402_ERR_REPLAYED);
    in.now_ms--;
    OK(test_reserve(&in).err == X402_OK);
}

static void
a_client_that_leaves(void)
{
    struct ledger_reserve in = fresh(1000);
    struct ledger_reserved out = captured(&in);

    test_started(&out.rid);
    test_finish(&out.rid, X402_TILL_END_CLIENT, NOW);
    OK(run_of(out.payment) == PAY_RUN_DELIVERED);
    OK(test_reserve(&in).err == X402_ERR_REPLAYED);
    in = fresh(1000);
    out = captured(&in);
    test_finish(&out.rid, X402_TILL_END_CLIENT, NOW);
    OK(run_of(out.payment) == PAY_RUN_REDEEMABLE);
}

static void
done_without_capture(void)
{
    struct ledger_reserve in = fresh(1000);
    struct ledger_reserved out = test_reserve(&in);

    OK(test_finish(&out.rid, X402_TILL_END_SERVER, NOW) == X402_OK);
    OK(state_of(out.payment) == PAY_RELEASED);
}

static void
looking_up(void)
{
    struct ledger_reserve in = fresh(1000);
    struct ledger_reserved out;

    in.look_up = true;
    OK(test_reserve(&in).err == X402_ERR_EXPIRED);
    in.look_up = false;
    out = test_reserve(&in);
    in.look_up = true;
    OK(test_reserve(&in).err == X402_ERR_IN_PROGRESS);
    test_release(&out.rid, NOW);
    OK(test_reserve(&in).err == X402_ERR_EXPIRED);
    in.look_up = false;
    out = captured(&in);
    test_finish(&out.rid, X402_TILL_END_SERVER, NOW);
    in.look_up = true;
    out = test_reserve(&in);
    OK(out.err == X402_OK && out.redeemed);
    OK(test_capture(&out.rid, NOW + 12 * 3600 * 1000) == X402_OK);
}

/* -- settle-first -- */

static struct ledger_reserved
settle_first(struct ledger_reserve *in)
{
    *in = fresh(1000);
    in->mode = PAY_SETTLE_BEFORE;
    return test_reserve(in);
}

static void
settled_before_the_request(void)
{
    struct ledger_reserve in;
    struct ledger_reserved out = settle_first(&in);
    struct ledger_outcome paid = {out.payment, true};
    size_t len;
    int64_t batch;

    OK(out.err == X402_OK && out.mode == PAY_SETTLE_BEFORE);
    OK(test_due(&len)[0].id == out.payment || len > 1);
    batch = test_submit(100, &out.payment, 1);
    OK(batch != 0 && state_of(out.payment) == PAY_SUBMITTED);
    OK(test_reserve(&in).err == X402_ERR_IN_PROGRESS);
    OK(test_mined(batch, 100, 101, &paid, 1) == X402_OK);
    OK(test_capture(&out.rid, NOW + 3600 * 1000) == X402_OK);
    OK(state_of(out.payment) == PAY_MINED &&
       run_of(out.payment) == PAY_RUN_OPEN);
    test_started(&out.rid);
    test_finish(&out.rid, X402_TILL_END_COMPLETE, NOW);
    OK(test_reserve(&in).err == X402_ERR_REPLAYED);
}

static void
mined_after_the_request_gave_up(void)
{
    struct ledger_reserve in;
    struct ledger_reserved out = settle_first(&in);
    struct ledger_outcome paid = {out.payment, true};
    int64_t batch = test_submit(110, &out.payment, 1);

    OK(test_release(&out.rid, NOW) == X402_OK);
    OK(state_of(out.payment) == PAY_SUBMITTED);
    out = test_reserve(&in);
    OK(out.err == X402_ERR_PENDING && out.row.has_tx);
    OK(test_mined(batch, 110, 102, &paid, 1) == X402_OK);
    for (int i = 0; i < 5; i++) { /* until one success */
        out = test_reserve(&in);
        OK(out.err == X402_OK && out.redeemed);
        OK(test_release(&out.rid, NOW) == X402_OK);
    }
    out = test_reserve(&in);
    OK(test_capture(&out.rid, NOW) == X402_OK);
    test_finish(&out.rid, X402_TILL_END_COMPLETE, NOW);
    OK(test_reserve(&in).err == X402_ERR_REPLAYED);
}

static void
never_submitted(void)
{
    struct ledger_reserve in;
    struct ledger_reserved out = settle_first(&in);

    OK(test_release(&out.rid, NOW) == X402_OK);
    OK(state_of(out.payment) == PAY_RELEASED);
    OK(test_get(out.payment).releases == 0);
    OK(test_submit(120, &out.payment, 1) == 0);
    out = test_reserve(&in);
    OK(out.err == X402_OK);
    OK(test_failed(out.payment, X402_ERR_FUNDS) == X402_OK);
    OK(state_of(out.payment) == PAY_RELEASED);
    OK(test_get(out.payment).releases == 0);
    OK(test_get(out.payment).reason == X402_ERR_FUNDS);
    OK(test_capture(&out.rid, NOW) == X402_ERR_UNKNOWN_RESERVATION);
}

/* -- leases -- */

static void
a_worker_that_died(void)
{
    struct ledger_reserve in[5];
    struct ledger_reserved out[5];
    struct x402_rid held;
    size_t workers = test_workers();

    for (int i = 0; i < 5; i++) {
        in[i] = fresh(1000);
        memset(in[i].worker, 0x22, 16);
        if (i == 3)
            in[i].mode = PAY_SETTLE_BEFORE;
        out[i] = test_reserve(&in[i]);
    }
    OK(test_workers() == workers + 1);
    test_capture(&out[1].rid, NOW);
    test_capture(&out[2].rid, NOW);
    test_started(&out[2].rid);
    held = out[4].rid;
    OK(test_lease_end(in[0].worker, &held, 1, NOW) == X402_OK);
    OK(state_of(out[0].payment) == PAY_RELEASED);
    OK(test_get(out[0].payment).releases == 1);
    OK(state_of(out[1].payment) == PAY_CAPTURED);
    OK(run_of(out[1].payment) == PAY_RUN_REDEEMABLE);
    OK(run_of(out[2].payment) == PAY_RUN_REDEEMABLE);
    OK(state_of(out[3].payment) == PAY_RELEASED);
    OK(test_get(out[3].payment).releases == 0);
    OK(state_of(out[4].payment) == PAY_RESERVED);
    OK(test_capture(&out[4].rid, NOW) == X402_OK);
    OK(test_capture(&out[0].rid, NOW) == X402_ERR_UNKNOWN_RESERVATION);
    OK(test_lease_end(in[0].worker, NULL, 0, NOW) == X402_OK);
    OK(run_of(out[4].payment) == PAY_RUN_REDEEMABLE);
    OK(test_workers() == workers);
}

/* -- the facilitator -- */

static void
facilitated(void)
{
    struct ledger_reserve in = fresh(1000), gateway;
    struct ledger_reserved out;

    in.origin = PAY_ORIGIN_FACILITATOR;
    in.mode = PAY_SETTLE_BEFORE;
    memset(in.fingerprint, 0, sizeof in.fingerprint);
    out = test_reserve(&in);
    OK(out.err == X402_OK && out.created && out.row.state == PAY_CAPTURED);
    OK(out.row.run == PAY_RUN_NONE && out.mode == PAY_SETTLE_BEFORE);
    in.chain = X402_ERR_NONCE_USED;
    out = test_reserve(&in);
    OK(out.err == X402_OK && !out.created && out.row.state == PAY_CAPTURED);
    in.auth.value = x402_amount_of(1);
    OK(test_reserve(&in).err == X402_ERR_RESOURCE);
    in.auth.value = x402_amount_of(1000);
    gateway = in;
    gateway.origin = PAY_ORIGIN_GATEWAY;
    OK(test_reserve(&gateway).err == X402_ERR_RESOURCE);
}

static void
facilitated_after_the_gateway(void)
{
    struct ledger_reserve in = fresh(1000), other;
    struct ledger_reserved out = test_reserve(&in);

    other = in;
    other.origin = PAY_ORIGIN_FACILITATOR;
    other.mode = PAY_SETTLE_BEFORE;
    OK(test_reserve(&other).err == X402_ERR_IN_PROGRESS);
    test_release(&out.rid, NOW);
    other.chain = X402_ERR_FUNDS;
    OK(test_reserve(&other).err == X402_ERR_FUNDS);
    other.chain = X402_OK;
    out = test_reserve(&other);
    OK(out.err == X402_OK && !out.created && out.row.state == PAY_CAPTURED);
    OK(test_reserve(&in).err == X402_ERR_RESOURCE);
    in = fresh(1000);
    out = captured(&in);
    other = in;
    other.origin = PAY_ORIGIN_FACILITATOR;
    out = test_reserve(&other);
    OK(out.err == X402_OK && !out.created && out.row.state == PAY_CAPTURED);
    OK(out.row.run == PAY_RUN_OPEN);
}

static void (*const all[])(void) = {
    one_paid_request,
    what_is_stored,
    released_and_tried_again,
    a_release_that_comes_late,
    another_chain_verdict,
    capture_against_the_clock,
    bound_to_one_request,
    keys_differ_by_every_part,
    what_does_not_fit,
    redeemed_once,
    released_while_redeemed,
    a_client_that_leaves,
    done_without_capture,
    looking_up,
    settled_before_the_request,
    mined_after_the_request_gave_up,
    never_submitted,
    a_worker_that_died,
    facilitated,
    facilitated_after_the_gateway,
};

int
main(void)
{
    test_folder();
    test_open();
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        const char *wrong;

        all[i]();
        wrong = test_audit();
        test_ok(wrong == NULL, "the counters add up: %s",
                wrong != NULL ? wrong : "all");
    }
    test_close();
    return test_done();
}
