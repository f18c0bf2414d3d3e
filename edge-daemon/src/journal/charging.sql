-- The third format of the journal: charges that have begun and not ended.

-- The events of each that a start needs: its assignment, its start, its last reading, and that the
-- cloud asked to end it.
CREATE TABLE open_charge (
    -- `<session>/assigned`, `…/started`, `…/metered` or `…/stop`. And `ended/<charger>`: the last
    -- charge at a charger, where its end has left the car plugged in.
    part     TEXT    PRIMARY KEY,
    session  TEXT    NOT NULL,
    sequence INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX open_charge_by_session ON open_charge (session);
