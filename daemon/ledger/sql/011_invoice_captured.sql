-- SPDX-License-Identifier: Apache-2.0
-- The catalogue reads what was sold by Lightning in the order of its sale.
CREATE INDEX invoice_captured ON invoice (captured_ms) WHERE captured_ms > 0;
