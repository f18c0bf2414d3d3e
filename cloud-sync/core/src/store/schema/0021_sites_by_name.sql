-- A station of lockers is a site by its name: what a door does is looked up so.
CREATE INDEX sites_by_name ON sites (name, site_id);
