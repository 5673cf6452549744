-- SPDX-License-Identifier: Apache-2.0
-- Lightning: one row for each invoice that we issued.  Numbers of states are
-- those of invoice.h.  Amounts are millisatoshi; a price that was converted
-- stands beside its rate.

CREATE TABLE invoice (
    id INTEGER PRIMARY KEY,
    -- 1 ISSUED, 2 PAID, 3 RESERVED, 4 FINAL, 5 LAPSED
    state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 5),
    payment_hash BLOB NOT NULL UNIQUE CHECK (length(payment_hash) = 32),
    request_hash BLOB NOT NULL CHECK (length(request_hash) = 32),
    amount_msat INTEGER NOT NULL CHECK (amount_msat > 0),
    -- what was asked for: 1 millisatoshi, 2 atomic units of a token of
    -- `decimals` decimals; rate: hundred-millionths of its whole unit for 1 BTC
    unit INTEGER NOT NULL CHECK (unit BETWEEN 1 AND 2),
    price BLOB NOT NULL CHECK (length(price) = 32),
    decimals INTEGER NOT NULL CHECK (decimals BETWEEN 0 AND 77),
    rate INTEGER NOT NULL CHECK (rate >= 0),
    paid_msat INTEGER NOT NULL DEFAULT 0 CHECK (paid_msat >= 0),
    expires_s INTEGER NOT NULL CHECK (expires_s >= 0),
    resource TEXT NOT NULL CHECK (length(resource) <= 2047),
    -- the dialect of the newest run: 1 lnbtc, 2 L402, 4 MPP
    dialect INTEGER NOT NULL DEFAULT 0,
    -- the newest run, as in payment
    open INTEGER NOT NULL DEFAULT 0 CHECK (open BETWEEN 0 AND 1),
    rid BLOB CHECK (length(rid) = 16),
    worker BLOB CHECK (length(worker) = 16),
    started INTEGER NOT NULL DEFAULT 0 CHECK (started BETWEEN 0 AND 1),
    releases INTEGER NOT NULL DEFAULT 0,
    runs INTEGER NOT NULL DEFAULT 0 CHECK (runs BETWEEN 0 AND 2),
    epoch INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    CHECK (open = 0 OR (rid IS NOT NULL AND worker IS NOT NULL)),
    CHECK (state <> 3 OR open = 1),
    CHECK (open = 0 OR state = 3 OR state = 4)
) STRICT;
CREATE INDEX invoice_open ON invoice (worker) WHERE open = 1;
CREATE INDEX invoice_issued ON invoice (expires_s, id) WHERE state = 1;
CREATE INDEX invoice_lapsed ON invoice (expires_s) WHERE state = 5;

CREATE TRIGGER invoice_edge BEFORE UPDATE OF state ON invoice
WHEN NOT (OLD.state = NEW.state
    OR (OLD.state = 1 AND (NEW.state = 2 OR NEW.state = 5))
    OR (OLD.state = 2 AND NEW.state = 3)
    OR (OLD.state = 3 AND (NEW.state = 2 OR NEW.state = 4))
    OR (OLD.state = 4 AND NEW.state = 2)
    OR (OLD.state = 5 AND NEW.state = 2))
BEGIN
    SELECT RAISE(ABORT, 'not an edge of the invoice states');
END;
-- What was never paid, and by the node's word cannot be any more, may go.
CREATE TRIGGER invoice_kept BEFORE DELETE ON invoice
WHEN OLD.state <> 5
BEGIN
    SELECT RAISE(ABORT, 'paid invoices are never deleted');
END;

-- How far the node's events were taken: where a broken stream goes on.
CREATE TABLE invoice_cursor (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    add_index INTEGER NOT NULL,
    settle_index INTEGER NOT NULL
) STRICT;
INSERT INTO invoice_cursor (one, add_index, settle_index) VALUES (1, 0, 0);
