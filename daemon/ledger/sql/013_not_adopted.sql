-- SPDX-License-Identifier: Apache-2.0
-- One edge more: a payment that was taken from the chain, and that the chain
-- then took back, is nobody's debt; without a signature nobody here can send it.
ALTER TABLE payment DROP COLUMN was;
ALTER TABLE payment ADD COLUMN was INTEGER CHECK (was = state
    OR (was = 1 AND state BETWEEN 2 AND 5)
    OR (was = 2 AND (state = 1 OR state = 3))
    OR (was = 3 AND (state = 4 OR state = 5 OR state = 7
                     OR (state = 2 AND signature = x'')))
    OR (was = 4 AND (state = 3 OR state = 5 OR state = 7))
    OR (was = 5 AND (state = 3 OR state = 4 OR state = 6)));
