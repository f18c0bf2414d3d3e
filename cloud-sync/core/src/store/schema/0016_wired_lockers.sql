-- Lockers that are wired to the edge of a site and reached through it.

-- Their controllers, and whether the edge says that each answers. One counts where the site has
-- the name of the controller's station.
CREATE TABLE locker_banks (
    device_id TEXT NOT NULL,
    site_id   TEXT NOT NULL,
    online    BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (device_id, site_id)
);

-- The names on their doors, as the site told them. One counts where the site has the name of the
-- cabinet's station.
CREATE TABLE locker_doors (
    cabinet_id TEXT NOT NULL,
    site_id    TEXT NOT NULL,
    device_id  TEXT NOT NULL,
    PRIMARY KEY (cabinet_id, site_id)
);
CREATE INDEX locker_doors_by_device ON locker_doors (device_id, site_id);

-- What a site was told last of a cabinet.
CREATE TABLE locker_told (
    cabinet BIGINT NOT NULL PRIMARY KEY REFERENCES cabinets (id),
    site_id TEXT NOT NULL,
    body    TEXT NOT NULL                              -- JSON, as it travels
);

-- The site that a command was given to; none where its controller fetches it. `settled` may also be
-- at_site (given there), unlocked, or why nothing opened.
ALTER TABLE open_commands ADD COLUMN site_id TEXT;

-- What is wrong with a door: jammed, never_opened, left_open, forced_open, used_after_end.
ALTER TABLE cabinets ADD COLUMN trouble TEXT;
ALTER TABLE cabinets ADD COLUMN trouble_at_ms BIGINT;
CREATE INDEX cabinets_in_trouble ON cabinets (trouble_at_ms) WHERE trouble IS NOT NULL;
