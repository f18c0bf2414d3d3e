-- Pictures that were removed because they were too old.

ALTER TABLE pictures ADD COLUMN removed_at_ms BIGINT;
CREATE INDEX pictures_by_age ON pictures (received_at_ms) WHERE removed_at_ms IS NULL;
CREATE INDEX pictures_by_name ON pictures (sha256);
