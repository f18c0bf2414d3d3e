-- Commands are good for some seconds.
ALTER TABLE directives ADD COLUMN expires_at_ms BIGINT;  -- none for what holds whenever it arrives
