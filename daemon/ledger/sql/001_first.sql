-- SPDX-License-Identifier: Apache-2.0
-- The first shape of the ledger.  Numbers of states, runs, modes and origins
-- are those of ledger.h; amounts are 32 bytes, big-endian, so that comparing
-- bytes compares amounts.  Times named _ms are milliseconds since 1970,
-- valid_after and valid_before seconds, as they were signed.

-- The fencing token: every daemon that opens the ledger raises it, and every
-- transaction checks that it is still its own.
CREATE TABLE meta (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    epoch INTEGER NOT NULL
) STRICT;
INSERT INTO meta (one, epoch) VALUES (1, 0);

CREATE TABLE payment (
    id INTEGER PRIMARY KEY,
    -- 1 RESERVED, 2 RELEASED, 3 CAPTURED, 4 SUBMITTED, 5 MINED, 6 FINAL, 7 FAILED
    state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 7),
    -- 0 none, 1 open, 2 delivered, 3 redeemable
    run INTEGER NOT NULL CHECK (run BETWEEN 0 AND 3),
    -- 1 settle after, 2 settle before
    mode INTEGER NOT NULL CHECK (mode BETWEEN 1 AND 2),
    -- 1 gateway, 2 facilitator
    origin INTEGER NOT NULL CHECK (origin BETWEEN 1 AND 2),
    wire INTEGER NOT NULL CHECK (wire BETWEEN 1 AND 4),
    chain_id INTEGER NOT NULL,
    contract BLOB NOT NULL CHECK (length(contract) = 20),
    payer BLOB NOT NULL CHECK (length(payer) = 20),
    nonce BLOB NOT NULL CHECK (length(nonce) = 32),
    payee BLOB NOT NULL CHECK (length(payee) = 20),
    value BLOB NOT NULL CHECK (length(value) = 32),
    valid_after INTEGER NOT NULL CHECK (valid_after >= 0),
    valid_before INTEGER NOT NULL CHECK (valid_before >= 0),
    -- empty once the payment is FINAL or FAILED, and while it is RELEASED:
    -- what we may not or need not send, we do not keep
    signature BLOB NOT NULL CHECK (length(signature) <= 2048),
    fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),
    resource TEXT NOT NULL CHECK (length(resource) <= 2047),
    alone INTEGER NOT NULL CHECK (alone BETWEEN 0 AND 1),
    -- the newest run: who holds it, did a byte leave, was it captured.  The
    -- first half of rid is this row's id, so that it needs no index: a random
    -- one would cost a page of its own in every commit.
    rid BLOB CHECK (length(rid) = 16),
    worker BLOB CHECK (length(worker) = 16),
    started INTEGER NOT NULL DEFAULT 0 CHECK (started BETWEEN 0 AND 1),
    taken INTEGER NOT NULL DEFAULT 0 CHECK (taken BETWEEN 0 AND 1),
    releases INTEGER NOT NULL DEFAULT 0 CHECK (releases BETWEEN 0 AND 3),
    runs INTEGER NOT NULL DEFAULT 0 CHECK (runs BETWEEN 0 AND 2),
    charged_ms INTEGER NOT NULL DEFAULT 0,
    batch INTEGER,
    tx BLOB CHECK (length(tx) = 32),
    block_number INTEGER,
    block_hash BLOB CHECK (length(block_hash) = 32),
    reason INTEGER NOT NULL DEFAULT 0,
    epoch INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    CHECK (run <> 1 OR (rid IS NOT NULL AND worker IS NOT NULL)),
    CHECK (state <> 1 OR run = 1),
    CHECK (state NOT BETWEEN 4 AND 6 OR tx IS NOT NULL),
    CHECK (state NOT BETWEEN 5 AND 6
           OR (block_number IS NOT NULL AND block_hash IS NOT NULL))
) STRICT;

-- One authorization, one row: the chain's own rule for the nonce.
CREATE UNIQUE INDEX payment_key ON payment (payer, nonce, contract, chain_id);
CREATE INDEX payment_open ON payment (worker) WHERE run = 1;
CREATE INDEX payment_due ON payment (chain_id, valid_before, charged_ms)
    WHERE state = 3 OR (state = 1 AND mode = 2);
CREATE INDEX payment_submitted ON payment (batch, id) WHERE state = 4;
CREATE INDEX payment_mined ON payment (tx, id) WHERE state = 5;

-- The edges, once more, where no program can miss them.
CREATE TRIGGER payment_edge BEFORE UPDATE OF state ON payment
WHEN NOT (OLD.state = NEW.state
    OR (OLD.state = 1 AND NEW.state BETWEEN 2 AND 5)
    OR (OLD.state = 2 AND (NEW.state = 1 OR NEW.state = 3))
    OR (OLD.state = 3 AND (NEW.state = 4 OR NEW.state = 5 OR NEW.state = 7))
    OR (OLD.state = 4 AND (NEW.state = 3 OR NEW.state = 5 OR NEW.state = 7))
    OR (OLD.state = 5 AND (NEW.state = 3 OR NEW.state = 4 OR NEW.state = 6)))
BEGIN
    SELECT RAISE(ABORT, 'not an edge of the payment states');
END;
CREATE TRIGGER payment_kept BEFORE DELETE ON payment
BEGIN
    SELECT RAISE(ABORT, 'payments are never deleted');
END;

-- What a payer owes.  open_all: RESERVED, CAPTURED and SUBMITTED; open_after:
-- those of them that are settled after the response.
CREATE TABLE payer (
    chain_id INTEGER NOT NULL,
    asset BLOB NOT NULL,
    payer BLOB NOT NULL,
    open_all BLOB NOT NULL CHECK (length(open_all) = 32),
    open_after BLOB NOT NULL CHECK (length(open_after) = 32),
    lost BLOB NOT NULL CHECK (length(lost) = 32),
    settle_first INTEGER NOT NULL CHECK (settle_first BETWEEN 0 AND 1),
    -- the bucket of releases: the time at which it is full again
    full_ms INTEGER NOT NULL,
    PRIMARY KEY (payer, asset, chain_id)
) STRICT, WITHOUT ROWID;

-- The same over all payers.
CREATE TABLE total (
    chain_id INTEGER NOT NULL,
    asset BLOB NOT NULL,
    open_after BLOB NOT NULL CHECK (length(open_after) = 32),
    PRIMARY KEY (asset, chain_id)
) STRICT, WITHOUT ROWID;

-- MINED amounts by block: above the block of a balance they still count as
-- exposure, above the confirmation depth as credit.  n rows, gone at zero.
CREATE TABLE mined (
    chain_id INTEGER NOT NULL,
    asset BLOB NOT NULL,
    payer BLOB NOT NULL,
    block_number INTEGER NOT NULL,
    n INTEGER NOT NULL CHECK (n >= 0),
    mined_all BLOB NOT NULL CHECK (length(mined_all) = 32),
    mined_after BLOB NOT NULL CHECK (length(mined_after) = 32),
    PRIMARY KEY (payer, asset, chain_id, block_number)
) STRICT, WITHOUT ROWID;

CREATE TABLE mined_total (
    chain_id INTEGER NOT NULL,
    asset BLOB NOT NULL,
    block_number INTEGER NOT NULL,
    n INTEGER NOT NULL CHECK (n >= 0),
    mined_after BLOB NOT NULL CHECK (length(mined_after) = 32),
    PRIMARY KEY (asset, chain_id, block_number)
) STRICT, WITHOUT ROWID;

-- Responses that were delivered and can never be paid.
CREATE TABLE loss (
    payment INTEGER PRIMARY KEY REFERENCES payment (id),
    chain_id INTEGER NOT NULL,
    asset BLOB NOT NULL,
    value BLOB NOT NULL CHECK (length(value) = 32),
    at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX loss_recent ON loss (asset, chain_id, at_ms);

-- One account nonce of one signer, and the transactions signed with it.
CREATE TABLE batch (
    id INTEGER PRIMARY KEY,
    chain_id INTEGER NOT NULL,
    signer BLOB NOT NULL CHECK (length(signer) = 20),
    account_nonce INTEGER NOT NULL CHECK (account_nonce >= 0),
    closed INTEGER NOT NULL CHECK (closed BETWEEN 0 AND 1),
    epoch INTEGER NOT NULL,
    created_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX batch_open ON batch (chain_id) WHERE closed = 0;

CREATE TABLE tx (
    id INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    batch INTEGER NOT NULL REFERENCES batch (id),
    max_fee BLOB NOT NULL CHECK (length(max_fee) = 32),
    max_priority_fee BLOB NOT NULL CHECK (length(max_priority_fee) = 32),
    gas_limit INTEGER NOT NULL CHECK (gas_limit >= 0),
    raw BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    created_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX tx_batch ON tx (batch);
