/* SPDX-License-Identifier: Apache-2.0 */
/* Credit: how much of a payer's money is promised, and how much of ours is out.
 *
 *     exposure     = RESERVED + CAPTURED + SUBMITTED (open_all)
 *                    + MINED above the block at which the balance was read
 *     credit used  = those of mode SETTLE_AFTER (open_after), and MINED ones
 *                    less deep than the confirmations, + losses
 *
 * The sums are kept in memory (account.h) and follow the rows; losses and the
 * bucket of releases are in tables of their own. */
#include <string.h>

#include "../failpoint.h"
#include "internal.h"

/* -- accounts -- */

static void
load(struct db *db, struct account *account)
{
    sqlite3_stmt *stmt = db_use(db, SQL_PAYER);

    account->known = true;
    account->lost = x402_amount_of(0);
    account->settle_first = false;
    account->full_ms = 0;
    bind_address(stmt, 1, &account->key.payer);
    bind_address(stmt, 2, &account->key.asset);
    bind_int(stmt, 3, (int64_t)account->key.chain_id);
    if (!db_row(db, stmt))
        return;
    column_amount(db, stmt, 0, &account->lost);
    account->settle_first = sqlite3_column_int(stmt, 1) != 0;
    account->full_ms = (uint64_t)sqlite3_column_int64(stmt, 2);
    db_done(stmt);
}

static struct account *
payer_of(struct ledger *ledger, const struct money *row)
{
    struct account_key key = {row->chain_id, row->asset, row->payer};
    struct account *account = accounts_get(&ledger->accounts, &key);

    if (!account->known)
        load(&ledger->write, account);
    return account;
}

static struct account *
total_of(struct ledger *ledger, const struct money *row)
{
    struct account_key key = {.chain_id = row->chain_id, .asset = row->asset};

    return accounts_get(&ledger->accounts, &key);
}

static void
save(struct db *db, const struct account *account)
{
    sqlite3_stmt *stmt = db_use(db, SQL_PAYER_SAVE);

    bind_address(stmt, 1, &account->key.payer);
    bind_address(stmt, 2, &account->key.asset);
    bind_int(stmt, 3, (int64_t)account->key.chain_id);
    bind_amount(stmt, 4, &account->lost);
    bind_int(stmt, 5, account->settle_first);
    bind_int(stmt, 6, (int64_t)account->full_ms);
    db_run_one(db, stmt);
}

/* -- moves -- */

static void
move_one(struct ledger *ledger, struct account *account,
         const struct account_move *move)
{
    struct db *db = &ledger->write;

    if (!accounts_move(&ledger->accounts, account, move) && db->rc == SQLITE_OK)
        db->rc = SQLITE_INTERNAL; /* a ledger that does not add up */
}

static void
move_row(struct ledger *ledger, const struct money *row, bool mined,
         bool leaves)
{
    struct account_move move = {.mined = mined,
                                .leaves = leaves,
                                .block = row->block_number,
                                .all = row->value};

    if (row->mode == PAY_SETTLE_AFTER)
        move.after = row->value;
    move_one(ledger, payer_of(ledger, row), &move);
    move.all = x402_amount_of(0); /* nobody's exposure */
    move_one(ledger, total_of(ledger, row), &move);
}

void
credit_open(struct ledger *ledger, const struct money *row)
{
    move_row(ledger, row, false, false);
}

void
credit_close(struct ledger *ledger, const struct money *row)
{
    move_row(ledger, row, false, true);
}

void
credit_mined(struct ledger *ledger, const struct money *row)
{
    move_row(ledger, row, true, false);
}

void
credit_unmined(struct ledger *ledger, const struct money *row)
{
    move_row(ledger, row, true, true);
}

/* Should the row not be kept, a look that finds nothing does no harm. */
static void
note_loss(struct ledger *ledger, int64_t at_ms)
{
    if (at_ms > ledger->last_loss_ms)
        ledger->last_loss_ms = at_ms;
}

void
credit_lost(struct ledger *ledger, const struct money *row, uint64_t now_ms)
{
    struct db *db = &ledger->write;
    struct account *payer = payer_of(ledger, row);
    sqlite3_stmt *stmt = db_use(db, SQL_LOSS);

    bind_int(stmt, 1, row->id);
    bind_int(stmt, 2, (int64_t)row->chain_id);
    bind_address(stmt, 3, &row->asset);
    bind_amount(stmt, 4, &row->value);
    bind_int(stmt, 5, (int64_t)now_ms);
    db_run_one(db, stmt);
    note_loss(ledger, (int64_t)now_ms);
    account_add(&payer->lost, &row->value);
    payer->settle_first = true;
    save(db, payer);
}

static void
recall_losses(struct ledger *ledger)
{
    struct db *db = &ledger->write;
    sqlite3_stmt *stmt = db_use(db, SQL_LAST_LOSS);

    if (db_row(db, stmt))
        note_loss(ledger, sqlite3_column_int64(stmt, 0));
    db_done(stmt);
}

/* The sums of all rows that are open or mined, when the ledger opens. */
void
credit_recall(struct ledger *ledger)
{
    struct db *db = &ledger->write;
    sqlite3_stmt *stmt = db_use(db, SQL_MONEY_OUT);
    struct money row;

    recall_losses(ledger);
    while (db_row(db, stmt)) {
        struct account_key key;

        money_read(db, stmt, &row);
        key = (struct account_key){row.chain_id, row.asset, row.payer};
        /* a look at the payers' own rows can wait */
        accounts_get(&ledger->accounts, &key)->known = true;
        move_row(ledger, &row, row.state == PAY_MINED, false);
        accounts_get(&ledger->accounts, &key)->known = false;
    }
    accounts_keep(&ledger->accounts);
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
credit_release(struct ledger *ledger, const struct money *row, uint64_t now_ms)
{
    struct account *payer = payer_of(ledger, row);

    payer->full_ms =
        bucket_clamp(payer->full_ms, now_ms) + LEDGER_BUCKET_STEP_MS;
    save(&ledger->write, payer);
}

/* -- the check -- */

static uint64_t
confirmed_block(const struct ledger_reserve *in)
{
    return in->head_number > in->confirmations
               ? in->head_number - in->confirmations
               : 0;
}

static struct x402_amount
losses_of_a_day(struct ledger *ledger, const struct ledger_reserve *in)
{
    struct db *db = &ledger->write;
    int64_t since_ms = (int64_t)in->now_ms - LEDGER_LOSS_MS;
    struct x402_amount sum = x402_amount_of(0), more;
    sqlite3_stmt *stmt;

    if (ledger->last_loss_ms <= since_ms)
        return sum;
    stmt = db_use(db, SQL_LOSS_SINCE);
    bind_address(stmt, 1, &in->asset);
    bind_int(stmt, 2, (int64_t)in->chain_id);
    bind_int(stmt, 3, since_ms);
    while (db_row(db, stmt)) {
        column_amount(db, stmt, 0, &more);
        account_add(&sum, &more);
    }
    return sum;
}

static struct x402_amount
total_used(struct ledger *ledger, const struct ledger_reserve *in,
           const struct money *row)
{
    const struct account *total = total_of(ledger, row);
    struct x402_amount sum = losses_of_a_day(ledger, in);

    account_add(&sum, &total->open_after);
    account_mined_above(total, confirmed_block(in), true, &sum);
    return sum;
}

static bool
over(struct x402_amount used, const struct x402_amount *more,
     const struct x402_amount *limit)
{
    return !x402_amount_add(&used, &used, more) ||
           x402_amount_cmp(&used, limit) > 0;
}

/* "sum(verified, unsettled) <= balance and allowance": what Permit2 still has
 * to move for this payer.  A permit that came along makes its own allowance. */
static bool
over_allowance(struct db *db, const struct ledger_reserve *in,
               const struct x402_amount *value)
{
    struct x402_amount sum = x402_amount_of(0), more;
    sqlite3_stmt *stmt;

    if (in->method == X402_METHOD_EIP3009 ||
        in->sponsor.kind == X402_SPONSOR_EIP2612 || in->approves ||
        mutant("allowance_off"))
        return false;
    stmt = db_use(db, SQL_PERMIT2_OPEN);
    bind_address(stmt, 1, &in->auth.from);
    bind_address(stmt, 2, &in->asset);
    bind_int(stmt, 3, (int64_t)in->chain_id);
    while (db_row(db, stmt)) {
        if (sqlite3_column_int(stmt, 1) == PAY_MINED &&
            (uint64_t)sqlite3_column_int64(stmt, 2) <= in->block_number)
            continue;
        column_amount(db, stmt, 0, &more);
        account_add(&sum, &more);
    }
    return over(sum, value, &in->allowance);
}

enum x402_err
credit_check(struct ledger *ledger, const struct ledger_reserve *in,
             enum pay_mode *mode)
{
    const struct x402_amount *value =
        in->has_charge ? &in->charge : &in->auth.value;
    struct money row = {
        .chain_id = in->chain_id, .asset = in->asset, .payer = in->auth.from};
    struct x402_amount exposure, credit;
    const struct account *payer;

    if (mutant("credit_off"))
        return X402_OK;
    payer = payer_of(ledger, &row);
    if (bucket_clamp(payer->full_ms, in->now_ms) >
        in->now_ms + LEDGER_BUCKET_MS - LEDGER_BUCKET_STEP_MS)
        return X402_ERR_RATE;
    exposure = payer->open_all;
    account_mined_above(payer, in->block_number, false, &exposure);
    if (over(exposure, value, &in->balance))
        return X402_ERR_FUNDS;
    if (over_allowance(&ledger->write, in, value))
        return X402_ERR_ALLOWANCE;
    if (*mode == PAY_SETTLE_BEFORE)
        return X402_OK;
    credit = payer->open_after;
    account_mined_above(payer, confirmed_block(in), true, &credit);
    account_add(&credit, &payer->lost);
    if (payer->settle_first || over(credit, value, &in->limits.payer) ||
        over(total_used(ledger, in, &row), value, &in->limits.total))
        *mode = PAY_SETTLE_BEFORE;
    return X402_OK;
}
