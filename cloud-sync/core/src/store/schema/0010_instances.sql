-- Several instances on one database, and sites that write beside each other.

-- Tokens that callers have left, where several instances count their calls. Rows of a full bucket
-- are dropped.
CREATE TABLE rate_buckets (
    bucket       TEXT NOT NULL PRIMARY KEY,            -- who calls what
    tokens       BIGINT NOT NULL,                      -- thousandths of a call
    filled_at_ms BIGINT NOT NULL
);
CREATE INDEX rate_buckets_by_time ON rate_buckets (filled_at_ms);

-- What all instances must have in common outside of the database.
CREATE TABLE shared_places (
    name TEXT NOT NULL PRIMARY KEY,                    -- pictures
    mark TEXT NOT NULL                                 -- in the file that the place carries
);

-- One row for each site, so that none waits for another to count.
ALTER TABLE plate_totals RENAME TO plate_totals_of_all;
CREATE TABLE plate_totals (
    site_id           TEXT NOT NULL PRIMARY KEY,
    plates            BIGINT NOT NULL,                 -- that are not deleted
    verified          BIGINT NOT NULL,
    unread            BIGINT NOT NULL,
    confidence_micros BIGINT NOT NULL,                 -- sum over those that were read, in 1/1,000,000
    recognitions      BIGINT NOT NULL
);
INSERT INTO plate_totals
    SELECT looks.site_id, COALESCE(n, 0), COALESCE(verified, 0), COALESCE(unread, 0),
           COALESCE(micros, 0), recognitions
    FROM (SELECT site_id, COUNT(*) AS recognitions FROM recognitions GROUP BY site_id) looks
    LEFT JOIN (
        SELECT site_id, COUNT(*) AS n, SUM(is_verified) AS verified,
               SUM(CASE WHEN plate = '' THEN 1 ELSE 0 END) AS unread,
               SUM(CASE WHEN plate = '' THEN 0
                        ELSE CAST(ROUND(confidence * 1000000.0) AS BIGINT) END) AS micros
        FROM plate_reads WHERE is_deleted = 0 GROUP BY site_id
    ) reads ON reads.site_id = looks.site_id;
DROP TABLE plate_totals_of_all;

-- The endings of a plate at each site that has read it, for the same reason.
ALTER TABLE plate_endings RENAME TO plate_endings_of_all;
CREATE TABLE plate_endings (
    ending    TEXT COLLATE "binary" NOT NULL,          -- of the normal form, by the bytes of UTF-8
    plate_key TEXT NOT NULL,
    site_id   TEXT NOT NULL,
    PRIMARY KEY (ending, plate_key, site_id)
);
INSERT INTO plate_endings
    SELECT e.ending, e.plate_key, r.site_id FROM plate_endings_of_all e
    JOIN (SELECT DISTINCT site_id, plate_key FROM plate_reads) r ON r.plate_key = e.plate_key;
DROP TABLE plate_endings_of_all;
