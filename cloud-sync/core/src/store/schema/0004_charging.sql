-- Charging: the settings and numbers of a site, its piles, who wants to charge, what was delivered
-- and billed, and what users were told. Energy is watt-hours (`_wh`), power watts (`_w`).

CREATE TABLE charging_stations (
    site_id     TEXT NOT NULL PRIMARY KEY,
    parameters  TEXT NOT NULL,                         -- JSON
    day         TEXT NOT NULL,                         -- that the last numbers are of
    last_fast   BIGINT NOT NULL,
    last_slow   BIGINT NOT NULL,
    last_ticket BIGINT NOT NULL
);

-- What is known of a pile beyond the settings; a pile without a row works and has no history.
CREATE TABLE charging_piles (
    site_id           TEXT NOT NULL,
    pile_id           TEXT NOT NULL,                   -- FAST-001, SLOW-001
    status            TEXT NOT NULL DEFAULT 'normal',  -- normal, fault, offline
    total_sessions    BIGINT NOT NULL DEFAULT 0,
    total_revenue_fen BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (site_id, pile_id)
);

CREATE TABLE charging_requests (
    site_id       TEXT NOT NULL,
    id            TEXT NOT NULL UNIQUE,                -- UUID
    user_id       BIGINT NOT NULL,
    mode          TEXT NOT NULL,                       -- fast, slow
    number        BIGINT NOT NULL,                     -- queue number without its letter
    ticket        BIGINT NOT NULL,                     -- orders requests by when they were numbered
    precedence    BIGINT NOT NULL,                     -- 0 interrupted, 1 handed back, 2 usual
    requested_wh  BIGINT NOT NULL,
    battery_wh    BIGINT,
    delivered_wh  BIGINT NOT NULL,                     -- by earlier piles; by all once it has ended
    status        TEXT NOT NULL,                       -- waiting, charging, completed, cancelled
    pile_id       TEXT,                                -- where it charges or waits
    place         BIGINT NOT NULL,                     -- in the pile's queue, from 1; else 0
    created_at_ms BIGINT NOT NULL,
    ended_at_ms   BIGINT,
    PRIMARY KEY (site_id, id)
);
CREATE INDEX charging_requests_open ON charging_requests (site_id) WHERE ended_at_ms IS NULL;
CREATE UNIQUE INDEX charging_requests_one_each ON charging_requests (user_id) WHERE ended_at_ms IS NULL;

CREATE TABLE charging_sessions (
    site_id       TEXT NOT NULL,
    id            TEXT NOT NULL UNIQUE,                -- UUID
    request_id    TEXT NOT NULL,
    user_id       BIGINT NOT NULL,
    pile_id       TEXT NOT NULL,
    power_w       BIGINT NOT NULL,
    tariff        TEXT NOT NULL,                       -- JSON, as it stood at the start
    started_at_ms BIGINT NOT NULL,
    due_at_ms     BIGINT NOT NULL,                     -- when it ends by itself
    ended_at_ms   BIGINT,
    energy_wh     BIGINT,
    PRIMARY KEY (site_id, id)
);
-- No pile serves two, and nobody charges at two piles.
CREATE UNIQUE INDEX charging_sessions_running ON charging_sessions (site_id, pile_id) WHERE ended_at_ms IS NULL;
CREATE UNIQUE INDEX charging_sessions_of_request ON charging_sessions (request_id) WHERE ended_at_ms IS NULL;

CREATE TABLE charging_bills (
    site_id         TEXT NOT NULL,
    id              TEXT NOT NULL UNIQUE,              -- UUID
    session_id      TEXT NOT NULL UNIQUE,
    user_id         BIGINT NOT NULL,
    pile_id         TEXT NOT NULL,
    generated_at_ms BIGINT NOT NULL,
    started_at_ms   BIGINT NOT NULL,
    ended_at_ms     BIGINT NOT NULL,
    energy_wh       BIGINT NOT NULL,
    peak_ms         BIGINT NOT NULL,
    normal_ms       BIGINT NOT NULL,
    valley_ms       BIGINT NOT NULL,
    peak_wh         BIGINT NOT NULL,
    normal_wh       BIGINT NOT NULL,
    valley_wh       BIGINT NOT NULL,
    peak_fen        BIGINT NOT NULL,
    normal_fen      BIGINT NOT NULL,
    valley_fen      BIGINT NOT NULL,
    service_fen     BIGINT NOT NULL,
    total_fen       BIGINT NOT NULL,
    PRIMARY KEY (site_id, id)
);
CREATE INDEX charging_bills_of_user ON charging_bills (user_id, generated_at_ms);

CREATE TABLE charging_notifications (
    site_id TEXT NOT NULL,
    id      BIGINT NOT NULL UNIQUE,
    user_id BIGINT NOT NULL,
    at_ms   BIGINT NOT NULL,
    notice  TEXT NOT NULL,                             -- JSON: what happened
    is_read BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (site_id, id)
);
CREATE INDEX charging_notifications_of_user ON charging_notifications (user_id, id);
