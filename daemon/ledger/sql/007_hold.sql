-- SPDX-License-Identifier: Apache-2.0
-- Hold invoices: the payer is charged when the upstream has succeeded.  What is
-- decided stands here before the node is told, and until it has done so.
-- 0 not held; 1 undecided; 2 to be settled, 3 to be cancelled; 4 settled,
-- 5 cancelled; 6 delivered, and the node had given the money back before
ALTER TABLE invoice ADD COLUMN hold INTEGER NOT NULL DEFAULT 0
    CHECK (hold BETWEEN 0 AND 6);
ALTER TABLE invoice ADD COLUMN preimage BLOB CHECK (length(preimage) = 32);
CREATE INDEX invoice_decided ON invoice (id) WHERE hold IN (2, 3);

DROP TRIGGER invoice_edge;
CREATE TRIGGER invoice_edge BEFORE UPDATE OF state ON invoice
WHEN NOT (OLD.state = NEW.state
    OR (OLD.state = 1 AND (NEW.state = 2 OR NEW.state = 5))
    OR (OLD.state = 2 AND NEW.state = 3)
    OR (OLD.state = 3 AND (NEW.state = 2 OR NEW.state = 4))
    OR (OLD.state = 3 AND NEW.state = 5 AND NEW.hold = 3)
    OR (OLD.state = 4 AND NEW.state = 2)
    OR (OLD.state = 5 AND NEW.state = 2))
BEGIN
    SELECT RAISE(ABORT, 'not an edge of the invoice states');
END;
-- A decision is never taken back, only carried out.
CREATE TRIGGER invoice_hold_edge BEFORE UPDATE OF hold ON invoice
WHEN NOT (OLD.hold = NEW.hold
    OR (OLD.hold = 1 AND NEW.hold BETWEEN 2 AND 5)
    OR (OLD.hold = 2 AND (NEW.hold = 4 OR NEW.hold = 6))
    OR (OLD.hold = 3 AND (NEW.hold = 4 OR NEW.hold = 5)))
BEGIN
    SELECT RAISE(ABORT, 'not an edge of a held invoice');
END;
