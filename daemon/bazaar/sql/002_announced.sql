-- SPDX-License-Identifier: Apache-2.0
-- Routes of ours that are registered elsewhere, and when again.  Made anew where
-- it is missing: a catalogue of before goes on.
CREATE TABLE IF NOT EXISTS announced (
    url TEXT PRIMARY KEY,
    method TEXT NOT NULL,
    due_ms INTEGER NOT NULL,
    tries INTEGER NOT NULL -- that failed in a row
) STRICT;
