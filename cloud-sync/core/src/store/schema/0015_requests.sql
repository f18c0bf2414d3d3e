-- Requests of sites, who may still make them, and what was sent ahead of the journal.

ALTER TABLE sites ADD COLUMN revoked_at_ms BIGINT;

-- Numbers of each site's requests that were answered: none is answered twice.
CREATE TABLE request_counts (
    site_id    TEXT NOT NULL,
    channel    TEXT NOT NULL,                          -- events, pictures, directives, keys
    last_count BIGINT NOT NULL,
    before     BIGINT NOT NULL,                        -- bit n: `last_count - 1 - n` was answered too
    PRIMARY KEY (site_id, channel)
);
DROP TABLE directive_requests;

-- Events that came before those that stand before them in the journal. They are on disk and say
-- nothing yet: each moves to `events` and is applied when the journal has arrived there.
CREATE TABLE events_ahead (
    site_id        TEXT NOT NULL,
    sequence       BIGINT NOT NULL,
    hash           TEXT NOT NULL,
    body           TEXT NOT NULL,
    received_at_ms BIGINT NOT NULL,
    PRIMARY KEY (site_id, sequence)
);
