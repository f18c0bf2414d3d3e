-- Minutes to leave after paying that the site's configuration file says, as it last told; what is set
-- here comes before it.
ALTER TABLE sites ADD COLUMN grace_minutes BIGINT;
