-- People: who they are, what stands for them, what they have, and their vehicles. An account holds
-- at every site.

CREATE TABLE users (
    id              BIGINT NOT NULL PRIMARY KEY,
    username        TEXT NOT NULL UNIQUE,
    password_hash   TEXT NOT NULL,                     -- PHC string, argon2id; empty once removed
    role            TEXT NOT NULL,                     -- admin, operator, visitor
    phone           TEXT UNIQUE,
    email           TEXT,
    avatar          TEXT,                              -- URL of a picture
    balance_fen     BIGINT NOT NULL DEFAULT 0 CHECK (balance_fen >= 0),
    tokens_from_s   BIGINT NOT NULL DEFAULT 0,         -- JWTs made before, in seconds UTC, are void
    created_at_ms   BIGINT NOT NULL,
    removed_at_ms   BIGINT
);

-- Keys of `Authorization: Token`.
CREATE TABLE tokens (
    hash          TEXT NOT NULL PRIMARY KEY,           -- SHA-256 of the key, hex
    user_id       BIGINT NOT NULL REFERENCES users (id),
    origin        TEXT NOT NULL,                       -- login, issued
    created_at_ms BIGINT NOT NULL
);
CREATE INDEX tokens_by_user ON tokens (user_id, origin, created_at_ms);

-- Keys that sign JWTs; the newest signs, the others are accepted until they are void.
CREATE TABLE signing_keys (
    id            BIGINT NOT NULL PRIMARY KEY,
    secret        TEXT NOT NULL,                       -- 256 random bits, hex
    created_at_ms BIGINT NOT NULL,
    void_at_ms    BIGINT
);

-- Logins that were ended: all JWTs that came of one.
CREATE TABLE ended_logins (
    login_id   TEXT NOT NULL PRIMARY KEY,
    void_at_ms BIGINT NOT NULL                         -- from then on no JWT of it is valid anyhow
);
CREATE INDEX ended_logins_by_time ON ended_logins (void_at_ms);

-- Failed attempts to log in, within a window.
CREATE TABLE login_failures (
    subject       TEXT NOT NULL PRIMARY KEY,           -- an account, an address, or both
    failures      BIGINT NOT NULL,
    started_at_ms BIGINT NOT NULL
);
CREATE INDEX login_failures_by_time ON login_failures (started_at_ms);

-- Every change of a balance; their sum is the balance.
CREATE TABLE balance_entries (
    user_id     BIGINT NOT NULL REFERENCES users (id),
    id          BIGINT NOT NULL,                       -- 1, 2, 3, … for each account
    amount_fen  BIGINT NOT NULL,                       -- negative where it was spent
    balance_fen BIGINT NOT NULL,                       -- afterwards
    reason      TEXT NOT NULL,
    actor_id    BIGINT,                                -- the admin of a top-up
    at_ms       BIGINT NOT NULL,
    PRIMARY KEY (user_id, id)
);

CREATE TABLE parking_preferences (
    user_id         BIGINT NOT NULL PRIMARY KEY REFERENCES users (id),
    license_plate   TEXT,                              -- as typed
    plate_key       TEXT,                              -- normal form
    preferred_area  TEXT,
    auto_assign     BIGINT NOT NULL DEFAULT 0,
    member_since_ms BIGINT                             -- none: no member
);
CREATE INDEX parking_preferences_by_plate ON parking_preferences (plate_key);

-- One row for each plate that was typed or that entered.
CREATE TABLE vehicles (
    id            BIGINT NOT NULL PRIMARY KEY,
    plate         TEXT NOT NULL,                       -- as typed or read
    plate_key     TEXT NOT NULL,                       -- normal form
    car_type      TEXT,
    owner_id      BIGINT REFERENCES users (id),        -- none: nobody has claimed it
    created_at_ms BIGINT NOT NULL,
    removed_at_ms BIGINT
);
CREATE UNIQUE INDEX vehicles_by_plate ON vehicles (plate_key) WHERE removed_at_ms IS NULL;
CREATE INDEX vehicles_by_owner ON vehicles (owner_id);
