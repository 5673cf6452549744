/* SPDX-License-Identifier: Apache-2.0 */
/* Payment rows: from the table into structs, and counted by state. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

/* Numbers that stand in files must not move. */
_Static_assert(PAY_RESERVED == 1 && PAY_RELEASED == 2 && PAY_CAPTURED == 3 &&
                   PAY_SUBMITTED == 4 && PAY_MINED == 5 && PAY_FINAL == 6 &&
                   PAY_FAILED == 7,
               "states are stored");
_Static_assert(PAY_RUN_NONE == 0 && PAY_RUN_OPEN == 1 &&
                   PAY_RUN_DELIVERED == 2 && PAY_RUN_REDEEMABLE == 3,
               "runs are stored");
_Static_assert(PAY_SETTLE_AFTER == 1 && PAY_SETTLE_BEFORE == 2,
               "modes are stored");
_Static_assert(X402_METHOD_EIP3009 == 0 && X402_METHOD_PERMIT2_EXACT == 1 &&
                   X402_METHOD_PERMIT2_UPTO == 2 && X402_SPONSOR_EIP2612 == 1 &&
                   X402_SPONSOR_APPROVAL == 2,
               "methods and sponsors are stored");
_Static_assert(PAY_ORIGIN_GATEWAY == 1 && PAY_ORIGIN_FACILITATOR == 2,
               "origins are stored");

static void
read_signature(sqlite3_stmt *stmt, int at, struct pay_row *out)
{
    const void *bytes = sqlite3_column_blob(stmt, at);
    size_t len = (size_t)sqlite3_column_bytes(stmt, at);

    out->signature_len = len <= sizeof out->signature ? len : 0;
    if (out->signature_len > 0)
        memcpy(out->signature, bytes, out->signature_len);
}

static void
read_authorization(struct db *db, sqlite3_stmt *stmt, struct pay_row *out)
{
    column_address(db, stmt, 6, &out->asset);
    column_address(db, stmt, 7, &out->auth.from);
    column_address(db, stmt, 8, &out->auth.to);
    column_amount(db, stmt, 9, &out->auth.value);
    out->auth.valid_after_s = (uint64_t)sqlite3_column_int64(stmt, 10);
    out->auth.valid_before_s = (uint64_t)sqlite3_column_int64(stmt, 11);
    column_blob(db, stmt, 12, out->auth.nonce, sizeof out->auth.nonce);
    read_signature(stmt, 13, out);
    column_blob(db, stmt, 14, out->fingerprint, sizeof out->fingerprint);
}

/* One byte for the kind, then the data. */
static void
read_sponsor(sqlite3_stmt *stmt, int at, struct x402_sponsor *out)
{
    const uint8_t *bytes = sqlite3_column_blob(stmt, at);
    size_t len = (size_t)sqlite3_column_bytes(stmt, at);

    if (len < 1 || len - 1 > sizeof out->data)
        return;
    out->kind = (enum x402_sponsor_kind)bytes[0];
    out->len = len - 1;
    memcpy(out->data, bytes + 1, out->len);
}

static void
read_method(struct db *db, sqlite3_stmt *stmt, struct pay_row *out)
{
    out->method = (enum x402_method)sqlite3_column_int(stmt, 28);
    if (sqlite3_column_type(stmt, 29) != SQLITE_NULL)
        column_address(db, stmt, 29, &out->facilitator);
    out->charge = out->auth.value;
    if (sqlite3_column_type(stmt, 30) != SQLITE_NULL)
        column_amount(db, stmt, 30, &out->charge);
    read_sponsor(stmt, 31, &out->sponsor);
}

static void
read_transaction(struct db *db, sqlite3_stmt *stmt, struct pay_row *out)
{
    out->batch_id = sqlite3_column_int64(stmt, 15);
    if (sqlite3_column_type(stmt, 16) != SQLITE_NULL)
        column_blob(db, stmt, 16, out->tx_hash, sizeof out->tx_hash);
    /* zeros: at a remote facilitator, no transaction known */
    out->has_tx = !x402_all_zero(out->tx_hash, sizeof out->tx_hash);
    out->block_number = (uint64_t)sqlite3_column_int64(stmt, 17);
    if (sqlite3_column_type(stmt, 18) != SQLITE_NULL)
        column_blob(db, stmt, 18, out->block_hash, sizeof out->block_hash);
}

static void
read_pay(struct db *db, sqlite3_stmt *stmt, struct pay_row *out)
{
    memset(out, 0, sizeof *out);
    out->id = sqlite3_column_int64(stmt, 0);
    out->state = (enum pay_state)sqlite3_column_int(stmt, 1);
    out->run = (enum pay_run)sqlite3_column_int(stmt, 2);
    out->mode = (enum pay_mode)sqlite3_column_int(stmt, 3);
    out->origin = (enum pay_origin)sqlite3_column_int(stmt, 4);
    out->chain_id = (uint64_t)sqlite3_column_int64(stmt, 5);
    read_authorization(db, stmt, out);
    read_transaction(db, stmt, out);
    out->releases = (unsigned)sqlite3_column_int(stmt, 19);
    out->runs = (unsigned)sqlite3_column_int(stmt, 20);
    out->reason = (enum x402_err)sqlite3_column_int(stmt, 21);
    out->created_ms = (uint64_t)sqlite3_column_int64(stmt, 22);
    out->updated_ms = (uint64_t)sqlite3_column_int64(stmt, 23);
    out->alone = sqlite3_column_int(stmt, 24) != 0;
    read_method(db, stmt, out);
}

void
row_read(struct db *db, sqlite3_stmt *stmt, struct row *out)
{
    read_pay(db, stmt, &out->pay);
    out->taken = sqlite3_column_int(stmt, 25) != 0;
    out->started = sqlite3_column_int(stmt, 26) != 0;
    out->charged_ms = (uint64_t)sqlite3_column_int64(stmt, 27);
}

bool
row_one(struct db *db, sqlite3_stmt *stmt, struct row *out)
{
    if (!db_row(db, stmt))
        return false;
    row_read(db, stmt, out);
    db_done(stmt);
    return db->rc == SQLITE_OK;
}

bool
row_by_id(struct db *db, int64_t id, struct row *out)
{
    sqlite3_stmt *stmt = db_use(db, SQL_BY_ID);

    bind_int(stmt, 1, id);
    return row_one(db, stmt, out);
}

/* A reservation's id: the row's, big-endian, and 64 random bits. */
struct x402_rid
rid_new(int64_t id)
{
    struct x402_rid rid;

    for (int i = 0; i < 8; i++)
        rid.byte[i] = (uint8_t)((uint64_t)id >> (56 - 8 * i));
    core_random(rid.byte + 8, 8);
    return rid;
}

int64_t
rid_row(const struct x402_rid *rid)
{
    uint64_t id = 0;

    for (int i = 0; i < 8; i++)
        id = id << 8 | rid->byte[i];
    return (int64_t)id;
}

bool
row_by_rid(struct db *db, const struct x402_rid *rid, struct row *out)
{
    sqlite3_stmt *stmt = db_use(db, SQL_BY_RID);

    bind_int(stmt, 1, rid_row(rid));
    bind_blob(stmt, 2, rid->byte, sizeof rid->byte);
    return row_one(db, stmt, out);
}

bool
row_by_key(struct db *db, const struct pay_key *key, struct row *out)
{
    sqlite3_stmt *stmt = db_use(db, SQL_BY_KEY);

    bind_address(stmt, 1, &key->payer);
    bind_blob(stmt, 2, key->nonce, sizeof key->nonce);
    bind_address(stmt, 3, &key->contract);
    bind_int(stmt, 4, (int64_t)key->chain_id);
    return row_one(db, stmt, out);
}

void
row_count(struct ledger *ledger, enum pay_state from, enum pay_run run,
          enum pay_state to, enum pay_run to_run)
{
    struct tally *pending = &ledger->pending;

    if (from != 0) {
        pending->state[from]--;
        pending->redeemable -= run == PAY_RUN_REDEEMABLE;
    }
    pending->state[to]++;
    pending->redeemable += to_run == PAY_RUN_REDEEMABLE;
}

static bool
row_list_grow(struct row_list *list)
{
    size_t cap = list->cap == 0 ? 16 : list->cap * 2;
    struct pay_row *row = realloc(list->row, cap * sizeof *row);

    if (row == NULL)
        return false;
    list->row = row;
    list->cap = cap;
    return true;
}

void
row_list_read(struct db *db, sqlite3_stmt *stmt,
              bool (*is_wanted)(const void *arg, int64_t id), const void *arg,
              struct row_list *out)
{
    while (out->len < LEDGER_LIST_MAX && db_row(db, stmt)) {
        if (!is_wanted(arg, sqlite3_column_int64(stmt, 0)))
            continue;
        if (out->len == out->cap && !row_list_grow(out)) {
            if (db->rc == SQLITE_OK)
                db->rc = SQLITE_NOMEM;
            break;
        }
        read_pay(db, stmt, &out->row[out->len++]);
    }
    db_done(stmt);
}

void
row_list_free(struct row_list *list)
{
    free(list->row);
    memset(list, 0, sizeof *list);
}
