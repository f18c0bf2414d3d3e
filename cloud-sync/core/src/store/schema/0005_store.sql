-- What was asked for under an `Idempotency-Key`, and the answer that it got.

CREATE TABLE idempotency_keys (
    owner       TEXT NOT NULL,                         -- who asked, and by which route
    key         TEXT NOT NULL,
    digest      TEXT NOT NULL,                         -- SHA-256 of what was asked, hex
    begun_at_ms BIGINT NOT NULL,
    status      BIGINT,                                -- none before there is an answer
    media_type  TEXT,
    body        TEXT,
    PRIMARY KEY (owner, key)
);
CREATE INDEX idempotency_keys_by_time ON idempotency_keys (begun_at_ms);
