/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a job: signed, in the ledger, handed over to the follower.  One
 * transaction of a signer at a time is on its way to the ledger, so that its
 * account nonces are given out in order. */
#include <stdlib.h>
#include <string.h>

#include "../failpoint.h"
#include "follow.h"
#include "job_inside.h"
#include "settle.h"
#include "sign.h"

#define LEDGER_AGAIN_MS 1000

static struct flight *
make_flight(const struct job *job, int64_t batch)
{
    struct flight *flight = flight_new(batch);

    flight->signer = job->signer;
    flight->step.account_nonce = job->signer->next_nonce;
    for (size_t i = 0; i < job->len; i++)
        flight_add_payment(flight, &job->member[i].row);
    flight_add_tx(flight, &job->tx);
    return flight;
}

void
job_next(struct settler *settler, const struct signer *signer)
{
    for (struct job **at = &settler->ready; *at != NULL; at = &(*at)->next) {
        struct job *job = *at;

        if (job->signer != signer)
            continue;
        *at = job->next;
        job_submit(job);
        return;
    }
}

static void
on_stored(void *arg, enum x402_err err, int64_t batch)
{
    struct job *job = arg;
    struct settler *settler = job->settler;
    struct chain *chain = settler->chain;
    struct signer *signer = job->signer;

    chain->ledger_waits--;
    signer->busy = false;
    failpoint("after_submit");
    if (err != X402_OK) {
        /* one of them was released meanwhile; or the ledger takes nothing: its
         * disk is full, and asking all the time does not empty it */
        job_give_up(job, err == X402_ERR_BUSY ? 0 : LEDGER_AGAIN_MS);
    } else {
        struct flight *flight = make_flight(job, batch);

        signer_used(signer, flight->step.account_nonce);
        chain_spend(chain, &job->tx.fees, job->tx.gas_limit, NULL);
        for (size_t i = 0; i < job->len; i++) {
            /* a transaction that failed is remembered until one pays */
            if (later_reason(settler->later, job->member[i].row.id) !=
                X402_ERR_TRANSACTION)
                later_forget(settler->later, job->member[i].row.id);
            settle_let_go(settler, job->member[i].row.id);
        }
        job_free(job);
        if (chain->closing)
            flight_free(flight); /* the ledger has it: the next start sends */
        else
            follow_add(chain->follower, flight);
    }
    job_next(settler, signer);
}

static bool
sign(struct job *job)
{
    struct chain *chain = job->settler->chain;
    struct look_payment payments[LOOK_MAX];
    struct sign_calldata calldata;
    struct sign_order order = {
        .network = chain->config,
        .chain_id = chain_id(chain),
        .signer = job->signer,
        .account_nonce = job->signer->next_nonce,
        .fees = job->tx.fees,
        .gas_limit = job->gas_limit,
        .calldata = &calldata,
    };
    bool good;

    job_payments(job, payments);
    sign_calldata(&calldata, payments, job->len, true);
    good = sign_settlement(&job->tx, &order, payments, job->len);
    free(calldata.data);
    return good;
}

static void
store(struct job *job)
{
    struct chain *chain = job->settler->chain;
    int64_t payments[LOOK_MAX];
    struct ledger_tx entry = {
        .chain_id = chain_id(chain),
        .signer = job->signer->address,
        .account_nonce = job->signer->next_nonce,
        .max_fee = job->tx.fees.max_fee,
        .max_priority_fee = job->tx.fees.max_priority,
        .gas_limit = job->gas_limit,
        .raw = job->tx.raw,
        .raw_len = job->tx.raw_len,
        .payments = payments,
        .payments_len = job->len,
    };

    memcpy(entry.hash, job->tx.hash, sizeof entry.hash);
    for (size_t i = 0; i < job->len; i++)
        payments[i] = job->member[i].row.id;
    chain->ledger_waits++;
    failpoint("before_submit");
    ledger_submit(chain->ledger, &entry, core_now_ms(), on_stored, job);
}

void
job_submit(struct job *job)
{
    if (job->settler->chain->closing) {
        job_give_up(job, 0); /* nobody looks any more */
        return;
    }
    if (job->signer->busy) {
        job->next = job->settler->ready;
        job->settler->ready = job;
        return;
    }
    if (!sign(job)) {
        job_halve(job);
        return;
    }
    job->signer->busy = true;
    store(job);
}

void
job_drop_ready(struct settler *settler)
{
    while (settler->ready != NULL) {
        struct job *job = settler->ready;

        settler->ready = job->next;
        job_free(job);
    }
}
