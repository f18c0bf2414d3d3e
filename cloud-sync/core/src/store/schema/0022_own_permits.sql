-- When the permit of a site's configuration file holds that a stay's plate has there (JSON). Those of
-- the list are in access_entries.
ALTER TABLE parking_sessions ADD COLUMN own_permit TEXT;
