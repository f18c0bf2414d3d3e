-- What stands of the lockers: for each thing the last event that says how it is.
CREATE TABLE locker (
    -- `bank/<controller>` (its doors), `cabinet/<name>` (the order that has it), `opening/<command>`
    -- (of which no outcome is known), `door/<name>` (that stands open), `trouble/<name>`,
    -- `lockout/<controller>/<name>`.
    thing    TEXT    PRIMARY KEY,
    -- The `locker` event: everything is in there.
    sequence INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
