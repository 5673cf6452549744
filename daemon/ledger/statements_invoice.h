/* SPDX-License-Identifier: Apache-2.0 */
/* The statements about invoices, see statements.h. */
#ifndef X402D_LEDGER_STATEMENTS_INVOICE_H
#define X402D_LEDGER_STATEMENTS_INVOICE_H

/* the columns that invoice_read() takes, in its order */
#define INVOICE_COLUMNS                                                        \
    "id, state, payment_hash, request_hash, amount_msat, paid_msat, "          \
    "expires_s, open, started, releases, runs, updated_ms, hold, "             \
    "coalesce(preimage, zeroblob(32)) "

#define INVOICE_STATEMENTS(X)                                                  \
    X(SQL_INVOICE_NEW,                                                         \
      "INSERT INTO invoice (state, payment_hash, request_hash, amount_msat, "  \
      "unit, price, decimals, rate, expires_s, resource, epoch, created_ms, "  \
      "updated_ms, hold, preimage) VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, "    \
      "?8, ?9, ?10, ?11, ?11, ?12, iif(?12, ?13, NULL))")                      \
    X(SQL_INVOICE_BY_HASH,                                                     \
      "SELECT " INVOICE_COLUMNS "FROM invoice WHERE payment_hash = ?1")        \
    X(SQL_INVOICE_BY_RID,                                                      \
      "SELECT " INVOICE_COLUMNS "FROM invoice WHERE id = ?1 AND rid = ?2")     \
    X(SQL_INVOICE_PAID,                                                        \
      "UPDATE invoice SET state = 2, paid_msat = ?2, epoch = ?3, "             \
      "updated_ms = ?4, paid_ms = ?4, "                                        \
      "resolved_ms = iif(?5 AND hold BETWEEN 1 AND 3, ?4, resolved_ms), "      \
      "hold = iif(?5 AND hold BETWEEN 1 AND 3, 4, hold) "                      \
      "WHERE id = ?1 AND state IN (1, 5)")                                     \
    X(SQL_INVOICE_LAPSED,                                                      \
      "UPDATE invoice SET state = 5, epoch = ?2, updated_ms = ?3, "            \
      "hold = CASE hold WHEN 1 THEN 5 ELSE hold END "                          \
      "WHERE id = ?1 AND state = 1")                                           \
    X(SQL_INVOICE_RESERVE,                                                     \
      "UPDATE invoice SET state = 3, open = 1, rid = ?2, worker = ?3, "        \
      "dialect = ?4, started = 0, epoch = ?5, updated_ms = ?6, "               \
      "reserved_ms = iif(reserved_ms = 0, ?6, reserved_ms) "                   \
      "WHERE id = ?1 AND state = 2")                                           \
    X(SQL_INVOICE_CAPTURE,                                                     \
      "UPDATE invoice SET state = 4, runs = runs + 1, epoch = ?2, "            \
      "captured_ms = iif(captured_ms = 0, ?3, captured_ms), "                  \
      "updated_ms = ?3, hold = CASE hold WHEN 1 THEN 2 ELSE hold END WHERE "   \
      "id = ?1 AND state = 3")                                                 \
    X(SQL_INVOICE_BACK,                                                        \
      "UPDATE invoice SET state = 2, open = 0, worker = NULL, "                \
      "releases = releases + 1, epoch = ?2, updated_ms = ?3 "                  \
      "WHERE id = ?1 AND open = 1")                                            \
    X(SQL_INVOICE_CANCEL,                                                      \
      "UPDATE invoice SET state = 5, open = 0, worker = NULL, hold = 3, "      \
      "epoch = ?2, updated_ms = ?3 WHERE id = ?1 AND state IN (1, 3) "         \
      "AND hold = 1")                                                          \
    X(SQL_INVOICE_RESOLVED,                                                    \
      "UPDATE invoice SET hold = ?2, epoch = ?3, updated_ms = ?4, "            \
      "resolved_ms = ?4 "                                                      \
      "WHERE payment_hash = ?1 AND hold IN (2, 3)")                            \
    X(SQL_INVOICES_DECIDED,                                                    \
      "SELECT " INVOICE_COLUMNS "FROM invoice WHERE hold IN (2, 3) "           \
      "AND id > ?1 ORDER BY id LIMIT ?2")                                      \
    X(SQL_INVOICES_ANY_DECIDED,                                                \
      "SELECT 1 FROM invoice WHERE hold IN (2, 3) LIMIT 1")                    \
    X(SQL_INVOICE_OVER,                                                        \
      "UPDATE invoice SET open = 0, worker = NULL, epoch = ?2, "               \
      "updated_ms = ?3 WHERE id = ?1 AND state = 4")                           \
    X(SQL_INVOICE_DELIVERED,                                                   \
      "UPDATE invoice SET open = 0, worker = NULL, epoch = ?2, "               \
      "updated_ms = ?3, delivered_ms = ?3 WHERE id = ?1 AND state = 4")        \
    X(SQL_INVOICE_STARTED, "UPDATE invoice SET started = 1, epoch = ?2 "       \
                           "WHERE id = ?1 AND open = 1")                       \
    X(SQL_INVOICE_OPEN_OF_WORKER,                                              \
      "SELECT rid FROM invoice WHERE open = 1 AND worker = ?1")                \
    X(SQL_INVOICES_ISSUED,                                                     \
      "SELECT " INVOICE_COLUMNS "FROM invoice WHERE state = 1 "                \
      "AND (expires_s, id) > (?1, ?2) ORDER BY expires_s, id LIMIT ?3")        \
    X(SQL_INVOICES_OUTSTANDING,                                                \
      "SELECT count(*) FROM (SELECT 1 FROM invoice WHERE state = 1 "           \
      "AND expires_s > ?1 LIMIT ?2)")                                          \
    X(SQL_INVOICES_PRUNE,                                                      \
      "DELETE FROM invoice WHERE id IN (SELECT id FROM invoice "               \
      "WHERE state = 5 AND hold <> 3 AND expires_s < ?1 ORDER BY expires_s "   \
      "LIMIT ?2)")                                                             \
    X(SQL_INVOICE_CURSOR,                                                      \
      "SELECT add_index, settle_index FROM invoice_cursor")                    \
    X(SQL_INVOICE_CURSOR_SET,                                                  \
      "UPDATE invoice_cursor SET add_index = max(add_index, ?1), "             \
      "settle_index = max(settle_index, ?2)")

#endif
