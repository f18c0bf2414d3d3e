-- The third format of the journal: what was dropped for want of room.

-- Telemetry up to this sequence has no body any more: its place and its hash stay.
ALTER TABLE journal ADD COLUMN thinned_through INTEGER NOT NULL DEFAULT 0;
