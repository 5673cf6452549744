/* SPDX-License-Identifier: Apache-2.0 */
/* Debts, summed over payers: who owes is nobody's business on these pages.
 * Kept for a second, so that asking often costs little. */
#include <string.h>

#include <x402/network.h>

#include "request.h"

#define KEEP_MS 1000

static struct http_owed *
owed_of(struct http_debts *debts, const struct ledger_debt *debt)
{
    const struct x402_network *network = x402_network_by_id(debt->chain_id);
    const struct x402_asset *asset =
        x402_asset_by_address(debt->chain_id, &debt->asset);
    struct http_owed *owed = debts->at;

    while (owed < debts->at + debts->len &&
           (owed->chain_id != debt->chain_id ||
            !x402_address_eq(&owed->address, &debt->asset)))
        owed++;
    if (owed < debts->at + debts->len)
        return owed;
    if (debts->len == HTTP_OWED_MAX || network == NULL || asset == NULL)
        return NULL;
    memset(owed, 0, sizeof(*owed));
    owed->chain_id = debt->chain_id;
    owed->address = debt->asset;
    owed->network = network->caip2;
    owed->asset = asset->symbol;
    debts->len++;
    return owed;
}

static void
add(struct x402_amount *sum, const struct x402_amount *more)
{
    if (!x402_amount_add(sum, sum, more))
        memset(sum, 0xff, sizeof(*sum)); /* beyond any token's supply */
}

static void
add_debt(void *arg, const struct ledger_debt *debt)
{
    struct http_owed *owed = owed_of(arg, debt);

    if (owed == NULL)
        return;
    add(&owed->unsettled, &debt->unsettled);
    add(&owed->lost, &debt->lost);
    owed->debtors += debt->payments != 0;
    owed->settle_first += debt->settle_first;
    if (x402_amount_cmp(&debt->unsettled, &owed->unsettled_most) > 0)
        owed->unsettled_most = debt->unsettled;
}

const struct http_debts *
http_debts(struct http *http)
{
    struct http_debts *debts = &http->debts;
    uint64_t now_ms = uv_now(core_loop(http->core)) + 1;

    if (debts->read_ms != 0 && now_ms - debts->read_ms < KEEP_MS)
        return debts;
    debts->read_ms = now_ms;
    debts->len = 0;
    ledger_debts(http->ledger, add_debt, debts);
    return debts;
}
