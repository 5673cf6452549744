-- SPDX-License-Identifier: Apache-2.0
-- What the settlements of an API key were counted as, by day (UTC, days since
-- 1970): a restart must not give the day's budget again.
CREATE TABLE key_gas (
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 32),
    day INTEGER NOT NULL CHECK (day >= 0),
    gwei INTEGER NOT NULL CHECK (gwei >= 0),
    PRIMARY KEY (name, day)
) STRICT, WITHOUT ROWID;
