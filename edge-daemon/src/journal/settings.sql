-- The third format of the journal: what the cloud has set of the site, and plates that it corrected.

-- What the site goes by.
CREATE TABLE setting (
    -- parameters, tariff, or tariff/<number of the area>
    name     TEXT    PRIMARY KEY,
    -- The latest `parameters_set` or `tariff_set` event that says so.
    sequence INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Vehicles that are inside and have another plate than they entered with.
CREATE TABLE renamed (
    session  TEXT    PRIMARY KEY,
    -- The latest `session_renamed` event of it.
    sequence INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
