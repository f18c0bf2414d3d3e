-- A station with a past: 100 cabinets, 2,000 orders of five drivers, 10,000 plates.

CREATE TEMPORARY TABLE n AS
WITH RECURSIVE counting(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM counting WHERE i < 10000)
SELECT i FROM counting;

INSERT INTO users (id, username, password_hash, role, phone, created_at_ms)
SELECT 10 + i, 'driver' || i, '', 'visitor', '1390000000' || i, unixepoch() * 1000
FROM n WHERE i <= 4;

INSERT INTO cabinets (id, cabinet_id, size, location, station, price_fen, state, device_id,
                      created_at_ms)
SELECT i, 'A' || substr(1000 + i, 2), CASE i % 3 WHEN 0 THEN 'small' WHEN 1 THEN 'medium' ELSE 'large' END,
       '站厅东侧 ' || i, '火车站', 200 + 100 * (i % 3),
       CASE WHEN i % 20 = 0 THEN 'maintenance' ELSE 'available' END, 'controller-' || (i % 16),
       unixepoch() * 1000
FROM n WHERE i <= 100;

-- One in a hundred is the driver's who asks; the last ones still run, but for hers.
CREATE TEMPORARY TABLE o AS
SELECT i, (unixepoch() - (2000 - i) * 600) * 1000 AS at_ms,
       CASE WHEN i % 500 = 0 THEN 'cancelled'
            WHEN i > 1970 AND i % 100 <> 0 THEN 'paid'
            ELSE 'completed' END AS status
FROM n WHERE i <= 2000;

INSERT INTO locker_orders (site_id, id, order_no, user_id, cabinet, station, status,
                           hours_hundredths, price_fen, total_fen, method, code_salt, created_at_ms,
                           hold_until_ms, paid_at_ms, started_at_ms, ends_at_ms, ended_at_ms)
SELECT '', i, 'O' || (20260000000000000 + i),
       CASE WHEN i % 100 = 0 THEN (SELECT id FROM users WHERE username = 'driver')
            ELSE 11 + i % 4 END,
       1 + i % 100, '火车站', status, 200, 300, 600,
       CASE WHEN status <> 'cancelled' THEN 'balance' END, 'salt', at_ms, at_ms + 900000,
       CASE WHEN status <> 'cancelled' THEN at_ms + 20000 END,
       CASE WHEN status = 'completed' THEN at_ms + 60000 END,
       CASE status WHEN 'completed' THEN at_ms + 7220000 WHEN 'paid' THEN at_ms + 864000000 END,
       CASE WHEN status = 'completed' THEN at_ms + 7000000 END
FROM o;

INSERT INTO recognitions (site_id, id, filename, taken_at_ms, processing_ms)
SELECT 'north', i, 'car.jpg', (unixepoch() - (10000 - i) * 30) * 1000, 15.0 FROM n;

INSERT INTO pictures (site_id, sha256, received_at_ms)
SELECT 'north', printf('%064x', i), unixepoch() * 1000 FROM n;

INSERT INTO plate_reads (site_id, id, recognition_id, decision_id, lane, movement, plate, plate_key,
                         kind, confidence, x_min, y_min, x_max, y_max, picture, read_at_ms,
                         processed_by, is_verified)
SELECT 'north', i, i, 'd' || i, 'entry', 'entered', '京A' || substr(100000 + i, 2),
       '京A' || substr(100000 + i, 2), 'blue', 0.5 + i % 500 / 1000.0, 100, 200, 300, 250,
       printf('%064x', i), (unixepoch() - (10000 - i) * 30) * 1000, 'local', i % 10 = 0
FROM n;
