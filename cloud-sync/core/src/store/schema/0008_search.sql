-- Finding plates by parts of them, and counting them without reading them all.

-- Every ending of every plate that was read: what stands anywhere in a plate begins one of its
-- endings, and so "contains" is a range of an index, on both engines alike and for texts of any
-- length (an n-gram index wants three characters). There is one set of endings for each plate, not
-- for each time that it was read; endings of a plate that was corrected stay and find nothing.
-- For the newest reads with a text that very many plates contain, the newest reads are looked
-- through instead: they have it soon.
CREATE TABLE plate_endings (
    ending    TEXT COLLATE "binary" NOT NULL,          -- of the normal form, by the bytes of UTF-8
    plate_key TEXT NOT NULL,
    PRIMARY KEY (ending, plate_key)
);

-- All plates that are not deleted; one row.
CREATE TABLE plate_totals (
    id                BIGINT NOT NULL PRIMARY KEY,     -- 1
    plates            BIGINT NOT NULL,
    verified          BIGINT NOT NULL,
    unread            BIGINT NOT NULL,
    confidence_micros BIGINT NOT NULL,                 -- sum over those that were read, in 1/1,000,000
    recognitions      BIGINT NOT NULL
);
INSERT INTO plate_totals VALUES (1, 0, 0, 0, 0, 0);

-- `is_deleted` stands in those that answer alone, without the row.
CREATE INDEX plate_reads_visible ON plate_reads (id, is_deleted) WHERE is_deleted = 0;
CREATE INDEX plate_reads_by_plate ON plate_reads (plate_key, id, is_deleted) WHERE is_deleted = 0;
CREATE INDEX plate_reads_by_day ON plate_reads (read_at_ms, id, is_deleted) WHERE is_deleted = 0;
CREATE INDEX plate_reads_by_verification ON plate_reads (is_verified, id) WHERE is_deleted = 0;
CREATE INDEX plate_reads_by_movement ON plate_reads (movement, id) WHERE is_deleted = 0;
CREATE INDEX plate_reads_by_kind ON plate_reads (kind, id) WHERE is_deleted = 0;
CREATE INDEX plate_reads_by_confidence ON plate_reads (confidence, id, is_deleted) WHERE is_deleted = 0;
CREATE INDEX plate_reads_by_vehicle ON plate_reads ((COALESCE(vehicle_type,
    CASE WHEN kind = 'blue' OR kind = 'green' THEN 'car' ELSE 'unknown' END)), id)
    WHERE is_deleted = 0;

-- Other lists by what they are filtered by, and accounts that count no more.
CREATE INDEX alerts_by_type ON alerts (alert_type, id);
CREATE INDEX alerts_by_priority ON alerts (priority, id);
CREATE INDEX locker_orders_by_station ON locker_orders (station, id);
CREATE INDEX locker_orders_by_status ON locker_orders (status, id);
CREATE INDEX users_removed ON users (id) WHERE removed_at_ms IS NOT NULL;
