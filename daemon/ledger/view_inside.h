/* SPDX-License-Identifier: Apache-2.0 */
/* What view.c and history.c share. */
#ifndef X402D_LEDGER_VIEW_INSIDE_H
#define X402D_LEDGER_VIEW_INSIDE_H

#include "internal.h"
#include "view.h"

struct ledger_view {
    struct db db;
};

/** A statement of the view's own; NULL on error. */
sqlite3_stmt *view_prepare(struct ledger_view *view, const char *sql);
/** End a statement; true when nothing went wrong with it. */
bool view_finish(struct ledger_view *view, sqlite3_stmt *stmt);

#endif
