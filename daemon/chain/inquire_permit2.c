/* SPDX-License-Identifier: Apache-2.0 */
/* See inquire.c: Permit2 logs no use, so transfers are gone through. */
#include <string.h>

#include <x402/amount.h>

#include "inquire_inside.h"
#include "params.h"
#include "proof.h"
#include "quantity.h"

static void
on_candidate(void *arg, const struct rpc_answer *answers, size_t len)
{
    struct inquiry *q = arg;

    (void)len;
    inquire_note_answerer(q);
    if (q->chain->closing || answers[0].status != RPC_RESULT ||
        answers[1].status != RPC_RESULT ||
        receipt_read(&q->receipt, answers[0].text, q->tx_hash) !=
            RECEIPT_READ) {
        inquire_end(q, X402_ERR_NONCE_USED);
        return;
    }
    switch (proof_permit2(&q->row, &q->receipt, answers[1].result)) {
    case PROOF_PAID:
        inquire_paid(q);
        return;
    case PROOF_DOUBT:
        q->doubt = true;
        break;
    case PROOF_OTHER:
        break;
    }
    receipt_free(&q->receipt);
    inquire_next_candidate(q);
}

void
inquire_next_candidate(struct inquiry *q)
{
    struct rpc_call calls[2];

    if (q->candidates == 0) {
        inquire_next_window(q);
        return;
    }
    memcpy(q->tx_hash, q->candidate[--q->candidates], 32);
    calls[0] = params_receipt(q->tx_hash);
    calls[1] = params_transaction(q->tx_hash);
    inquire_ask(q, calls, 2, on_candidate);
}

/* Transfers of our amount, in the order of the chain. */
void
inquire_take_candidates(struct inquiry *q, const json_t *logs)
{
    uint8_t value[32], data[32];
    const json_t *log;
    size_t i;

    x402_amount_to_be32(value, &q->row.charge);
    q->candidates = 0;
    json_array_foreach(logs, i, log)
    {
        uint8_t *hash = q->candidate[q->candidates];

        if (!quantity_bytes(data, 32, json_object_get(log, "data")) ||
            memcmp(data, value, 32) != 0 ||
            !quantity_bytes(hash, 32, json_object_get(log, "transactionHash")))
            continue;
        if (++q->candidates == CANDIDATES_MAX) {
            q->doubt = true; /* not all of them are looked at */
            break;
        }
    }
}
