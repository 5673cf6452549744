/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger's commands, one by one: the states, the runs, what is refused. */
#include <stdlib.h>
#include <string.h>

#include "ledger_test.h"
#include "wire_test.h"

#define OK(x) test_ok((x), "%s", #x)

static void
one_paid_request(void)
{
    struct ledger_reserve in = test_payment(1, 1, 1000);
    struct ledger_reserved out = test_reserve(&in);
    struct ledger_outcome paid;
    struct pay_row row;
    int64_t batch;
    size_t len;

    OK(out.err == X402_OK && out.created && !out.redeemed);
    OK(out.row.state == PAY_RESERVED && out.mode == PAY_SETTLE_AFTER);
    OK(test_reserve(&in).err == X402_ERR_IN_PROGRESS);
    OK(test_capture(&out.rid, NOW) == X402_OK);
    OK(test_capture(&out.rid, NOW) == X402_OK);
    OK(test_reserve(&in).err == X402_ERR_IN_PROGRESS);
    OK(test_started(&out.rid) == X402_OK);
    OK(test_finish(&out.rid, X402_TILL_END_COMPLETE, NOW) == X402_OK);
    OK(test_finish(&out.rid, X402_TILL_END_SERVER, NOW) == X402_OK);
    OK(test_reserve(&in).err == X402_ERR_REPLAYED);
    OK(test_due(&len)->id == out.payment && len == 1);
    batch = test_submit(1, &out.payment, 1);
    OK(batch != 0);
    OK(test_get(out.payment).state == PAY_SUBMITTED);
    OK(test_open_txs() == 1);
    paid = (struct ledger_outcome){out.payment, true};
    OK(test_mined(batch, 1, 101, &paid, 1) == X402_OK);
    row = test_get(out.payment);
    OK(row.state == PAY_MINED && row.block_number == 101 && row.has_tx);
    OK(test_audit() == NULL);
    OK(test_final(1) == X402_OK);
    OK(test_get(out.payment).state == PAY_FINAL);
    OK(test_get(out.payment).signature_len == 0);
    OK(test_open_txs() == 0);
    OK(test_reserve(&in).err == X402_ERR_REPLAYED);
}

int
main(void)
{
    test_folder();
    test_open();
    one_paid_request();
    OK(test_audit() == NULL);
    test_close();
    return test_done();
}
