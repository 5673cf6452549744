/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger with Permit2: its nonces, the allowance, and what upto takes. */
#include <string.h>

#include "ledger_test.h"

static unsigned nonce;

static struct ledger_reserve
fresh(unsigned payer, uint64_t value, enum x402_method method)
{
    struct ledger_reserve in = test_payment(payer, ++nonce, value);

    in.method = method;
    in.allowance = x402_amount_of(1000000);
    if (method == X402_METHOD_PERMIT2_UPTO)
        in.facilitator.byte[0] = 7;
    return in;
}

struct told {
    int done;
    enum x402_err err;
};

static void
on_told(void *arg, enum x402_err err, int64_t payment)
{
    struct told *told = arg;

    (void)payment;
    *told = (struct told){1, err};
}

/* upto: this much of it */
static enum x402_err
test_capture_part(const struct x402_rid *rid, uint64_t charge)
{
    struct x402_amount amount = x402_amount_of(charge);
    struct told told = {0};

    ledger_capture(test_ledger, rid, &amount, NOW, 20, on_told, &told);
    test_wait(&told.done);
    return told.err;
}

static bool
charges(int64_t payment, uint64_t amount)
{
    struct pay_row row = test_get(payment);
    struct x402_amount want = x402_amount_of(amount);

    return x402_amount_cmp(&row.charge, &want) == 0;
}

/* "sum(verified, unsettled) <= balance and allowance" */
static void
the_allowance(void)
{
    struct ledger_reserve in = fresh(1, 400, X402_METHOD_PERMIT2_EXACT);
    struct ledger_reserve second = fresh(1, 400, X402_METHOD_PERMIT2_EXACT);
    struct ledger_reserve other = fresh(1, 400, X402_METHOD_EIP3009);
    struct ledger_reserve sponsored = fresh(1, 400, X402_METHOD_PERMIT2_EXACT);
    struct ledger_reserved out;

    in.allowance = second.allowance = sponsored.allowance = x402_amount_of(799);
    sponsored.sponsor.kind = X402_SPONSOR_EIP2612;
    sponsored.sponsor.len = X402_SPONSOR_MAX;
    OK(test_reserve(&other).err == X402_OK); /* asks no allowance */
    out = test_reserve(&in);
    OK(out.err == X402_OK);
    OK(test_reserve(&second).err == X402_ERR_ALLOWANCE);
    OK(test_reserve(&sponsored).err == X402_OK); /* makes its own */
    OK(test_release(&out.rid, NOW) == X402_OK);
    second.allowance = x402_amount_of(1199);
    OK(test_reserve(&second).err == X402_OK);
}

/* Permit2 keeps one nonce for all tokens of a payer; the token stands beside */
static void
one_nonce(void)
{
    struct ledger_reserve in = fresh(2, 100, X402_METHOD_PERMIT2_EXACT);
    struct ledger_reserve same = in;
    struct ledger_reserved out = test_reserve(&in);
    struct pay_row row = test_get(out.payment);

    OK(out.err == X402_OK && row.method == X402_METHOD_PERMIT2_EXACT &&
       x402_address_eq(&row.asset, &in.asset));
    same.asset.byte[0] ^= 1;
    OK(test_reserve(&same).err == X402_ERR_RESOURCE);
    same = in;
    same.method = X402_METHOD_PERMIT2_UPTO;
    OK(test_reserve(&same).err == X402_ERR_RESOURCE);
    same.method = X402_METHOD_EIP3009; /* the token's nonce is another one */
    OK(test_reserve(&same).err == X402_OK);
}

static void
a_part(void)
{
    struct ledger_reserve in = fresh(3, 1000, X402_METHOD_PERMIT2_UPTO);
    struct ledger_reserved out = test_reserve(&in);

    OK(out.err == X402_OK && charges(out.payment, 1000));
    OK(test_capture_part(&out.rid, 300) == X402_OK);
    OK(charges(out.payment, 300));
    OK(test_get(out.payment).state == PAY_CAPTURED);
    OK(test_capture_part(&out.rid, 400) ==
       X402_OK); /* told before: nothing changes */
    OK(charges(out.payment, 300));
}

static void
nothing(void)
{
    struct ledger_reserve in = fresh(4, 1000, X402_METHOD_PERMIT2_UPTO);
    struct ledger_reserved out = test_reserve(&in);
    size_t due;

    OK(test_capture_part(&out.rid, 0) == X402_OK);
    OK(test_capture_part(&out.rid, 0) == X402_OK);
    OK(test_finish(&out.rid, X402_TILL_END_COMPLETE, NOW) == X402_OK);
    OK(test_get(out.payment).state == PAY_RELEASED);
    OK(test_reserve(&in).err == X402_ERR_REPLAYED);
    (void)test_due(&due);
    for (size_t i = 0; i < due; i++)
        OK(test_due(&due)[i].id != out.payment);
}

static void
too_much(void)
{
    struct ledger_reserve in = fresh(5, 1000, X402_METHOD_PERMIT2_UPTO);
    struct ledger_reserve exact = fresh(5, 1000, X402_METHOD_PERMIT2_EXACT);
    struct ledger_reserved out = test_reserve(&in);

    OK(test_capture_part(&out.rid, 1001) == X402_ERR_OVERRIDE);
    OK(test_get(out.payment).state == PAY_RELEASED);
    out = test_reserve(&exact);
    OK(test_capture_part(&out.rid, 999) == X402_ERR_OVERRIDE);
}

/* upto cannot be settled before the work is done */
static void
no_credit(void)
{
    struct ledger_reserve in = fresh(6, 1000, X402_METHOD_PERMIT2_UPTO);

    in.limits.payer = x402_amount_of(999);
    OK(test_reserve(&in).err == X402_ERR_CREDIT);
    in.limits.payer = x402_amount_of(1000);
    OK(test_reserve(&in).err == X402_OK);
}

static void
a_facilitators(void)
{
    struct ledger_reserve in = fresh(7, 1000, X402_METHOD_PERMIT2_UPTO);
    struct ledger_reserved out;

    in.origin = PAY_ORIGIN_FACILITATOR;
    in.mode = PAY_SETTLE_BEFORE;
    in.has_charge = true;
    in.charge = x402_amount_of(250);
    out = test_reserve(&in);
    OK(out.err == X402_OK && out.created && charges(out.payment, 250));
    out = test_reserve(&in);
    OK(out.err == X402_OK && !out.created);
    in.charge = x402_amount_of(251);
    OK(test_reserve(&in).err == X402_ERR_RESOURCE);
}

static bool
is_sponsored(int64_t payment, enum x402_sponsor_kind kind, uint8_t first)
{
    struct x402_sponsor sponsor = test_get(payment).sponsor;

    return sponsor.kind == kind &&
           (kind == X402_SPONSOR_NONE || sponsor.data[0] == first);
}

static struct x402_sponsor
sponsor_of(enum x402_sponsor_kind kind, uint8_t first)
{
    struct x402_sponsor sponsor = {.kind = kind, .len = X402_SPONSOR_MAX};

    sponsor.data[0] = first;
    return sponsor;
}

/* What came along with the newest request is what was looked at, so that is
 * what settling must use. */
static void
another_sponsor(void)
{
    struct ledger_reserve in = fresh(8, 1000, X402_METHOD_PERMIT2_EXACT);
    struct ledger_reserved out = test_reserve(&in);

    OK(is_sponsored(out.payment, X402_SPONSOR_NONE, 0));
    OK(test_release(&out.rid, NOW) == X402_OK);
    in.allowance = x402_amount_of(0);
    in.sponsor = sponsor_of(X402_SPONSOR_EIP2612, 21);
    out = test_reserve(&in);
    OK(out.err == X402_OK);
    OK(is_sponsored(out.payment, X402_SPONSOR_EIP2612, 21));
    OK(out.row.sponsor.kind == X402_SPONSOR_EIP2612);
    OK(test_release(&out.rid, NOW) == X402_OK);
    in.origin = PAY_ORIGIN_FACILITATOR;
    in.sponsor.data[0] = 22;
    OK(test_reserve(&in).err == X402_OK);
    OK(is_sponsored(out.payment, X402_SPONSOR_EIP2612, 22));
    in = fresh(8, 1000, X402_METHOD_PERMIT2_EXACT);
    in.sponsor = sponsor_of(X402_SPONSOR_EIP2612, 23);
    out = test_reserve(&in);
    OK(test_release(&out.rid, NOW) == X402_OK);
    in.sponsor = sponsor_of(X402_SPONSOR_NONE, 0);
    in.allowance = x402_amount_of(5000);
    out = test_reserve(&in);
    OK(out.err == X402_OK && is_sponsored(out.payment, X402_SPONSOR_NONE, 0));
}

int
main(void)
{
    test_folder();
    test_open();
    the_allowance();
    one_nonce();
    a_part();
    nothing();
    too_much();
    no_credit();
    a_facilitators();
    another_sponsor();
    OK(test_audit() == NULL);
    test_close();
    test_open(); /* the sums are made again from the rows */
    OK(test_audit() == NULL);
    test_close();
    return test_done();
}
