-- SPDX-License-Identifier: Apache-2.0
-- Permit2.  There `contract` is Permit2's address, which keeps the nonces, so
-- the token stands beside it; NULL: the contract is the token (EIP-3009).
-- 0 EIP-3009, 1 exact by Permit2, 2 upto
ALTER TABLE payment ADD COLUMN method INTEGER NOT NULL DEFAULT 0
    CHECK (method BETWEEN 0 AND 2);
ALTER TABLE payment ADD COLUMN asset BLOB CHECK (length(asset) = 20);
ALTER TABLE payment ADD COLUMN facilitator BLOB
    CHECK (length(facilitator) = 20);
-- upto: what is taken of `value`; NULL: all of it, or not known yet
ALTER TABLE payment ADD COLUMN charge BLOB CHECK (length(charge) = 32);
-- what makes Permit2's allowance: one byte for the kind (1: EIP-2612), data
ALTER TABLE payment ADD COLUMN sponsor BLOB CHECK (length(sponsor) <= 161);

-- What Permit2 may still move for a payer counts against his allowance.
CREATE INDEX payment_permit2 ON payment (payer, asset, chain_id)
    WHERE method > 0 AND state IN (1, 3, 4, 5);
