/* SPDX-License-Identifier: Apache-2.0 */
/* Every SQL statement of the ledger, by name.  Prepared once per connection, at
 * first use.  An update names the state it expects, so that an edge which the
 * state diagram does not have changes no row. */
#ifndef X402D_LEDGER_STATEMENTS_H
#define X402D_LEDGER_STATEMENTS_H

#include "statements_invoice.h"

/* the columns that row_read() takes, in its order */
#define ROW_COLUMNS                                                            \
    "id, state, run, mode, origin, chain_id, coalesce(asset, contract), "      \
    "payer, payee, value, "                                                    \
    "valid_after, valid_before, nonce, signature, fingerprint, batch, tx, "    \
    "block_number, block_hash, releases, runs, reason, created_ms, "           \
    "updated_ms, alone, taken, started, charged_ms, method, facilitator, "     \
    "charge, sponsor "

/* the columns that money_read() takes, in its order */
#define MONEY_COLUMNS                                                          \
    "id, state, run, mode, chain_id, coalesce(asset, contract), payer, "       \
    "coalesce(charge, value), block_number "

/* What leads to another state leaves in the row where it came from: sql/012. */
#define EDGE_TO "was = state, state = "
/* edges that more than one statement takes */
#define MINED_HERE                                                             \
    EDGE_TO "5, tx = ?4, block_number = ?5, block_hash = ?6, "                 \
            "charged_ms = iif(charged_ms = 0, ?3, charged_ms), epoch = ?2, "   \
            "updated_ms = ?3"
#define QUEUED_AGAIN                                                           \
    EDGE_TO "3, batch = NULL, tx = NULL, block_number = NULL, "                \
            "block_hash = NULL, epoch = ?2, updated_ms = ?3"

#define STATEMENTS(X)                                                          \
    X(SQL_BEGIN, "BEGIN IMMEDIATE")                                            \
    X(SQL_COMMIT, "COMMIT")                                                    \
    X(SQL_ROLLBACK, "ROLLBACK")                                                \
    X(SQL_EPOCH, "SELECT epoch, outside FROM meta")                            \
    X(SQL_EPOCH_RAISE, "UPDATE meta SET epoch = epoch + 1 RETURNING epoch")    \
    /* -- payments: read -- */                                                 \
    X(SQL_BY_KEY,                                                              \
      "SELECT " ROW_COLUMNS "FROM payment WHERE payer = ?1 AND nonce = ?2 "    \
      "AND contract = ?3 AND chain_id = ?4")                                   \
    X(SQL_PAYER_PAID,                                                          \
      "SELECT 1 FROM (SELECT state FROM payment "                              \
      "WHERE payer = ?1 LIMIT 256) WHERE state IN (5, 6) LIMIT 1")             \
    X(SQL_MONEY_BY_ID, "SELECT " MONEY_COLUMNS "FROM payment WHERE id = ?1")   \
    X(SQL_BY_ID, "SELECT " ROW_COLUMNS "FROM payment WHERE id = ?1")           \
    X(SQL_BY_RID,                                                              \
      "SELECT " ROW_COLUMNS "FROM payment WHERE id = ?1 AND rid = ?2")         \
    X(SQL_KEYS, "SELECT payer, nonce FROM payment")                            \
    X(SQL_LAST_ID, "SELECT coalesce(max(id), 0) FROM payment")                 \
    X(SQL_OPEN_OF_WORKER,                                                      \
      "SELECT rid FROM payment WHERE run = 1 AND worker = ?1")                 \
    X(SQL_WORKERS, "SELECT worker FROM payment WHERE run = 1 UNION "           \
                   "SELECT worker FROM invoice WHERE open = 1")                \
    X(SQL_DUE, "SELECT " ROW_COLUMNS "FROM payment WHERE chain_id = ?1 "       \
               "AND (state = 3 OR (state = 1 AND mode = 2)) "                  \
               "ORDER BY valid_before LIMIT ?2")                               \
    X(SQL_IN_SUBMITTED,                                                        \
      "SELECT " ROW_COLUMNS "FROM payment WHERE state = 4 AND chain_id = ?1 "  \
      "ORDER BY id LIMIT ?2")                                                  \
    X(SQL_IN_MINED,                                                            \
      "SELECT " ROW_COLUMNS "FROM payment WHERE state = 5 AND chain_id = ?1 "  \
      "ORDER BY id LIMIT ?2")                                                  \
    X(SQL_IN_STATE,                                                            \
      "SELECT " ROW_COLUMNS "FROM payment WHERE state = ?3 AND chain_id = ?1 " \
      "ORDER BY id LIMIT ?2")                                                  \
    X(SQL_SUBMITTED_OF_BATCH,                                                  \
      "SELECT " MONEY_COLUMNS "FROM payment WHERE state = 4 AND batch = ?1")   \
    X(SQL_MINED_BY,                                                            \
      "SELECT " MONEY_COLUMNS "FROM payment WHERE state = 5 AND tx = ?1")      \
    /* -- payments: the gateway's edges -- */                                  \
    X(SQL_INSERT,                                                              \
      "INSERT INTO payment (state, run, mode, origin, wire, chain_id, "        \
      "contract, payer, nonce, payee, value, valid_after, valid_before, "      \
      "signature, fingerprint, resource, alone, rid, worker, charged_ms, "     \
      "epoch, created_ms, updated_ms, id, method, asset, facilitator, "        \
      "charge, sponsor, was) VALUES (?1, ?2, ?3, ?4, ?5, ?6, "                 \
      "?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, "    \
      "?21, ?22, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?1)")                      \
    X(SQL_RESERVE_AGAIN,                                                       \
      "UPDATE payment SET " EDGE_TO "1, run = 1, mode = ?2, rid = ?3, "        \
      "worker = ?4, signature = ?5, alone = ?6, started = 0, taken = 0, "      \
      "reason = 0, sponsor = ?9, epoch = ?7, updated_ms = ?8 "                 \
      "WHERE id = ?1 AND state = 2")                                           \
    X(SQL_FACILITATE,                                                          \
      "UPDATE payment SET " EDGE_TO "3, run = 0, mode = ?2, origin = 2, "      \
      "valid_after = ?3, valid_before = ?4, signature = ?5, alone = ?6, "      \
      "charged_ms = ?8, rid = NULL, worker = NULL, started = 0, taken = 0, "   \
      "charge = ?9, sponsor = ?10, reason = 0, epoch = ?7, updated_ms = ?8 "   \
      "WHERE id = ?1 AND state = 2")                                           \
    X(SQL_REDEEM,                                                              \
      "UPDATE payment SET run = 1, rid = ?2, worker = ?3, started = 0, "       \
      "taken = 0, epoch = ?4, updated_ms = ?5 WHERE id = ?1 AND run = 3")      \
    X(SQL_CAPTURE,                                                             \
      "UPDATE payment SET " EDGE_TO                                            \
      "3, taken = 1, runs = 1, charged_ms = ?3, "                              \
      "epoch = ?2, updated_ms = ?3 WHERE id = ?1 AND state = 1 AND run = 1 "   \
      "AND rid = ?4 AND valid_before >= ?5")                                   \
    X(SQL_CAPTURE_PART, "UPDATE payment SET " EDGE_TO                          \
                        "3, taken = 1, runs = 1, charged_ms = ?3, "            \
                        "charge = ?4, epoch = ?2, updated_ms = ?3 "            \
                        "WHERE id = ?1 AND state = 1 AND run = 1")             \
    X(SQL_CAPTURE_NOTHING,                                                     \
      "UPDATE payment SET " EDGE_TO "2, run = 0, worker = NULL, taken = 1, "   \
      "signature = x'', reason = 0, epoch = ?2, updated_ms = ?3 "              \
      "WHERE id = ?1 AND state = 1 AND run = 1")                               \
    X(SQL_CAPTURE_CHARGED,                                                     \
      "UPDATE payment SET taken = 1, runs = runs + 1, epoch = ?2, "            \
      "updated_ms = ?3 WHERE id = ?1 AND state BETWEEN 3 AND 6 AND run = 1")   \
    X(SQL_DELIVERED,                                                           \
      "UPDATE payment SET run = 2, worker = NULL, delivered_ms = ?3, "         \
      "epoch = ?2, updated_ms = ?3 WHERE id = ?1 AND rid = ?4 AND run = 1 "    \
      "AND taken = 1 AND state BETWEEN 3 AND 7")                               \
    X(SQL_RELEASE,                                                             \
      "UPDATE payment SET " EDGE_TO "2, run = 0, worker = NULL, "              \
      "signature = x'', releases = releases + ?4, reason = ?5, epoch = ?2, "   \
      "updated_ms = ?3 WHERE id = ?1 AND state = 1")                           \
    X(SQL_NOT_ADOPTED,                                                         \
      "UPDATE payment SET " EDGE_TO "2, run = 0, charged_ms = 0, reason = 0, " \
      "epoch = ?2, updated_ms = ?3 "                                           \
      "WHERE id = ?1 AND state = 3 AND signature = x''")                       \
    X(SQL_STARTED, "UPDATE payment SET started = 1, epoch = ?2 "               \
                   "WHERE id = ?1 AND run = 1")                                \
    X(SQL_RUN_END,                                                             \
      "UPDATE payment SET run = ?4, worker = NULL, epoch = ?2, "               \
      "updated_ms = ?3, delivered_ms = iif(?5, ?3, delivered_ms) "             \
      "WHERE id = ?1 AND run = 1 AND state BETWEEN 3 AND 7")                   \
    /* -- payments: the settler's edges -- */                                  \
    X(SQL_SUBMIT,                                                              \
      "UPDATE payment SET " EDGE_TO "4, batch = ?2, tx = ?3, epoch = ?4, "     \
      "updated_ms = ?5 WHERE id = ?1 AND chain_id = ?6 "                       \
      "AND (state = 3 OR (state = 1 AND mode = 2))")                           \
    X(SQL_HAND_OVER,                                                           \
      "UPDATE payment SET " EDGE_TO "4, batch = NULL, tx = zeroblob(32), "     \
      "epoch = ?2, updated_ms = ?3 WHERE id = ?1 "                             \
      "AND (state = 3 OR (state = 1 AND mode = 2))")                           \
    X(SQL_CLAIM_NEW, "INSERT INTO claim (tx, first_ms) VALUES (?1, ?2) "       \
                     "ON CONFLICT DO NOTHING")                                 \
    X(SQL_CLAIM, "SELECT first_ms FROM claim WHERE tx = ?1")                   \
    X(SQL_RESOURCE, "SELECT resource FROM payment WHERE id = ?1")              \
    X(SQL_RESUBMIT, "UPDATE payment SET tx = ?2, epoch = ?3, updated_ms = ?4 " \
                    "WHERE batch = ?1 AND state = 4")                          \
    X(SQL_MINE, "UPDATE payment SET " MINED_HERE ", batch = ?7 WHERE id = ?1 " \
                "AND (state = 3 OR state = 4 OR (state = 1 AND mode = 2))")    \
    X(SQL_MINE_BATCH,                                                          \
      "UPDATE payment SET " MINED_HERE " WHERE state = 4 AND batch = ?1")      \
    X(SQL_UNMINE, "UPDATE payment SET " EDGE_TO "4, block_number = NULL, "     \
                  "block_hash = NULL, epoch = ?2, updated_ms = ?3 "            \
                  "WHERE state = 5 AND tx = ?1")                               \
    X(SQL_UNMINE_FOREIGN,                                                      \
      "UPDATE payment SET " QUEUED_AGAIN " WHERE state = 5 AND tx = ?1")       \
    X(SQL_REQUEUE, "UPDATE payment SET " QUEUED_AGAIN                          \
                   " WHERE id = ?1 AND (state = 4 OR state = 5)")              \
    X(SQL_FINAL,                                                               \
      "UPDATE payment SET " EDGE_TO "6, signature = x'', epoch = ?2, "         \
      "updated_ms = ?3 WHERE state = 5 AND tx = ?1")                           \
    X(SQL_FAILED,                                                              \
      "UPDATE payment SET " EDGE_TO "7, run = iif(run = 3, 2, run), "          \
      "signature = x'', reason = ?4, epoch = ?2, updated_ms = ?3 "             \
      "WHERE id = ?1 AND (state = 3 OR state = 4)")                            \
    X(SQL_ADOPT,                                                               \
      "INSERT INTO payment (id, epoch, created_ms, updated_ms, charged_ms, "   \
      "chain_id, contract, payer, nonce, payee, value, valid_after, "          \
      "valid_before, resource, state, run, mode, origin, wire, signature, "    \
      "fingerprint, alone, method, asset, facilitator, charge, was) VALUES "   \
      "(?1, ?2, ?3, ?3, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 3, 0, 2, "  \
      "2, 2, x'', zeroblob(32), 0, ?13, ?14, ?15, ?16, 3)")                    \
    X(SQL_ADOPT_RELEASED,                                                      \
      "UPDATE payment SET " EDGE_TO "3, run = 0, mode = 2, charged_ms = ?3, "  \
      "worker = NULL, rid = NULL, reason = 0, charge = coalesce(?4, charge), " \
      "epoch = ?2, updated_ms = ?3 WHERE id = ?1 AND state = 2")               \
    X(SQL_MARK, "SELECT block_number FROM mark WHERE chain_id = ?1")           \
    X(SQL_MARK_SET, "INSERT INTO mark (chain_id, block_number) VALUES (?1, "   \
                    "?2) ON CONFLICT DO UPDATE SET block_number = ?2")         \
    X(SQL_NEWEST_BLOCK, "SELECT max(coalesce(block_number, 0)) FROM payment "  \
                        "WHERE chain_id = ?1")                                 \
    X(SQL_NEWEST_MS,                                                           \
      "SELECT created_ms FROM payment WHERE id > ?1 ORDER BY id DESC LIMIT 1") \
    /* -- credit -- */                                                         \
    X(SQL_PERMIT2_OPEN,                                                        \
      "SELECT coalesce(charge, value), state, block_number FROM payment "      \
      "WHERE payer = ?1 AND asset = ?2 AND chain_id = ?3 AND method > 0 "      \
      "AND state IN (1, 3, 4, 5)")                                             \
    X(SQL_PAYER, "SELECT lost, settle_first, full_ms FROM payer "              \
                 "WHERE payer = ?1 AND asset = ?2 AND chain_id = ?3")          \
    X(SQL_PAYER_SAVE,                                                          \
      "INSERT INTO payer (payer, asset, chain_id, lost, settle_first, "        \
      "full_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET "    \
      "lost = ?4, settle_first = ?5, full_ms = ?6")                            \
    X(SQL_MONEY_OUT,                                                           \
      "SELECT " MONEY_COLUMNS "FROM payment WHERE state = 3 "                  \
      "UNION ALL SELECT " MONEY_COLUMNS "FROM payment WHERE state = 1 "        \
      "AND run = 1 "                                                           \
      "UNION ALL SELECT " MONEY_COLUMNS "FROM payment WHERE state = 4 "        \
      "UNION ALL SELECT " MONEY_COLUMNS "FROM payment WHERE state = 5")        \
    X(SQL_LOSS, "INSERT INTO loss (payment, chain_id, asset, value, at_ms) "   \
                "VALUES (?1, ?2, ?3, ?4, ?5)")                                 \
    X(SQL_LAST_LOSS, "SELECT coalesce(max(at_ms), 0) FROM loss")               \
    X(SQL_LOSS_SINCE, "SELECT value FROM loss "                                \
                      "WHERE asset = ?1 AND chain_id = ?2 AND at_ms > ?3")     \
    X(SQL_KEY_GAS, "SELECT gwei FROM key_gas WHERE name = ?1 AND day = ?2")    \
    X(SQL_KEY_GAS_ADD,                                                         \
      "INSERT INTO key_gas (name, day, gwei) VALUES (?1, ?2, ?3) "             \
      "ON CONFLICT (name, day) DO UPDATE SET gwei = gwei + ?3")                \
    /* -- batches -- */                                                        \
    X(SQL_BATCH_NEW, "INSERT INTO batch (chain_id, signer, account_nonce, "    \
                     "closed, epoch, created_ms) VALUES (?1, ?2, ?3, 0, ?4, "  \
                     "?5)")                                                    \
    X(SQL_BATCH, "SELECT chain_id, signer, account_nonce, closed "             \
                 "FROM batch WHERE id = ?1")                                   \
    X(SQL_BATCH_MINED, "UPDATE batch SET mined_ms = ?3, epoch = ?2 "           \
                       "WHERE id = ?1 AND mined_ms = 0")                       \
    X(SQL_BATCH_FINAL, "UPDATE batch SET closed = 1, epoch = ?2, final_ms = "  \
                       "iif(final_ms = 0, ?3, final_ms) WHERE id = ?1")        \
    X(SQL_BATCH_DROPPED,                                                       \
      "UPDATE batch SET closed = 1, epoch = ?2 WHERE id = ?1")                 \
    X(SQL_BATCH_REOPENED, "UPDATE batch SET closed = 0, epoch = ?2, "          \
                          "mined_ms = iif(?4, 0, mined_ms) WHERE id = ?1")     \
    X(SQL_BATCH_MINED_MS, "SELECT mined_ms FROM batch WHERE id = ?1")          \
    X(SQL_BATCH_NEWEST_TX,                                                     \
      "SELECT hash FROM tx WHERE batch = ?1 ORDER BY id DESC LIMIT 1")         \
    /* ids grow with time: nothing older is read */                            \
    X(SQL_TX_SINCE,                                                            \
      "SELECT t.created_ms, t.max_fee, t.gas_limit, t.batch, "                 \
      "ifnull((SELECT gwei FROM gift g WHERE g.batch = t.batch), 0) "          \
      "FROM tx t "                                                             \
      "JOIN batch b ON b.id = t.batch WHERE b.chain_id = ?1 AND t.id > "       \
      "ifnull((SELECT id FROM tx WHERE created_ms <= ?2 ORDER BY id DESC "     \
      "LIMIT 1), 0) ORDER BY t.batch, t.id")                                   \
    X(SQL_TX_NEW, "INSERT INTO tx (hash, batch, max_fee, max_priority_fee, "   \
                  "gas_limit, raw, epoch, created_ms) "                        \
                  "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")                   \
    X(SQL_TX_BATCH, "SELECT batch FROM tx WHERE hash = ?1")                    \
    X(SQL_OPEN_TXS,                                                            \
      "SELECT b.id, b.signer, b.account_nonce, t.hash, t.max_fee, "            \
      "t.max_priority_fee, t.gas_limit, t.raw, t.created_ms, "                 \
      "ifnull((SELECT p.valid_before FROM gift g JOIN payment p "              \
      "ON p.id = g.payment WHERE g.batch = b.id), 0) "                         \
      "FROM batch b JOIN tx t ON t.batch = b.id "                              \
      "WHERE b.closed = 0 AND b.chain_id = ?1 ORDER BY b.id, t.id")            \
    /* -- history; 63: LEDGER_EVENTS_MAX - 1 -- */                             \
    X(SQL_EVENT,                                                               \
      "INSERT INTO event (rail, subject, seq, at_ms, what, detail, reason, "   \
      "tx, block_number) VALUES (?1, ?2, (SELECT min(coalesce(max(seq) + 1, "  \
      "0), 63) FROM event WHERE rail = ?1 AND subject = ?2), ?3, ?4, ?5, ?6, " \
      "?7, ?8) ON CONFLICT DO UPDATE SET at_ms = ?3, what = ?4, detail = ?5, " \
      "reason = ?6, tx = ?7, block_number = ?8, more = more + 1")              \
    X(SQL_EVENT_REFUSED,                                                       \
      "SELECT 1 FROM event WHERE rail = 1 AND subject = ?1 AND what = 4 "      \
      "AND reason = ?2")                                                       \
    /* -- gifts -- */                                                          \
    X(SQL_GIFT_LAST,                                                           \
      "SELECT g.at_ms, p.state, g.account_nonce FROM gift g JOIN payment p "   \
      "ON p.id = g.payment WHERE g.payer = ?1 AND g.chain_id = ?2 "            \
      "ORDER BY g.at_ms DESC LIMIT 1")                                         \
    X(SQL_GIFTS_SINCE, "SELECT ifnull(sum(gwei), 0) FROM gift "                \
                       "WHERE chain_id = ?1 AND at_ms > ?2")                   \
    X(SQL_GIFT_NEW,                                                            \
      "INSERT INTO gift (payment, batch, chain_id, payer, "                    \
      "account_nonce, gwei, at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")       \
    /* -- numbers -- */                                                        \
    X(SQL_COUNT_STATES, "SELECT state, count(*), sum(run = 3) FROM payment "   \
                        "GROUP BY state")                                      \
    X(SQL_OLDEST_CAPTURED,                                                     \
      "SELECT min(nullif(charged_ms, 0)) FROM payment WHERE state = 3 "        \
      "AND (state = 3 OR (state = 1 AND mode = 2))")                           \
    X(SQL_OPEN_BATCHES, "SELECT count(*) FROM batch WHERE closed = 0")

enum statement {
#define STATEMENT_ENUM(name, text) name,
    STATEMENTS(STATEMENT_ENUM) INVOICE_STATEMENTS(STATEMENT_ENUM)
#undef STATEMENT_ENUM
        STATEMENT_COUNT
};

#endif
