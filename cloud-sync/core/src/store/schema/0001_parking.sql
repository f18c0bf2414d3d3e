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

-- What every site has: places in areas, and what a stay costs there.
CREATE TABLE areas (
    site_id       TEXT NOT NULL REFERENCES sites (site_id),
    id            BIGINT NOT NULL UNIQUE,
    name          TEXT NOT NULL,
    description   TEXT NOT NULL DEFAULT '',
    total_spots   BIGINT NOT NULL DEFAULT 0,           -- as it was said; spots that are defined may be fewer
    is_active     BIGINT NOT NULL DEFAULT 1,
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (site_id, id)
);

-- A place for one car. A car that stands there is a session; `occupied` without one was said by hand.
CREATE TABLE spots (
    site_id       TEXT NOT NULL,
    id            BIGINT NOT NULL UNIQUE,
    area_id       BIGINT NOT NULL REFERENCES areas (id),
    number        TEXT NOT NULL,
    spot_type     TEXT NOT NULL,                       -- standard, compact, regular, large, …
    status        TEXT NOT NULL DEFAULT 'available',   -- available, occupied, reserved, maintenance
    vehicle_type  TEXT,                                -- of what stands there, as somebody said
    reserved_for  TEXT,                                -- normal form of the plate it is kept for
    is_active     BIGINT NOT NULL DEFAULT 1,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL,
    PRIMARY KEY (site_id, id)
);
CREATE UNIQUE INDEX spots_by_number ON spots (number, area_id) WHERE is_active = 1;
CREATE INDEX spots_by_area ON spots (area_id, number) WHERE is_active = 1;
CREATE INDEX spots_by_status ON spots (status, area_id, number) WHERE is_active = 1;

CREATE TABLE tariffs (
    site_id            TEXT NOT NULL,
    id                 BIGINT NOT NULL UNIQUE,
    area_id            BIGINT,                         -- none for the whole site
    name               TEXT NOT NULL,
    rule               TEXT NOT NULL,                  -- documented, overtime
    free_minutes       BIGINT NOT NULL,
    base_fee_fen       BIGINT NOT NULL,
    base_seconds       BIGINT NOT NULL,
    hourly_rate_fen    BIGINT NOT NULL,
    daily_max_fee_fen  BIGINT,                         -- none for no limit
    for_members        BIGINT NOT NULL DEFAULT 0,
    is_active          BIGINT NOT NULL DEFAULT 1,
    created_at_ms      BIGINT NOT NULL,
    PRIMARY KEY (site_id, id)
);

CREATE TABLE cameras (
    site_id       TEXT NOT NULL,
    id            BIGINT NOT NULL UNIQUE,
    name          TEXT NOT NULL,
    location      TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (site_id, id)
);

CREATE TABLE camera_spots (
    camera_id BIGINT NOT NULL REFERENCES cameras (id) ON DELETE CASCADE,
    spot_id   BIGINT NOT NULL REFERENCES spots (id),
    PRIMARY KEY (camera_id, spot_id)
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

-- One plate in one look: an anpr plate, an hz detection record, a smart OCR log.
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
    camera_id      BIGINT,                             -- of `cameras`, where one of those saw it
    PRIMARY KEY (site_id, id)
);
CREATE INDEX plate_reads_by_camera ON plate_reads (id, camera_id, is_deleted)
    WHERE camera_id IS NOT NULL AND is_deleted = 0;
CREATE INDEX plate_reads_by_recognition ON plate_reads (recognition_id);
CREATE INDEX plate_reads_by_time ON plate_reads (read_at_ms);

-- A stay: told by a site's journal (`edge`), or begun by people and cameras at the cloud (`cloud`).
CREATE TABLE parking_sessions (
    site_id        TEXT NOT NULL,
    session_id     TEXT NOT NULL,                      -- UUID that the site or the cloud gave it
    id             BIGINT NOT NULL UNIQUE,
    origin         TEXT NOT NULL,                      -- edge, cloud
    area_id        BIGINT,
    spot_id        BIGINT,                             -- where it stands or stood
    vehicle_id     BIGINT,                             -- none where it was let in unread
    user_id        BIGINT,                             -- account that it was begun for
    plate          TEXT NOT NULL,                      -- empty where it was let in unread
    plate_key      TEXT NOT NULL,                      -- normal form
    inside_key     TEXT,                               -- the same while inside, so that one plate is inside once
    kind           TEXT NOT NULL,
    vehicle_type   TEXT,                               -- car, truck, suv, motorcycle, bus, mpv
    entered_at_ms  BIGINT NOT NULL,
    entry_lane     TEXT NOT NULL,                      -- empty without a barrier
    entry_decision TEXT NOT NULL,
    tariff_id      BIGINT,                             -- of `tariffs`, where it is from there
    tariff_name    TEXT,
    tariff         TEXT,                               -- JSON, as it stood at the entry
    exited_at_ms   BIGINT,
    exit_lane      TEXT,
    exit_decision  TEXT,
    fee_fen        BIGINT,
    paid_fen       BIGINT NOT NULL DEFAULT 0,          -- taken in all, before refunds
    paid_at_ms     BIGINT,
    PRIMARY KEY (site_id, session_id)
);
CREATE UNIQUE INDEX parking_sessions_one_stay ON parking_sessions (inside_key, site_id)
    WHERE inside_key IS NOT NULL;
CREATE UNIQUE INDEX parking_sessions_one_car ON parking_sessions (spot_id) WHERE exited_at_ms IS NULL;
CREATE INDEX parking_sessions_inside ON parking_sessions (site_id, area_id) WHERE exited_at_ms IS NULL;
CREATE INDEX parking_sessions_long ON parking_sessions (entered_at_ms) WHERE exited_at_ms IS NULL;
CREATE INDEX parking_sessions_unpaid ON parking_sessions (exited_at_ms) WHERE fee_fen > paid_fen;
CREATE INDEX parking_sessions_by_entry ON parking_sessions (entered_at_ms);
CREATE INDEX parking_sessions_by_exit ON parking_sessions (exited_at_ms);
CREATE INDEX parking_sessions_by_vehicle ON parking_sessions (vehicle_id);
CREATE INDEX parking_sessions_by_user ON parking_sessions (user_id);
CREATE INDEX parking_sessions_by_decision ON parking_sessions (site_id, entry_decision);
CREATE INDEX parking_sessions_by_exit_decision ON parking_sessions (site_id, exit_decision);

-- Money for a stay, from the order to its refund: an hz order, a smart payment, a fee that a site took.
CREATE TABLE payments (
    site_id       TEXT NOT NULL,
    id            BIGINT NOT NULL UNIQUE,
    order_number  TEXT NOT NULL UNIQUE,                -- ORD20240101001
    session       BIGINT,                              -- `id` of parking_sessions; none where the site named another
    sequence      BIGINT,                              -- of the event that told of it
    amount_fen    BIGINT NOT NULL,
    status        TEXT NOT NULL,                       -- pending, completed, failed, refunded
    method        TEXT,                                -- cash, card, online, wechat, alipay, balance
    taken_by      TEXT,                                -- who took it, as the site said
    user_id       BIGINT,                              -- account that ordered it
    payer_id      BIGINT,                              -- account whose balance paid it
    created_at_ms BIGINT NOT NULL,
    paid_at_ms    BIGINT,
    refunded_fen  BIGINT NOT NULL DEFAULT 0,
    is_deleted    BIGINT NOT NULL DEFAULT 0,           -- taken back by an operator: it never was
    PRIMARY KEY (site_id, id)
);
CREATE UNIQUE INDEX payments_by_event ON payments (site_id, sequence);
CREATE UNIQUE INDEX payments_open ON payments (session) WHERE status = 'pending' AND is_deleted = 0;
CREATE INDEX payments_by_session ON payments (session);
CREATE INDEX payments_by_user ON payments (user_id);
CREATE INDEX payments_by_time ON payments (paid_at_ms);
CREATE INDEX payments_by_creation ON payments (created_at_ms);
CREATE INDEX payments_by_status ON payments (status, id);

CREATE TABLE refunds (
    site_id        TEXT NOT NULL,
    id             BIGINT NOT NULL UNIQUE,
    payment_id     BIGINT NOT NULL REFERENCES payments (id),
    amount_fen     BIGINT NOT NULL,
    reason         TEXT NOT NULL,
    refunded_at_ms BIGINT NOT NULL,
    PRIMARY KEY (site_id, id)
);
CREATE INDEX refunds_by_payment ON refunds (payment_id);
CREATE INDEX refunds_by_time ON refunds (refunded_at_ms);

CREATE TABLE alerts (
    site_id        TEXT NOT NULL,
    id             BIGINT NOT NULL UNIQUE,
    alert_type     TEXT NOT NULL,                      -- overtime_parking, device_offline, …
    subject        TEXT NOT NULL,                      -- the lane, controller, session, … it is about
    since_ms       BIGINT NOT NULL,                    -- since when it is so: once resolved, it rises no more
    message        TEXT NOT NULL,
    priority       TEXT NOT NULL,                      -- low, medium, high, critical
    spot_id        BIGINT,
    plate          TEXT,
    created_at_ms  BIGINT NOT NULL,
    resolved_at_ms BIGINT,
    PRIMARY KEY (site_id, id)
);
CREATE UNIQUE INDEX alerts_active ON alerts (alert_type, subject, site_id) WHERE resolved_at_ms IS NULL;
CREATE UNIQUE INDEX alerts_once ON alerts (site_id, alert_type, subject, since_ms);
CREATE INDEX alerts_by_time ON alerts (created_at_ms);

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
CREATE INDEX system_logs_by_time ON system_logs (at_ms);
CREATE INDEX system_logs_by_level ON system_logs (level, id);
CREATE INDEX system_logs_by_module ON system_logs (module, id);
