-- SPDX-License-Identifier: Apache-2.0
-- Payments that a remote facilitator settles.  While one is SUBMITTED its tx
-- is 32 zero bytes and it has no batch: nobody has named a transaction that
-- was believed.  Without a node it becomes FINAL on the facilitator's word,
-- with block 0.

-- Transactions that facilitators named where no node could be asked, and when
-- first: one that is older than a payment did not carry it.
CREATE TABLE claim (
    tx BLOB PRIMARY KEY CHECK (length(tx) = 32),
    first_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
