-- Who may enter a site and who may not, as the site is told it (`domain::access`).

-- Each site's list as a whole; none before its first change.
CREATE TABLE access_lists (
    site_id         TEXT NOT NULL PRIMARY KEY,
    version         BIGINT NOT NULL,                   -- number of the last change
    entries         BIGINT NOT NULL,
    digest          TEXT NOT NULL,                     -- hex, over the entries' `line`
    site_version    BIGINT,                            -- that the site last said it goes by
    site_version_ms BIGINT                             -- when it began to
);

-- One entry for each plate and kind, as it stands after its last change.
CREATE TABLE access_entries (
    site_id        TEXT NOT NULL,
    kind           TEXT NOT NULL,                      -- permit, deny
    plate_key      TEXT NOT NULL,                      -- normal form
    plate          TEXT NOT NULL,                      -- as it was typed
    about          TEXT NOT NULL,                      -- whose permit it is, why the plate is denied
    valid_from_ms  BIGINT,
    valid_until_ms BIGINT,
    lanes          TEXT NOT NULL,                      -- of its permit, with a blank between them
    note           TEXT NOT NULL,                      -- for people at the cloud alone
    revoked        BIGINT NOT NULL,
    line           TEXT NOT NULL,                      -- exactly as it travels; empty where it is gone
    version        BIGINT NOT NULL,                    -- number of its last change
    changed_at_ms  BIGINT NOT NULL,
    PRIMARY KEY (site_id, kind, plate_key)
);
CREATE UNIQUE INDEX access_entries_by_version ON access_entries (site_id, version);
CREATE INDEX access_entries_by_plate ON access_entries (plate_key);
CREATE INDEX access_entries_by_end ON access_entries (site_id, valid_until_ms)
    WHERE valid_until_ms IS NOT NULL AND line <> '';

-- Who changed what, and when; never changed itself.
CREATE TABLE access_changes (
    site_id    TEXT NOT NULL,
    version    BIGINT NOT NULL,
    kind       TEXT NOT NULL,
    plate_key  TEXT NOT NULL,
    what       TEXT NOT NULL,                          -- put, revoked, removed, forgotten
    line       TEXT NOT NULL,                          -- the entry afterwards; empty where it is gone
    at_ms      BIGINT NOT NULL,
    user_id    BIGINT,                                 -- none for the command line
    ip_address TEXT,
    PRIMARY KEY (site_id, version)
);
CREATE INDEX access_changes_by_plate ON access_changes (plate_key, at_ms);

-- What people have set of a site (`domain::site`); none where nothing was ever set.
CREATE TABLE site_parameters (
    site_id       TEXT NOT NULL PRIMARY KEY,
    body          TEXT NOT NULL,                       -- JSON, as it travels
    changed_at_ms BIGINT NOT NULL
);
