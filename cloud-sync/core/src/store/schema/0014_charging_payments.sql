-- When and how a bill was paid; none while it is owed.

ALTER TABLE charging_bills ADD COLUMN paid_at_ms BIGINT;
ALTER TABLE charging_bills ADD COLUMN method TEXT;
