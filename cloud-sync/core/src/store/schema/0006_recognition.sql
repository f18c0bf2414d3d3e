-- Recognition of pictures that people send, beside those that sites read themselves.

-- The picture with boxes and plates drawn on it, SHA-256 in hex.
ALTER TABLE recognitions ADD COLUMN drawn TEXT;

-- The plate alone, cut out of its picture: SHA-256 in hex.
ALTER TABLE plate_reads ADD COLUMN crop TEXT;
-- The spot that it was seen at, where that is known.
ALTER TABLE plate_reads ADD COLUMN spot_id BIGINT;
-- What a person said the vehicle is (car, truck, suv, motorcycle, bus, mpv); none where only the
-- plate's colour may tell.
ALTER TABLE plate_reads ADD COLUMN vehicle_type TEXT;
CREATE INDEX plate_reads_by_spot ON plate_reads (spot_id) WHERE spot_id IS NOT NULL;
CREATE INDEX plate_reads_by_decision ON plate_reads (site_id, decision_id);

-- What the detector takes for a plate; one row, none before anybody has changed it.
CREATE TABLE model_settings (
    id                   BIGINT NOT NULL PRIMARY KEY,  -- 1
    confidence_threshold DOUBLE PRECISION NOT NULL,
    iou_threshold        DOUBLE PRECISION NOT NULL,
    max_detections       BIGINT NOT NULL,
    tracking             BIGINT NOT NULL,
    tracking_threshold   DOUBLE PRECISION NOT NULL,
    updated_at_ms        BIGINT NOT NULL
);

-- How often the second reader was asked on each day (UTC), so that its budget outlives a restart.
CREATE TABLE second_readings (
    day   TEXT NOT NULL PRIMARY KEY,                   -- YYYY-MM-DD
    asked BIGINT NOT NULL
);
