-- Charging at the chargers that stand at sites: whose pile is whose, what a site was asked, and
-- what its meters said.

-- A pile without a row has no charger; its meter runs by the clock.
CREATE TABLE charging_drivers (
    site_id TEXT NOT NULL,
    pile_id TEXT NOT NULL,
    edge    TEXT NOT NULL,                             -- the site at which the charger stands
    charger TEXT NOT NULL,                             -- its name there
    status  TEXT NOT NULL DEFAULT 'offline',           -- as its site says: normal, fault, offline
    held    BIGINT NOT NULL DEFAULT 0,                 -- whether staff keep it out of service
    PRIMARY KEY (site_id, pile_id)
);
CREATE UNIQUE INDEX charging_drivers_of_edge ON charging_drivers (edge, charger);

ALTER TABLE charging_sessions ADD COLUMN edge TEXT;    -- the site that charges; none for the clock
ALTER TABLE charging_sessions ADD COLUMN began BIGINT NOT NULL DEFAULT 0;
ALTER TABLE charging_sessions ADD COLUMN metered_wh BIGINT NOT NULL DEFAULT 0;
ALTER TABLE charging_sessions ADD COLUMN metered_at_ms BIGINT NOT NULL DEFAULT 0;
ALTER TABLE charging_sessions ADD COLUMN stopping TEXT; -- why the site was asked to end it

-- What a site's meter showed, counted from the start of the session.
CREATE TABLE charging_readings (
    site_id    TEXT NOT NULL,
    session_id TEXT NOT NULL,
    sequence   BIGINT NOT NULL,                        -- of the site's event that told it
    at_ms      BIGINT NOT NULL,
    energy_wh  BIGINT NOT NULL,
    PRIMARY KEY (site_id, session_id, sequence)
);
