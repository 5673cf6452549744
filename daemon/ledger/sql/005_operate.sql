-- SPDX-License-Identifier: Apache-2.0
-- Up to which block the payments here and the transfers on the chain agree.
CREATE TABLE mark (
    chain_id INTEGER PRIMARY KEY,
    block_number INTEGER NOT NULL CHECK (block_number >= 0)
) STRICT;

-- How often somebody else than the daemon changed the table `payer`: what the
-- daemon remembers of it is old then.
ALTER TABLE meta ADD COLUMN outside INTEGER NOT NULL DEFAULT 0;
