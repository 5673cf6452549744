/* SPDX-License-Identifier: Apache-2.0 */
/* See gift.h. */
#include "gift.h"

#include <stdlib.h>
#include <string.h>

#include "../failpoint.h"
#include "../log.h"
#include "../metrics.h"
#include "flight.h"
#include "follow.h"
#include "job_inside.h"
#include "sign.h"

/* A transfer takes 21,000; rollups count its bytes as gas, too. */
#define GIFT_GAS 100000
/* A payment that ends before gift, approval and settlement are mined. */
#define GIFT_TIME_S 20

/* -- may he have it? -- */

/* In whole gwei, upwards; UINT64_MAX: more than anybody gives. */
static uint64_t
gwei_of(const struct x402_amount *wei)
{
    struct x402_amount gwei;
    uint64_t out;

    (void)x402_amount_div_u64(&gwei, wei, SIGN_GWEI);
    if (!x402_amount_u64(&out, &gwei) || out == UINT64_MAX)
        return UINT64_MAX;
    return out + 1;
}

/* "the Facilitator calculates the deficit", and an eighth of the cost more: on
 * rollups a transaction pays for its bytes besides its gas. */
static uint64_t
deficit(const struct x402_approval *approval, const struct x402_amount *balance)
{
    struct x402_amount cost = x402_amount_of(approval->max_fee), eighth, lacks;

    if (!fees_cost(&cost, &cost, approval->gas_limit))
        return UINT64_MAX;
    (void)x402_amount_div_u64(&eighth, &cost, 8);
    if (!x402_amount_add(&cost, &cost, &eighth) ||
        !x402_amount_sub(&lacks, &cost, balance))
        return UINT64_MAX;
    return gwei_of(&lacks);
}

uint64_t
gift_cost_gwei(uint64_t gwei, const struct fees *fees)
{
    struct x402_amount cost;
    uint64_t gas;

    if (!fees_cost(&cost, &fees->max_fee, GIFT_GAS))
        return UINT64_MAX;
    gas = gwei_of(&cost);
    return gas > UINT64_MAX - gwei ? UINT64_MAX : gas + gwei;
}

/* Gift, its transfer and the settlement stay within what one payment may cost,
 * and the day has not had all. */
static bool
within_caps(const struct chain *chain, uint64_t gwei)
{
    struct fees_caps caps = {chain->config->max_fee_gwei,
                             chain->config->max_fee_settlement_gwei};
    struct x402_amount settlement;
    struct fees fees;
    uint64_t all;

    if (spent_reached(&chain->spent, chain->config->max_fee_day_gwei,
                      core_now_ms()) ||
        !fees_offer(&fees, &chain->market, &caps, FEES_GAS_SINGLE, 1))
        return false;
    if (caps.max_settlement_gwei == 0)
        return true;
    if (!fees_cost(&settlement, &fees.max_fee, FEES_GAS_SINGLE))
        return false;
    all = gift_cost_gwei(gwei, &fees);
    return all <= caps.max_settlement_gwei &&
           gwei_of(&settlement) <= caps.max_settlement_gwei - all;
}

/* The base fee may rise by an eighth with each block, and the gift takes one.
 */
static bool
bears_a_block(const struct chain *chain, const struct x402_approval *approval)
{
    struct x402_amount max_fee = x402_amount_of(approval->max_fee);
    struct x402_amount base = chain->market.base, eighth;

    (void)x402_amount_div_u64(&eighth, &base, 8);
    return x402_amount_add(&base, &base, &eighth) &&
           x402_amount_cmp(&max_fee, &base) >= 0;
}

static bool
has_time(const struct x402_authorization *auth)
{
    uint64_t now_s = core_now_ms() / 1000;

    return auth->valid_after_s < now_s &&
           auth->valid_before_s >= now_s + GIFT_TIME_S;
}

static struct ledger_gift
gift_of(const struct chain *chain, const struct x402_address *payer,
        const struct x402_approval *approval, uint64_t gwei)
{
    return (struct ledger_gift){
        .chain_id = chain_id(chain),
        .payer = *payer,
        .account_nonce = approval->nonce,
        .gwei = gwei,
        .day_gwei = chain->config->gift_day_gwei,
    };
}

enum x402_err
gift_check(const struct chain *chain, const struct chain_ask *ask,
           const struct x402_approval *approval,
           const struct x402_amount *balance, struct chain_verdict *out)
{
    uint64_t gwei = deficit(approval, balance);
    struct ledger_gift gift = gift_of(chain, &ask->auth.from, approval, gwei);

    if (chain->config->gift_payer_gwei == 0 || chain->ledger == NULL)
        return X402_ERR_APPROVAL_GAS;
    switch (ledger_gift(chain->ledger, &gift, core_now_ms())) {
    case LEDGER_GIFT_GIVEN:
        out->waits_gift = true;
        return X402_OK;
    case LEDGER_GIFT_MAY:
        if (gwei > chain->config->gift_payer_gwei && !mutant("gift_any_size"))
            break;
        if (!within_caps(chain, gwei) || !has_time(&ask->auth) ||
            !bears_a_block(chain, approval))
            break;
        out->gift_gwei = gwei;
        return X402_OK;
    case LEDGER_GIFT_NONE:
        break;
    }
    return X402_ERR_APPROVAL_GAS;
}

/* -- giving it -- */

struct giving {
    struct settler *settler;
    struct signer *signer;
    struct flight_tx tx;
    uint64_t gwei, until_s;
};

static void
fly(const struct giving *g, int64_t batch)
{
    struct chain *chain = g->settler->chain;

    chain_spend_gift(chain, g->gwei, core_now_ms());
    metrics_add(METRIC_GIFTS, 1);
    log_event(LOG_INFO, "gas_given", NULL);
    follow_launch(chain->follower, g->signer, &g->tx, g->signer->next_nonce,
                  batch, g->until_s);
}

static void
on_stored(void *arg, enum x402_err err, int64_t batch)
{
    struct giving *g = arg;
    struct settler *settler = g->settler;
    struct signer *signer = g->signer;

    settler->chain->ledger_waits--;
    signer->busy = false;
    failpoint("after_gift");
    if (err == X402_OK) /* else: given, or the payment is over */
        fly(g, batch);
    free(g->tx.raw);
    free(g);
    job_next(settler, signer);
}

static void
store(struct giving *g, const struct pay_row *row)
{
    struct chain *chain = g->settler->chain;
    struct x402_approval approval;
    struct ledger_tx entry = {
        .chain_id = chain_id(chain),
        .signer = g->signer->address,
        .account_nonce = g->signer->next_nonce,
        .max_fee = g->tx.fees.max_fee,
        .max_priority_fee = g->tx.fees.max_priority,
        .gas_limit = g->tx.gas_limit,
        .raw = g->tx.raw,
        .raw_len = g->tx.raw_len,
    };

    x402_approval_of(&approval, &row->sponsor);
    entry.gift = gift_of(chain, &row->auth.from, &approval, g->gwei);
    entry.gift.payment = row->id;
    memcpy(entry.hash, g->tx.hash, sizeof entry.hash);
    chain->ledger_waits++;
    g->signer->busy = true;
    failpoint("before_gift");
    ledger_submit(chain->ledger, &entry, core_now_ms(), on_stored, g);
}

static bool
can_afford(const struct signer *signer, const struct fees *fees, uint64_t gwei)
{
    struct x402_amount wei = x402_amount_of(gift_cost_gwei(gwei, fees));

    return x402_amount_mul_u64(&wei, &wei, SIGN_GWEI) &&
           x402_amount_cmp(&signer->balance, &wei) >= 0;
}

void
gift_give(struct settler *settler, struct signer *signer,
          const struct pay_row *row, uint64_t gwei)
{
    struct chain *chain = settler->chain;
    struct fees_caps caps = {chain->config->max_fee_gwei,
                             chain->config->max_fee_settlement_gwei};
    struct sign_order order = {
        .network = chain->config,
        .chain_id = chain_id(chain),
        .signer = signer,
        .account_nonce = signer->next_nonce,
        .gas_limit = GIFT_GAS,
    };
    struct giving *g;

    if (chain->closing || signer->busy ||
        !fees_offer(&order.fees, &chain->market, &caps, GIFT_GAS, 1) ||
        !can_afford(signer, &order.fees, gwei))
        return;
    g = chain_alloc(sizeof *g);
    *g = (struct giving){.settler = settler,
                         .signer = signer,
                         .gwei = gwei,
                         .until_s = row->auth.valid_before_s};
    if (sign_gift(&g->tx, &order, &row->auth.from, gwei))
        store(g, row);
    else
        free(g);
}
