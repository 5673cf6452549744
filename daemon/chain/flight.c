/* SPDX-License-Identifier: Apache-2.0 */
/* See flight.h. */
#include "flight.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <x402/encode.h>

struct flight *
flight_new(int64_t batch_id)
{
    struct flight *flight = chain_alloc(sizeof *flight);

    flight->batch_id = batch_id;
    return flight;
}

void
flight_free(struct flight *flight)
{
    flight_hold_slot(flight, false);
    for (size_t i = 0; i < flight->txs_len; i++)
        free(flight->txs[i].raw);
    free(flight->payments);
    free(flight);
}

bool
flight_add_payment(struct flight *flight, const struct pay_row *row)
{
    struct flight_payment *payments;

    for (size_t i = 0; i < flight->payments_len; i++) {
        if (flight->payments[i].id == row->id)
            return false;
    }
    payments = realloc(flight->payments,
                       (flight->payments_len + 1) * sizeof *payments);
    if (payments == NULL)
        abort();
    flight->payments = payments;
    payments += flight->payments_len++;
    *payments = (struct flight_payment){
        .id = row->id,
        .method = row->method,
        .asset = row->asset,
        .payer = row->auth.from,
        .payee = row->auth.to,
        .value = row->charge,
        .alone = row->alone,
    };
    memcpy(payments->nonce, row->auth.nonce, sizeof payments->nonce);
    if (row->auth.valid_before_s > flight->step.expires_s)
        flight->step.expires_s = row->auth.valid_before_s;
    return true;
}

bool
flight_add_tx(struct flight *flight, const struct flight_tx *tx)
{
    struct flight_tx *mine;

    if (flight->txs_len == FLIGHT_TXS_MAX)
        return false;
    mine = &flight->txs[flight->txs_len++];
    *mine = *tx;
    mine->raw = chain_alloc(tx->raw_len);
    memcpy(mine->raw, tx->raw, tx->raw_len);
    return true;
}

const struct flight_tx *
flight_newest(const struct flight *flight)
{
    return flight->txs_len == 0 ? NULL : &flight->txs[flight->txs_len - 1];
}

bool
flight_has_tx(const struct flight *flight, const uint8_t hash[32])
{
    for (size_t i = 0; i < flight->txs_len; i++) {
        if (memcmp(flight->txs[i].hash, hash, 32) == 0)
            return true;
    }
    return memcmp(flight->mined_tx, hash, 32) == 0;
}

struct ledger_outcome *
flight_outcomes(const struct flight *flight, const struct receipt *receipt)
{
    struct ledger_outcome *outcomes =
        chain_alloc((flight->payments_len + 1) * sizeof *outcomes);

    for (size_t i = 0; i < flight->payments_len; i++) {
        const struct flight_payment *p = &flight->payments[i];
        struct receipt_claim claim = {
            .method = p->method,
            .token = &p->asset,
            .payer = &p->payer,
            .payee = &p->payee,
            .value = &p->value,
            .nonce = p->nonce,
        };

        outcomes[i].payment = p->id;
        outcomes[i].paid = receipt_paid(receipt, &claim);
    }
    return outcomes;
}

void
flight_hold_slot(struct flight *flight, bool hold)
{
    if (flight->signer == NULL || flight->holds_slot == hold)
        return;
    flight->holds_slot = hold;
    if (hold)
        flight->signer->flights++;
    else
        flight->signer->flights--;
}

void
flight_log(enum log_level level, const char *event, const struct flight *flight)
{
    const struct flight_tx *tx = flight_newest(flight);
    char hash[67], count[24];

    x402_hex_encode(hash, tx == NULL ? flight->mined_tx : tx->hash, 32);
    snprintf(count, sizeof count, "%zu", flight->payments_len);
    log_event(level, event, "tx", hash, "payments", count, NULL);
}
