/* SPDX-License-Identifier: Apache-2.0 */
/* The few columns of a row that its sums are made of. */
#include <stdlib.h>

#include "internal.h"

struct money
money_of(const struct pay_row *row)
{
    return (struct money){.id = row->id,
                          .state = row->state,
                          .run = row->run,
                          .mode = row->mode,
                          .chain_id = row->chain_id,
                          .asset = row->asset,
                          .payer = row->auth.from,
                          .value = row->charge,
                          .block_number = row->block_number};
}

void
money_read(struct db *db, sqlite3_stmt *stmt, struct money *out)
{
    out->id = sqlite3_column_int64(stmt, 0);
    out->state = (enum pay_state)sqlite3_column_int(stmt, 1);
    out->run = (enum pay_run)sqlite3_column_int(stmt, 2);
    out->mode = (enum pay_mode)sqlite3_column_int(stmt, 3);
    out->chain_id = (uint64_t)sqlite3_column_int64(stmt, 4);
    column_address(db, stmt, 5, &out->asset);
    column_address(db, stmt, 6, &out->payer);
    column_amount(db, stmt, 7, &out->value);
    out->block_number = (uint64_t)sqlite3_column_int64(stmt, 8);
}

struct money_list
money_list(struct db *db, sqlite3_stmt *stmt)
{
    struct money_list list = {NULL, 0, 0};

    while (list.len < LEDGER_LIST_MAX && db_row(db, stmt)) {
        if (list.len == list.cap) {
            list.cap = list.cap == 0 ? 128 : list.cap * 2;
            list.row = command_resize(list.row, list.cap * sizeof *list.row);
        }
        money_read(db, stmt, &list.row[list.len++]);
    }
    db_done(stmt);
    return list;
}

bool
money_submittable(const struct money *row)
{
    return row->state == PAY_CAPTURED ||
           (row->state == PAY_RESERVED && row->mode == PAY_SETTLE_BEFORE);
}
