-- The second format of the journal: how far the site has carried out what the cloud told it.

-- At most one row.
CREATE TABLE directive (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    -- Every directive up to this number was carried out, or passed over for a reason.
    through  INTEGER NOT NULL,
    -- The `paid`, `directive_done` or `directive_skipped` event that says so of the last one.
    sequence INTEGER NOT NULL
) STRICT;
