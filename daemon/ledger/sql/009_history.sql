-- SPDX-License-Identifier: Apache-2.0
-- What a row does not say any more once it has gone on.  The usual path costs
-- no row: its times stand where a row is written anyway.

-- What happened to a payment beside the usual path, in order; numbers of
-- `what` are those of event.h.  Rows 0 to 62 are the first ones, row 63 the
-- newest: `more` counts those between that it has taken the place of.
CREATE TABLE event (
    -- 1 payment, 2 invoice
    rail INTEGER NOT NULL CHECK (rail BETWEEN 1 AND 2),
    subject INTEGER NOT NULL,
    seq INTEGER NOT NULL CHECK (seq BETWEEN 0 AND 63),
    at_ms INTEGER NOT NULL,
    what INTEGER NOT NULL,
    -- RELEASED: the answer's HTTP status; BROKEN: how, as in till.h
    detail INTEGER NOT NULL,
    reason INTEGER NOT NULL,
    tx BLOB CHECK (length(tx) = 32),
    block_number INTEGER NOT NULL,
    more INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (rail, subject, seq)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER event_kept BEFORE DELETE ON event WHEN OLD.rail = 1
BEGIN
    SELECT RAISE(ABORT, 'events of payments are never deleted');
END;
-- The ids of invoices that were removed may come again.
CREATE TRIGGER invoice_forgotten AFTER DELETE ON invoice
BEGIN
    DELETE FROM event WHERE rail = 2 AND subject = OLD.id;
END;

-- 0: not yet, or before there were these columns
ALTER TABLE payment ADD COLUMN delivered_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE batch ADD COLUMN mined_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE batch ADD COLUMN final_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE invoice ADD COLUMN paid_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE invoice ADD COLUMN reserved_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE invoice ADD COLUMN captured_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE invoice ADD COLUMN delivered_ms INTEGER NOT NULL DEFAULT 0;
-- hold: the node has settled it, or given the money back
ALTER TABLE invoice ADD COLUMN resolved_ms INTEGER NOT NULL DEFAULT 0;
