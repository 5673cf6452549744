-- SPDX-License-Identifier: Apache-2.0
-- Made anew where it is missing: a catalogue of before goes on.

-- Routes of ours that are registered elsewhere, and when again.
CREATE TABLE IF NOT EXISTS announced (
    url TEXT PRIMARY KEY,
    method TEXT NOT NULL,
    due_ms INTEGER NOT NULL,
    tries INTEGER NOT NULL -- that failed in a row
) STRICT;

-- The last Lightning payment that was looked at.
CREATE TABLE IF NOT EXISTS invoice_cursor (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    captured_ms INTEGER NOT NULL,
    invoice INTEGER NOT NULL
) STRICT;
