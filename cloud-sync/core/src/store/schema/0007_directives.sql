-- What the cloud tells its sites. Numbered for each site from 1 without gaps (counter
-- `directive/<site>`), in the order in which the transactions that told it were committed.
CREATE TABLE directives (
    site_id       TEXT NOT NULL,
    sequence      BIGINT NOT NULL,
    kind          TEXT NOT NULL,                       -- paid
    body          TEXT NOT NULL,                       -- JSON, exactly as it travels
    created_at_ms BIGINT NOT NULL,
    event         BIGINT,                              -- of the site, which says what became of it
    PRIMARY KEY (site_id, sequence)
);

-- The number of each site's last request for directives: none is answered twice.
CREATE TABLE directive_requests (
    site_id    TEXT NOT NULL PRIMARY KEY,
    last_count BIGINT NOT NULL
);
