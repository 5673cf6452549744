-- SPDX-License-Identifier: Apache-2.0
-- The catalogue: a file of its own beside the ledger.  Nothing in it is money;
-- losing it loses listings, which come back with their next payments.

CREATE TABLE meta (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    -- the last payment of the ledger that was looked at
    cursor INTEGER NOT NULL
) STRICT;
INSERT INTO meta (one, cursor) VALUES (1, -1);

CREATE TABLE listing (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    url TEXT NOT NULL,
    -- 1 read at the URL itself, 2 said by a payment only
    origin INTEGER NOT NULL CHECK (origin BETWEEN 1 AND 2),
    payees TEXT NOT NULL, -- each with a space before and after it
    payee TEXT NOT NULL,
    name TEXT NOT NULL,
    tags TEXT NOT NULL,
    description TEXT NOT NULL,
    price_micro INTEGER NOT NULL,
    item TEXT NOT NULL,
    added_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    checked_ms INTEGER NOT NULL,
    -- the last payment or registration: what expiry counts from
    alive_ms INTEGER NOT NULL,
    called_ms INTEGER NOT NULL DEFAULT 0,
    calls INTEGER NOT NULL DEFAULT 0,
    payers INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX listing_url ON listing (url);
CREATE INDEX listing_alive ON listing (alive_ms);
CREATE INDEX listing_added ON listing (added_ms);
CREATE INDEX listing_payee ON listing (payee);

CREATE VIRTUAL TABLE words USING fts5 (
    name, tags, description, url, terms,
    tokenize = "unicode61 remove_diacritics 2",
    prefix = "3 4 5 6" -- beginnings that are found without a merge
);

-- Settled payments by day; 30 of them are kept.
CREATE TABLE day (
    listing INTEGER NOT NULL,
    day INTEGER NOT NULL,
    calls INTEGER NOT NULL,
    PRIMARY KEY (listing, day)
) STRICT, WITHOUT ROWID;
CREATE INDEX day_old ON day (day);
CREATE TABLE payer (
    listing INTEGER NOT NULL,
    payer BLOB NOT NULL,
    day INTEGER NOT NULL, -- of the last payment
    PRIMARY KEY (listing, payer)
) STRICT, WITHOUT ROWID;
CREATE INDEX payer_old ON payer (day);

-- Payments of the ledger that are not settled yet.
CREATE TABLE pending (payment INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL) STRICT;
-- Payments that came to /settle: what they were for.
CREATE TABLE expected (
    payer BLOB NOT NULL,
    nonce BLOB NOT NULL,
    key TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (payer, nonce)
) STRICT, WITHOUT ROWID;
CREATE INDEX expected_old ON expected (at_ms);
