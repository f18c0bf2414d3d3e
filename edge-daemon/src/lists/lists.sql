-- The cloud's list of who may enter this site, `<state>/lists.db`. A database of its own, so that a
-- long list that arrives holds up nothing that the journal has to keep. Nothing here is lost for
-- good: the cloud has it all.

-- At most one row.
CREATE TABLE list (
    id           INTEGER PRIMARY KEY CHECK (id = 1),
    -- The version that the site goes by; all of `entry` is of it.
    version      INTEGER NOT NULL,
    digest       TEXT    NOT NULL,
    entries      INTEGER NOT NULL,
    -- Up to which change parts have arrived; where that is beyond the version, the rest is awaited.
    fetched      INTEGER NOT NULL,
    -- Whether `incoming` replaces all entries, instead of changing them.
    anew         INTEGER NOT NULL,
    -- When the cloud last said that it has no newer one, in milliseconds UTC, within some minutes.
    confirmed_ms INTEGER
) STRICT;
INSERT INTO list VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000', 0, 0, 0, NULL);

-- What the site goes by.
CREATE TABLE entry (
    -- permit, deny
    kind  TEXT NOT NULL,
    -- In normal form.
    plate TEXT NOT NULL,
    -- Exactly as it came.
    line  TEXT NOT NULL,
    PRIMARY KEY (kind, plate)
) STRICT, WITHOUT ROWID;

-- What has arrived of a newer version that is not whole yet.
CREATE TABLE incoming (
    kind  TEXT NOT NULL,
    plate TEXT NOT NULL,
    -- None for an entry that is no more.
    line  TEXT,
    PRIMARY KEY (kind, plate)
) STRICT, WITHOUT ROWID;
