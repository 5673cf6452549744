/* SPDX-License-Identifier: Apache-2.0 */
/* Credit: how much of a payer's money is promised, and how much of ours is out.
 *
 *     exposure     = RESERVED + CAPTURED + SUBMITTED (open_all)
 *                    + MINED above the block at which the balance was read
 *     credit used  = those of mode SETTLE_AFTER (open_after), and MINED ones
 *                    less deep than the confirmations, + losses
 *
 * The counters move in the same transaction as the row. */
#include <string.h>

#include "../failpoint.h"
#include "internal.h"

static struct x402_amount
after_part(const struct pay_row *row)
{
    return row->mode == PAY_SETTLE_AFTER ? row->auth.value : x402_amount_of(0);
}

static void
bind_payer(sqlite3_stmt *stmt, const struct pay_row *row)
{
    bind_address(stmt, 1, &row->auth.from);
    bind_address(stmt, 2, &row->asset);
    bind_int(stmt, 3, (int64_t)row->chain_id);
}

static void
bind_total(sqlite3_stmt *stmt, const struct pay_row *row)
{
    bind_address(stmt, 1, &row->asset);
    bind_int(stmt, 2, (int64_t)row->chain_id);
}

static int
payer_change(struct db *db, enum statement which, const struct pay_row *row)
{
    struct x402_amount after = after_part(row);
    sqlite3_stmt *stmt = db_use(db, which);

    bind_payer(stmt, row);
    bind_amount(stmt, 4, &row->auth.value);
    bind_amount(stmt, 5, &after);
    return db_run(db, stmt);
}

static int
total_change(struct db *db, enum statement which, const struct pay_row *row)
{
    sqlite3_stmt *stmt = db_use(db, which);

    bind_total(stmt, row);
    bind_amount(stmt, 3, &row->auth.value);
    return db_run(db, stmt);
}

void
credit_open(struct ledger *ledger, const struct pay_row *row)
{
    struct db *db = &ledger->write;

    if (payer_change(db, SQL_PAYER_ADD, row) == 0)
        payer_change(db, SQL_PAYER_NEW, row);
    if (row->mode == PAY_SETTLE_AFTER &&
        total_change(db, SQL_TOTAL_ADD, row) == 0)
        total_change(db, SQL_TOTAL_NEW, row);
}

static void
must_change_one(struct db *db, int changed)
{
    if (changed != 1 && db->rc == SQLITE_OK)
        db->rc = SQLITE_INTERNAL;
}

void
credit_close(struct ledger *ledger, const struct pay_row *row)
{
    struct db *db = &ledger->write;

    must_change_one(db, payer_change(db, SQL_PAYER_SUB, row));
    if (row->mode == PAY_SETTLE_AFTER)
        must_change_one(db, total_change(db, SQL_TOTAL_SUB, row));
}

static sqlite3_stmt *
mined_statement(struct db *db, enum statement which, const struct pay_row *row)
{
    sqlite3_stmt *stmt = db_use(db, which);

    bind_payer(stmt, row);
    bind_int(stmt, 4, (int64_t)row->block_number);
    return stmt;
}

static sqlite3_stmt *
mined_total_statement(struct db *db, enum statement which,
                      const struct pay_row *row)
{
    sqlite3_stmt *stmt = db_use(db, which);

    bind_total(stmt, row);
    bind_int(stmt, 3, (int64_t)row->block_number);
    return stmt;
}

static void
mined_change(struct db *db, const struct pay_row *row, enum statement payer,
             enum statement total)
{
    struct x402_amount after = after_part(row);
    sqlite3_stmt *stmt = mined_statement(db, payer, row);

    bind_amount(stmt, 5, &row->auth.value);
    bind_amount(stmt, 6, &after);
    db_run_one(db, stmt);
    stmt = mined_total_statement(db, total, row);
    bind_amount(stmt, 4, &after);
    db_run_one(db, stmt);
}

void
credit_mined(struct ledger *ledger, const struct pay_row *row)
{
    mined_change(&ledger->write, row, SQL_MINED_ADD, SQL_MINED_TOTAL_ADD);
}

void
credit_unmined(struct ledger *ledger, const struct pay_row *row)
{
    struct db *db = &ledger->write;

    mined_change(db, row, SQL_MINED_SUB, SQL_MINED_TOTAL_SUB);
    db_run(db, mined_statement(db, SQL_MINED_GONE, row));
    db_run(db, mined_total_statement(db, SQL_MINED_TOTAL_GONE, row));
}

void
credit_lost(struct ledger *ledger, const struct pay_row *row, uint64_t now_ms)
{
    struct db *db = &ledger->write;
    sqlite3_stmt *stmt = db_use(db, SQL_LOSS);

    bind_int(stmt, 1, row->id);
    bind_int(stmt, 2, (int64_t)row->chain_id);
    bind_address(stmt, 3, &row->asset);
    bind_amount(stmt, 4, &row->auth.value);
    bind_int(stmt, 5, (int64_t)now_ms);
    db_run_one(db, stmt);
    stmt = db_use(db, SQL_PAYER_LOST);
    bind_payer(stmt, row);
    bind_amount(stmt, 4, &row->auth.value);
    db_run_one(db, stmt);
}

/* -- reading -- */

struct payer {
    struct x402_amount open_all, open_after, lost;
    bool settle_first;
    uint64_t full_ms;
};

static void
payer_read(struct db *db, const struct pay_row *row, struct payer *out)
{
    sqlite3_stmt *stmt = db_use(db, SQL_PAYER);

    memset(out, 0, sizeof *out);
    bind_payer(stmt, row);
    if (!db_row(db, stmt))
        return;
    column_amount(db, stmt, 0, &out->open_all);
    column_amount(db, stmt, 1, &out->open_after);
    column_amount(db, stmt, 2, &out->lost);
    out->settle_first = sqlite3_column_int(stmt, 3) != 0;
    out->full_ms = (uint64_t)sqlite3_column_int64(stmt, 4);
    db_done(stmt);
}

/* The bucket as one number: the time at which it is full again.  Each release
 * moves it a step, and a step more than a minute away is an empty bucket.  A
 * clock that was set back cannot lock a payer out for longer than two. */
static uint64_t
bucket_clamp(uint64_t full_ms, uint64_t now_ms)
{
    if (full_ms < now_ms)
        return now_ms;
    if (full_ms > now_ms + 2 * LEDGER_BUCKET_MS)
        return now_ms + 2 * LEDGER_BUCKET_MS;
    return full_ms;
}

void
credit_release(struct ledger *ledger, const struct pay_row *row,
               uint64_t now_ms)
{
    struct db *db = &ledger->write;
    struct payer payer;
    sqlite3_stmt *stmt;

    payer_read(db, row, &payer);
    stmt = db_use(db, SQL_PAYER_FULL);
    bind_payer(stmt, row);
    bind_int(
        stmt, 4,
        (int64_t)(bucket_clamp(payer.full_ms, now_ms) + LEDGER_BUCKET_STEP_MS));
    db_run_one(db, stmt);
}

/* Sums saturate: more than 2^256-1 is more than any limit and any balance. */
static void
add(struct x402_amount *sum, const struct x402_amount *more)
{
    uint8_t most[32];

    if (x402_amount_add(sum, sum, more))
        return;
    memset(most, 0xff, sizeof most);
    x402_amount_from_be32(sum, most);
}

static uint64_t
confirmed_block(const struct ledger_reserve *in)
{
    return in->head_number > in->confirmations
               ? in->head_number - in->confirmations
               : 0;
}

static void
add_mined(struct db *db, const struct ledger_reserve *in,
          const struct pay_row *row, struct x402_amount *exposure,
          struct x402_amount *credit)
{
    uint64_t confirmed = confirmed_block(in);
    sqlite3_stmt *stmt = db_use(db, SQL_MINED_ABOVE);
    struct x402_amount all, after;

    bind_payer(stmt, row);
    bind_int(
        stmt, 4,
        (int64_t)(in->block_number < confirmed ? in->block_number : confirmed));
    while (db_row(db, stmt)) {
        uint64_t block = (uint64_t)sqlite3_column_int64(stmt, 0);

        column_amount(db, stmt, 1, &all);
        column_amount(db, stmt, 2, &after);
        if (block > in->block_number)
            add(exposure, &all);
        if (block > confirmed)
            add(credit, &after);
    }
}

static void
add_column(struct db *db, sqlite3_stmt *stmt, struct x402_amount *sum)
{
    struct x402_amount more;

    while (db_row(db, stmt)) {
        column_amount(db, stmt, 0, &more);
        add(sum, &more);
    }
}

static struct x402_amount
total_used(struct db *db, const struct ledger_reserve *in,
           const struct pay_row *row)
{
    struct x402_amount sum = x402_amount_of(0);
    sqlite3_stmt *stmt = db_use(db, SQL_TOTAL);

    bind_total(stmt, row);
    add_column(db, stmt, &sum);
    stmt = db_use(db, SQL_MINED_TOTAL_ABOVE);
    bind_total(stmt, row);
    bind_int(stmt, 3, (int64_t)confirmed_block(in));
    add_column(db, stmt, &sum);
    stmt = db_use(db, SQL_LOSS_SINCE);
    bind_total(stmt, row);
    bind_int(stmt, 3, (int64_t)in->now_ms - LEDGER_LOSS_MS);
    add_column(db, stmt, &sum);
    return sum;
}

static bool
over(struct x402_amount used, const struct x402_amount *more,
     const struct x402_amount *limit)
{
    return !x402_amount_add(&used, &used, more) ||
           x402_amount_cmp(&used, limit) > 0;
}

enum x402_err
credit_check(struct ledger *ledger, const struct ledger_reserve *in,
             enum pay_mode *mode)
{
    const struct x402_amount *value = &in->auth.value;
    struct db *db = &ledger->write;
    struct pay_row row = {.chain_id = in->chain_id, .asset = in->asset};
    struct x402_amount exposure, credit;
    struct payer payer;

    if (mutant("credit_off"))
        return X402_OK;
    row.auth.from = in->auth.from;
    payer_read(db, &row, &payer);
    if (bucket_clamp(payer.full_ms, in->now_ms) >
        in->now_ms + LEDGER_BUCKET_MS - LEDGER_BUCKET_STEP_MS)
        return X402_ERR_RATE;
    exposure = payer.open_all;
    credit = payer.open_after;
    add_mined(db, in, &row, &exposure, &credit);
    if (over(exposure, value, &in->balance))
        return X402_ERR_FUNDS;
    if (*mode == PAY_SETTLE_BEFORE)
        return X402_OK;
    add(&credit, &payer.lost);
    if (payer.settle_first || over(credit, value, &in->limits.payer) ||
        over(total_used(db, in, &row), value, &in->limits.total))
        *mode = PAY_SETTLE_BEFORE;
    return X402_OK;
}
