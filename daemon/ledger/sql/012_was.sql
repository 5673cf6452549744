-- SPDX-License-Identifier: Apache-2.0
-- The edges once more, as a CHECK: a trigger costs as much as the update
-- itself.  Whatever changes `state` says `was = state` beside it, and so leaves
-- in the row which edge it took; a bare change of `state` is measured against
-- the edge before.  NULL: not changed since this column is there.
DROP TRIGGER payment_edge;
ALTER TABLE payment ADD COLUMN was INTEGER CHECK (was = state
    OR (was = 1 AND state BETWEEN 2 AND 5)
    OR (was = 2 AND (state = 1 OR state = 3))
    OR (was = 3 AND (state = 4 OR state = 5 OR state = 7))
    OR (was = 4 AND (state = 3 OR state = 5 OR state = 7))
    OR (was = 5 AND (state = 3 OR state = 4 OR state = 6)));
