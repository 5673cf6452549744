-- SPDX-License-Identifier: Apache-2.0
-- The sums of open and mined rows are kept in memory, made from the rows when
-- the ledger opens: of a payer there stays what no payment row says.
DROP TABLE mined;
DROP TABLE mined_total;
DROP TABLE total;
ALTER TABLE payer DROP COLUMN open_all;
ALTER TABLE payer DROP COLUMN open_after;
DELETE FROM payer WHERE lost = zeroblob(32) AND settle_first = 0 AND full_ms = 0;
