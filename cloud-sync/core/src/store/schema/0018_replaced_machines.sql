-- A machine may follow another at its site, with a journal of its own.

-- The place in `events` behind which the journal of today's machine stands; 0 for the first machine.
ALTER TABLE sites ADD COLUMN journal_base BIGINT NOT NULL DEFAULT 0;
-- Whether nothing came since a machine enrolled with a fresh code: its journal may begin anew.
ALTER TABLE sites ADD COLUMN is_new BIGINT NOT NULL DEFAULT 0;
