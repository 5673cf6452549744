/* SPDX-License-Identifier: Apache-2.0 */
/* Who owes us what: the payments that are charged and not settled, and the
 * losses, by account (payer, token, network).  Both are few: the credit limits
 * the first, and the second should not happen. */
#include <string.h>

#include "internal.h"

static const char debts_sql[] =
    "WITH open AS (SELECT chain_id, coalesce(asset, contract) AS asset, payer, "
    "coalesce(charge, value) AS value, "
    "charged_ms FROM payment WHERE state = 3 AND (state = 3 OR (state = 1 AND "
    "mode = 2)) UNION ALL SELECT chain_id, coalesce(asset, contract), payer, "
    "coalesce(charge, value), charged_ms "
    "FROM payment WHERE state = 4), "
    "owing AS (SELECT chain_id, asset, payer FROM open UNION "
    "SELECT l.chain_id, l.asset, p.payer FROM loss l "
    "JOIN payment p ON p.id = l.payment) "
    "SELECT w.chain_id, w.asset, w.payer, coalesce(p.lost, zeroblob(32)), "
    "coalesce(p.settle_first, 0), o.value, o.charged_ms "
    "FROM owing w LEFT JOIN payer p ON p.payer = w.payer "
    "AND p.asset = w.asset AND p.chain_id = w.chain_id "
    "LEFT JOIN open o ON o.payer = w.payer AND o.asset = w.asset "
    "AND o.chain_id = w.chain_id ORDER BY w.chain_id, w.asset, w.payer";

static void
read_debt(struct db *db, sqlite3_stmt *stmt, struct ledger_debt *out)
{
    memset(out, 0, sizeof *out);
    out->chain_id = (uint64_t)sqlite3_column_int64(stmt, 0);
    column_address(db, stmt, 1, &out->asset);
    column_address(db, stmt, 2, &out->payer);
    column_amount(db, stmt, 3, &out->lost);
    out->settle_first = sqlite3_column_int(stmt, 4) != 0;
}

static bool
same_account(const struct ledger_debt *a, const struct ledger_debt *b)
{
    return a->chain_id == b->chain_id &&
           x402_address_eq(&a->asset, &b->asset) &&
           x402_address_eq(&a->payer, &b->payer);
}

static void
add_payment(struct db *db, sqlite3_stmt *stmt, struct ledger_debt *debt)
{
    uint64_t charged_ms = (uint64_t)sqlite3_column_int64(stmt, 6);
    struct x402_amount value;

    if (sqlite3_column_type(stmt, 5) == SQLITE_NULL)
        return;
    column_amount(db, stmt, 5, &value);
    if (!x402_amount_add(&debt->unsettled, &debt->unsettled, &value))
        db->rc = SQLITE_CORRUPT;
    debt->payments++;
    if (charged_ms != 0 &&
        (debt->oldest_ms == 0 || charged_ms < debt->oldest_ms))
        debt->oldest_ms = charged_ms;
}

/** An account in debt; one that was forgiven and has paid is none. */
static bool
is_debt(const struct ledger_debt *debt)
{
    return debt->payments != 0 || debt->settle_first ||
           !x402_amount_is_zero(&debt->lost);
}

bool
debts_each(struct db *db, ledger_debt_cb cb, void *arg)
{
    sqlite3_stmt *stmt = NULL;
    struct ledger_debt debt, next;
    bool any = false;
    int rc = sqlite3_prepare_v2(db->handle, debts_sql, -1, &stmt, NULL);

    if (rc != SQLITE_OK)
        db->rc = rc;
    while (db_row(db, stmt)) {
        read_debt(db, stmt, &next);
        if (any && !same_account(&debt, &next) && is_debt(&debt))
            cb(arg, &debt);
        if (!any || !same_account(&debt, &next))
            debt = next;
        any = true;
        add_payment(db, stmt, &debt);
    }
    if (any && db->rc == SQLITE_OK && is_debt(&debt))
        cb(arg, &debt);
    sqlite3_finalize(stmt);
    return db->rc == SQLITE_OK;
}
