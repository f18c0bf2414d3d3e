-- Lockers: their controllers, cabinets and orders; and payments through providers outside.

-- A controller that calls by itself.
CREATE TABLE devices (
    device_id         TEXT NOT NULL PRIMARY KEY,
    station           TEXT NOT NULL,
    name              TEXT,                            -- for people
    location          TEXT,
    key_hash          TEXT NOT NULL UNIQUE,            -- SHA-256 of the API key, hex
    is_active         BIGINT NOT NULL DEFAULT 1,       -- 0: its key opens nothing
    battery_level     BIGINT,                          -- percent, as it last said
    battery_low_at_ms BIGINT,                          -- since when it is below the limit
    last_seen_at_ms   BIGINT,                          -- last heartbeat or report
    created_at_ms     BIGINT NOT NULL
);
CREATE INDEX devices_by_station ON devices (station);

-- What controllers told and were told. `site_id` is the site of the station; empty for none.
CREATE TABLE device_logs (
    site_id       TEXT NOT NULL,
    id            BIGINT NOT NULL UNIQUE,
    device_id     TEXT NOT NULL,
    log_type      TEXT NOT NULL,                       -- status, heartbeat, command, warning
    message       TEXT NOT NULL,
    data          TEXT,                                -- JSON
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (site_id, id)
);
CREATE INDEX device_logs_by_device ON device_logs (device_id, id);
CREATE INDEX device_logs_by_time ON device_logs (created_at_ms);

CREATE TABLE cabinets (
    id                   BIGINT NOT NULL PRIMARY KEY,
    cabinet_id           TEXT NOT NULL UNIQUE,         -- as it is written on the door
    size                 TEXT NOT NULL,                -- small, medium, large
    location             TEXT NOT NULL,
    station              TEXT NOT NULL,
    price_fen            BIGINT NOT NULL,              -- for an hour
    state                TEXT NOT NULL,                -- available, in_use (blocked by hand), maintenance
    maintenance_at_ms    BIGINT,                       -- since when, where it is in maintenance
    device_id            TEXT REFERENCES devices (device_id),
    door                 TEXT NOT NULL DEFAULT 'closed', -- closed, opening (a command was fetched), open
    code_locked_until_ms BIGINT NOT NULL DEFAULT 0,    -- after too many wrong codes
    created_at_ms        BIGINT NOT NULL
);
CREATE INDEX cabinets_by_station ON cabinets (station);

-- Wrong codes of the last minutes.
CREATE TABLE wrong_codes (
    cabinet BIGINT NOT NULL REFERENCES cabinets (id),
    at_ms   BIGINT NOT NULL
);
CREATE INDEX wrong_codes_by_cabinet ON wrong_codes (cabinet, at_ms);

-- `site_id` is the site of the station; empty for none.
CREATE TABLE locker_orders (
    site_id          TEXT NOT NULL,
    id               BIGINT NOT NULL UNIQUE,
    order_no         TEXT NOT NULL UNIQUE,
    user_id          BIGINT NOT NULL REFERENCES users (id),
    cabinet          BIGINT NOT NULL REFERENCES cabinets (id),
    station          TEXT NOT NULL,                    -- as it was when ordered
    status           TEXT NOT NULL,                    -- pending, paid, in_use, completed, cancelled
    hours_hundredths BIGINT NOT NULL,
    price_fen        BIGINT NOT NULL,                  -- for an hour, as it was when ordered
    total_fen        BIGINT NOT NULL,                  -- rent, extensions and overtime
    method           TEXT,                             -- balance, wechat, alipay
    code_salt        TEXT NOT NULL,                    -- with a key that is not in the orders: the code
    created_at_ms    BIGINT NOT NULL,
    hold_until_ms    BIGINT NOT NULL,                  -- until then it must be paid
    paid_at_ms       BIGINT,
    started_at_ms    BIGINT,                           -- first opening
    ends_at_ms       BIGINT,                           -- paid until then
    finishing_at_ms  BIGINT,                           -- asked to be completed when the door closes
    ended_at_ms      BIGINT,
    PRIMARY KEY (site_id, id)
);
-- A cabinet is held by one order at a time, whatever happens.
CREATE UNIQUE INDEX locker_orders_holding ON locker_orders (cabinet)
    WHERE status IN ('pending', 'paid', 'in_use');
CREATE INDEX locker_orders_unpaid ON locker_orders (hold_until_ms) WHERE status = 'pending';
CREATE INDEX locker_orders_running ON locker_orders (ends_at_ms) WHERE status IN ('paid', 'in_use');
CREATE INDEX locker_orders_by_user ON locker_orders (user_id, id);
CREATE INDEX locker_orders_by_time ON locker_orders (created_at_ms);

-- Extensions that are to be paid at a provider.
CREATE TABLE locker_extensions (
    id               BIGINT NOT NULL PRIMARY KEY,
    order_id         BIGINT NOT NULL REFERENCES locker_orders (id),
    hours_hundredths BIGINT NOT NULL,
    is_done          BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX locker_extensions_by_order ON locker_extensions (order_id);

-- What was taken for orders.
CREATE TABLE locker_payments (
    site_id    TEXT NOT NULL,
    id         BIGINT NOT NULL UNIQUE,
    order_id   BIGINT NOT NULL REFERENCES locker_orders (id),
    purpose    TEXT NOT NULL,                          -- rent, extension, overtime
    method     TEXT NOT NULL,
    amount_fen BIGINT NOT NULL,
    paid_at_ms BIGINT NOT NULL,
    PRIMARY KEY (site_id, id)
);
CREATE INDEX locker_payments_by_order ON locker_payments (order_id);
CREATE INDEX locker_payments_by_time ON locker_payments (paid_at_ms);

-- Doors that are to be opened.
CREATE TABLE open_commands (
    command_id    TEXT NOT NULL PRIMARY KEY,           -- UUID
    device_id     TEXT NOT NULL REFERENCES devices (device_id),
    cabinet       BIGINT NOT NULL REFERENCES cabinets (id),
    order_id      BIGINT NOT NULL REFERENCES locker_orders (id),
    created_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    shown_at_ms   BIGINT,                              -- last fetched
    settled       TEXT                                 -- opened, acknowledged, replaced, withdrawn
);
CREATE UNIQUE INDEX open_commands_waiting ON open_commands (cabinet) WHERE settled IS NULL;
CREATE INDEX open_commands_by_device ON open_commands (device_id) WHERE settled IS NULL;

-- Payments that providers were asked to take.
CREATE TABLE provider_payments (
    out_trade_no  TEXT NOT NULL PRIMARY KEY,
    provider      TEXT NOT NULL,                       -- wechat, alipay
    purpose       TEXT NOT NULL,                       -- what kind of order
    subject       BIGINT NOT NULL,                     -- its number
    payer_id      BIGINT REFERENCES users (id),
    amount_fen    BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    paid_at_ms    BIGINT
);
CREATE INDEX provider_payments_by_subject ON provider_payments (purpose, subject);

-- What they said has come; a transaction counts once.
CREATE TABLE provider_receipts (
    provider       TEXT NOT NULL,
    transaction_id TEXT NOT NULL,
    out_trade_no   TEXT NOT NULL REFERENCES provider_payments (out_trade_no),
    received_at_ms BIGINT NOT NULL,
    PRIMARY KEY (provider, transaction_id)
);

-- What makes pickup codes of the orders' salts: one row.
CREATE TABLE locker_keys (
    id     BIGINT NOT NULL PRIMARY KEY,
    secret TEXT NOT NULL                               -- 256 random bits, hex
);
