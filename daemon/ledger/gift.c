/* SPDX-License-Identifier: Apache-2.0 */
/* See gift.h.  Once it is his the payer may do with it what he likes, the
 * approval included or not; so what is lost is bounded: a payer gets one at a
 * time, none within a day of the last, none ever again after one that led to no
 * payment, and all of them together get no more than the operator's day. */
#include "gift.h"

#include "../failpoint.h"

#define DAY_MS (24 * 3600 * 1000ll)

static bool
fits_day(struct db *db, const struct ledger_gift *gift, int64_t now_ms)
{
    sqlite3_stmt *stmt = db_use(db, SQL_GIFTS_SINCE);
    uint64_t given = 0;

    bind_int(stmt, 1, (int64_t)gift->chain_id);
    bind_int(stmt, 2, now_ms - DAY_MS);
    if (db_row(db, stmt)) {
        given = (uint64_t)sqlite3_column_int64(stmt, 0);
        db_done(stmt);
    }
    return db->rc == SQLITE_OK &&
           (mutant("gift_without_end") ||
            (given <= gift->day_gwei && gift->gwei <= gift->day_gwei - given));
}

struct last {
    bool found;
    uint64_t account_nonce;
    enum pay_state state;
    int64_t at_ms;
};

static struct last
last_of(struct db *db, const struct ledger_gift *gift)
{
    sqlite3_stmt *stmt = db_use(db, SQL_GIFT_LAST);
    struct last last = {0};

    bind_address(stmt, 1, &gift->payer);
    bind_int(stmt, 2, (int64_t)gift->chain_id);
    if (!db_row(db, stmt))
        return last;
    last.found = true;
    last.at_ms = sqlite3_column_int64(stmt, 0);
    last.state = (enum pay_state)sqlite3_column_int(stmt, 1);
    last.account_nonce = (uint64_t)sqlite3_column_int64(stmt, 2);
    db_done(stmt);
    return last;
}

/* The newest one of this payer.  Nothing leaves an account without an account
 * nonce: while that of the approval is not used, what was given for it is still
 * there, or on its way. */
static enum ledger_gift_word
word_on(const struct last *last, const struct ledger_gift *gift, int64_t now_ms)
{
    bool paid = last->state == PAY_MINED || last->state == PAY_FINAL;

    if (last->account_nonce == gift->account_nonce)
        return LEDGER_GIFT_GIVEN;
    return paid && now_ms >= last->at_ms + DAY_MS ? LEDGER_GIFT_MAY
                                                  : LEDGER_GIFT_NONE;
}

enum ledger_gift_word
gift_word(struct db *db, const struct ledger_gift *gift, uint64_t now_ms)
{
    struct last last = last_of(db, gift);
    enum ledger_gift_word word = LEDGER_GIFT_MAY;

    if (last.found && !mutant("gift_again"))
        word = word_on(&last, gift, (int64_t)now_ms);
    if (word == LEDGER_GIFT_MAY && !fits_day(db, gift, (int64_t)now_ms))
        word = LEDGER_GIFT_NONE;
    return db->rc == SQLITE_OK ? word : LEDGER_GIFT_NONE;
}

void
gift_add(struct db *db, const struct ledger_gift *gift, int64_t batch,
         uint64_t now_ms)
{
    sqlite3_stmt *stmt = db_use(db, SQL_GIFT_NEW);

    bind_int(stmt, 1, gift->payment);
    bind_int(stmt, 2, batch);
    bind_int(stmt, 3, (int64_t)gift->chain_id);
    bind_address(stmt, 4, &gift->payer);
    bind_int(stmt, 5, (int64_t)gift->account_nonce);
    bind_int(stmt, 6, (int64_t)gift->gwei);
    bind_int(stmt, 7, (int64_t)now_ms);
    db_run_one(db, stmt);
}

enum ledger_gift_word
ledger_gift(struct ledger *ledger, const struct ledger_gift *gift,
            uint64_t now_ms)
{
    enum ledger_gift_word word = gift_word(&ledger->read, gift, now_ms);

    ledger->read.rc = SQLITE_OK;
    return word;
}
