-- SPDX-License-Identifier: Apache-2.0
-- Native coin given to a payer who has not the gas for the approval that he
-- signed: in the ledger, with the transfer's batch, before the transfer is
-- broadcast.  One for a payment; of a payer's newest it is asked whether it led
-- to a payment.
CREATE TABLE gift (
    payment INTEGER PRIMARY KEY REFERENCES payment (id),
    batch INTEGER NOT NULL UNIQUE REFERENCES batch (id),
    chain_id INTEGER NOT NULL,
    payer BLOB NOT NULL CHECK (length(payer) = 20),
    account_nonce INTEGER NOT NULL, -- of the payer's approval
    gwei INTEGER NOT NULL CHECK (gwei > 0),
    at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX gift_payer ON gift (payer, chain_id, at_ms);
CREATE INDEX gift_day ON gift (chain_id, at_ms, gwei);
