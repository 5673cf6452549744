/* SPDX-License-Identifier: Apache-2.0 */
/* Make a ledger with many captured payments in it, all of them good: work for
 * the settler, there before the clock starts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ledger/ledger.h"
#include "payers.h"

#define WAITING_MAX 1000u /* the ledger takes more, but not all at once */

static unsigned waiting, refused;

static void
on_reserved(void *arg, const struct ledger_reserved *out)
{
    (void)arg;
    waiting--;
    refused += out->err != X402_OK;
}

/* As a facilitator's /settle would have put it there. */
static void
capture(struct ledger *ledger, const struct payers *payers,
        const struct x402_payment *payment)
{
    static struct ledger_reserve in;
    uint8_t most[32];

    memset(&in, 0, sizeof in);
    memset(most, 0xff, sizeof most);
    in.origin = PAY_ORIGIN_FACILITATOR;
    in.mode = PAY_SETTLE_BEFORE;
    in.wire = payment->wire;
    in.chain_id = payment->chain_id;
    in.asset = payers->asset->address;
    in.auth = payment->auth;
    in.signature_len = payment->signature_len;
    memcpy(in.signature, payment->signature, payment->signature_len);
    x402_amount_from_be32(&in.balance, most);
    in.limits.payer = in.limits.total = in.balance;
    in.now_ms = (uint64_t)time(NULL) * 1000;
    waiting++;
    ledger_reserve(ledger, &in, on_reserved, NULL);
}

static void
wait_until(struct core *core, unsigned most)
{
    while (waiting > most)
        uv_run(core_loop(core), UV_RUN_ONCE);
}

int
main(int argc, char **argv)
{
    static struct payers payers;
    struct x402_address pay_to;
    struct x402_amount amount;
    struct x402_payment payment;
    struct core *core = core_new();
    struct ledger *ledger;
    char error[512];

    if (argc != 7 ||
        x402_address_parse(&pay_to, x402_span_of(argv[4])) != X402_OK ||
        x402_amount_parse(&amount, x402_span_of(argv[5])) != X402_OK)
        payers_die("usage: capture LEDGER COUNT PAYERS PAY_TO ATOMIC_AMOUNT "
                   "TIMEOUT_S");
    payers_make(&payers, (unsigned)strtoul(argv[3], NULL, 10));
    ledger = ledger_open(core, argv[1], error, sizeof error);
    if (ledger == NULL)
        payers_die(error);
    for (unsigned i = 0, n = (unsigned)strtoul(argv[2], NULL, 10); i < n; i++) {
        payers_sign(&payment, &payers, i, &pay_to, &amount,
                    (uint32_t)strtoul(argv[6], NULL, 10));
        capture(ledger, &payers, &payment);
        wait_until(core, WAITING_MAX);
    }
    wait_until(core, 0);
    ledger_close(ledger);
    core_free(core);
    if (refused > 0)
        payers_die("the ledger refused a payment");
    return 0;
}
