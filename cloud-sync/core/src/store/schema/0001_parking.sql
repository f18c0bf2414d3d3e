-- Sites, their journals, and what they say about plates and parking.
--
-- Conventions, for SQLite and PostgreSQL alike: times are milliseconds UTC (`_ms`), money is fen
-- (`_fen`), truth is 0 or 1. A table that grows has `site_id` first in its key. The numbers that
-- people see (`id`) come from `counters`, one row for each kind.

CREATE TABLE counters (
    name TEXT NOT NULL PRIMARY KEY,
    last BIGINT NOT NULL
);

CREATE TABLE sites (
    site_id         TEXT NOT NULL PRIMARY KEY,
    name            TEXT NOT NULL,
    public_key      TEXT,                              -- Ed25519, hex; none before enrolment
    created_at_ms   BIGINT NOT NULL,
    enrolled_at_ms  BIGINT,
    acked_through   BIGINT NOT NULL DEFAULT 0,         -- last sequence that is here
    chain_hash      TEXT NOT NULL,                     -- its hash
    last_seen_at_ms BIGINT,
    backlog         BIGINT,                            -- events still at the site, as it last said
    version         TEXT                               -- program that runs there
);

CREATE TABLE enrolment_codes (
    selector      TEXT NOT NULL PRIMARY KEY,           -- first part of the code, in clear
    site_id       TEXT NOT NULL REFERENCES sites (site_id),
    secret_hash   TEXT NOT NULL,                       -- SHA-256 of the second part, hex
    expires_at_ms BIGINT NOT NULL,
    tries         BIGINT NOT NULL DEFAULT 0,           -- wrong secrets so far
    used_by       TEXT                                 -- public key that it enrolled
);

CREATE TABLE areas (
    site_id       TEXT NOT NULL REFERENCES sites (site_id),
    id            BIGINT NOT NULL UNIQUE,
    name          TEXT NOT NULL,
    total_spots   BIGINT NOT NULL DEFAULT 0,
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (site_id, id)
);

-- The journals as they came, for checking overlaps and for reading unknown kinds later.
CREATE TABLE events (
    site_id        TEXT NOT NULL,
    sequence       BIGINT NOT NULL,
    hash           TEXT NOT NULL,
    kind           TEXT NOT NULL,                      -- `set_aside` where the site quarantined it
    body           TEXT NOT NULL,                      -- exact bytes; the reason where set aside
    received_at_ms BIGINT NOT NULL,
    PRIMARY KEY (site_id, sequence)
);

-- Pictures that an event named; they arrive afterwards, or never.
CREATE TABLE pictures (
    site_id        TEXT NOT NULL,
    sha256         TEXT NOT NULL,
    received_at_ms BIGINT,
    PRIMARY KEY (site_id, sha256)
);

-- One look at one picture: what the anpr face calls a session.
CREATE TABLE recognitions (
    site_id         TEXT NOT NULL,
    id              BIGINT NOT NULL UNIQUE,
    filename        TEXT NOT NULL,
    taken_at_ms     BIGINT NOT NULL,
    processing_ms   DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (site_id, id)
);

-- One plate in one look: an anpr plate and an hz detection record.
CREATE TABLE plate_reads (
    site_id        TEXT NOT NULL,
    id             BIGINT NOT NULL UNIQUE,
    recognition_id BIGINT NOT NULL,
    decision_id    TEXT NOT NULL,
    lane           TEXT NOT NULL,
    movement       TEXT NOT NULL,                      -- entered, left, seen
    plate          TEXT NOT NULL,                      -- empty where it could not be read
    plate_key      TEXT NOT NULL,                      -- normal form, for searching
    kind           TEXT NOT NULL,
    confidence     DOUBLE PRECISION NOT NULL,
    alternatives   TEXT,
    x_min          BIGINT NOT NULL,
    y_min          BIGINT NOT NULL,
    x_max          BIGINT NOT NULL,
    y_max          BIGINT NOT NULL,
    picture        TEXT,                               -- SHA-256, hex
    read_at_ms     BIGINT NOT NULL,
    processed_by   TEXT NOT NULL,                      -- local, manual, claude
    is_verified    BIGINT NOT NULL DEFAULT 0,
    is_deleted     BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (site_id, id)
);
CREATE INDEX plate_reads_by_recognition ON plate_reads (recognition_id);
CREATE INDEX plate_reads_by_time ON plate_reads (read_at_ms);

CREATE TABLE parking_sessions (
    site_id        TEXT NOT NULL,
    session_id     TEXT NOT NULL,                      -- UUID that the site gave it
    id             BIGINT NOT NULL UNIQUE,
    area_id        BIGINT,
    plate          TEXT NOT NULL,                      -- empty where it was let in unread
    kind           TEXT NOT NULL,
    entered_at_ms  BIGINT NOT NULL,
    entry_lane     TEXT NOT NULL,
    entry_decision TEXT NOT NULL,
    tariff         TEXT,                               -- JSON, as it stood at the entry
    exited_at_ms   BIGINT,
    exit_lane      TEXT,
    exit_decision  TEXT,
    fee_fen        BIGINT,
    PRIMARY KEY (site_id, session_id)
);
CREATE INDEX parking_sessions_inside ON parking_sessions (site_id, area_id) WHERE exited_at_ms IS NULL;
CREATE INDEX parking_sessions_by_entry ON parking_sessions (entered_at_ms);
CREATE INDEX parking_sessions_by_exit ON parking_sessions (exited_at_ms);

CREATE TABLE payments (
    site_id    TEXT NOT NULL,
    sequence   BIGINT NOT NULL,                        -- of the event that told of it
    session_id TEXT NOT NULL,
    amount_fen BIGINT NOT NULL,
    method     TEXT NOT NULL,
    taken_by   TEXT NOT NULL,
    paid_at_ms BIGINT NOT NULL,
    PRIMARY KEY (site_id, sequence)
);
CREATE INDEX payments_by_time ON payments (paid_at_ms);

CREATE TABLE alerts (
    site_id        TEXT NOT NULL,
    id             BIGINT NOT NULL UNIQUE,
    alert_type     TEXT NOT NULL,                      -- gate_fault, device_offline
    subject        TEXT NOT NULL,                      -- the lane, controller or camera
    message        TEXT NOT NULL,
    priority       TEXT NOT NULL,                      -- low, medium, high, critical
    created_at_ms  BIGINT NOT NULL,
    resolved_at_ms BIGINT,
    PRIMARY KEY (site_id, id)
);
CREATE UNIQUE INDEX alerts_active ON alerts (site_id, alert_type, subject) WHERE resolved_at_ms IS NULL;

CREATE TABLE system_logs (
    site_id    TEXT NOT NULL,                          -- empty for what happened in the cloud
    id         BIGINT NOT NULL UNIQUE,
    at_ms      BIGINT NOT NULL,
    level      TEXT NOT NULL,                          -- INFO, WARNING, ERROR
    module     TEXT NOT NULL,
    message    TEXT NOT NULL,
    user_id    BIGINT,
    ip_address TEXT,
    PRIMARY KEY (site_id, id)
);
