-- A service after a year: {plates} plates of 250,000 vehicles, and {rows} of everything else that
-- grows. Numbers follow from the row's own, so that every run finds the same.

DELETE FROM system_logs;
DELETE FROM device_logs;
DELETE FROM alerts;

CREATE TEMPORARY TABLE n AS
WITH RECURSIVE counting(i) AS (
    SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM counting WHERE i < {plates}
)
SELECT i, i * 7919 % 250000 AS k FROM counting;

CREATE TEMPORARY TABLE known_plates AS
SELECT i - 1 AS k,
       substr('京沪粤浙苏鲁川豫鄂湘', CAST(1 + (i / 25000) % 10 AS INTEGER), 1)
           || substr('ABCDEFGHJK', CAST(1 + (i / 2500) % 10 AS INTEGER), 1)
           || substr(CAST(100000 + i * 7 % 100000 AS TEXT), 2) AS plate
FROM n WHERE i <= 250000;
CREATE UNIQUE INDEX known_plates_by_k ON known_plates (k);

INSERT INTO recognitions (site_id, id, filename, taken_at_ms, processing_ms)
SELECT 'north', i, 'car.jpg', {now_ms} - ({plates} - i) * 30000, 15.0 FROM n;

INSERT INTO plate_reads (site_id, id, recognition_id, decision_id, lane, movement, plate, plate_key,
                         kind, confidence, x_min, y_min, x_max, y_max, read_at_ms, processed_by,
                         is_verified, is_deleted)
SELECT 'north', i, i, 'd' || CAST(i AS TEXT), 'entry',
       CASE i % 3 WHEN 0 THEN 'entered' WHEN 1 THEN 'left' ELSE 'seen' END,
       p.plate, p.plate,
       CASE WHEN n.k % 50 = 0 THEN 'yellow' WHEN n.k % 1000 = 1 THEN 'white' ELSE 'blue' END,
       0.5 + i % 500 / 1000.0, 10, 20, 110, 50, {now_ms} - ({plates} - i) * 30000, 'local',
       CASE WHEN i % 97 = 0 THEN 1 ELSE 0 END, CASE WHEN i % 1000 = 0 THEN 1 ELSE 0 END
FROM n JOIN known_plates p ON p.k = n.k;

INSERT INTO plate_endings (ending, plate_key, site_id)
SELECT DISTINCT substr(p.plate, CAST(n.i AS INTEGER)), p.plate, 'north'
FROM (SELECT i FROM n WHERE i <= 7) n CROSS JOIN known_plates p ORDER BY 1, 2;

INSERT INTO plate_totals (site_id, plates, verified, unread, confidence_micros, recognitions)
SELECT 'north', COUNT(*), SUM(is_verified), 0, 750000 * COUNT(*), {plates}
FROM plate_reads WHERE is_deleted = 0;

INSERT INTO users (id, username, password_hash, role, created_at_ms)
SELECT 1000 + i, 'user' || CAST(i AS TEXT), '', 'visitor', {now_ms} - i FROM n WHERE i <= {rows};

INSERT INTO vehicles (id, plate, plate_key, owner_id, created_at_ms)
SELECT k + 1, plate, plate, CASE WHEN k < {rows} THEN 1001 + k END, {now_ms} - k * 1000
FROM known_plates;

INSERT INTO parking_sessions (site_id, session_id, id, origin, area_id, vehicle_id, user_id, plate,
                              plate_key, inside_key, kind, entered_at_ms, entry_lane,
                              entry_decision, exited_at_ms, exit_lane, exit_decision, fee_fen,
                              paid_fen, paid_at_ms)
SELECT 'north', 's' || CAST(i AS TEXT), i, 'edge', 1, k + 1, 1000 + i, plate, plate,
       CASE WHEN i > {rows} - 100 THEN plate END, 'blue', {now_ms} - ({rows} - i) * 300000, 'entry',
       'd' || CAST(i AS TEXT),
       CASE WHEN i <= {rows} - 100 THEN {now_ms} - ({rows} - i) * 300000 + 7200000 END, 'exit',
       'e' || CAST(i AS TEXT), CASE WHEN i <= {rows} - 100 THEN 1250 END,
       CASE WHEN i <= {rows} - 100 AND i % 100 <> 0 THEN 1250 ELSE 0 END,
       CASE WHEN i <= {rows} - 100 THEN {now_ms} - ({rows} - i) * 300000 END
FROM (SELECT n.i, p.k, p.plate FROM n JOIN known_plates p ON p.k = n.i WHERE n.i <= {rows}) t;

INSERT INTO payments (site_id, id, order_number, session, sequence, amount_fen, status, method,
                      user_id, created_at_ms, paid_at_ms)
SELECT 'north', i, 'ORD' || CAST(i AS TEXT), i, i, 1250, 'completed', 'cash', 1000 + i,
       {now_ms} - ({rows} - i) * 300000, {now_ms} - ({rows} - i) * 300000
FROM n WHERE i <= {rows};

INSERT INTO alerts (site_id, id, alert_type, subject, since_ms, message, priority, created_at_ms,
                    resolved_at_ms)
SELECT 'north', i, 'device_offline', 'camera' || CAST(i % 10 AS TEXT), i, 'gone', 'high',
       {now_ms} - ({rows} - i) * 300000, {now_ms} - ({rows} - i) * 300000 + 1000
FROM n WHERE i <= {rows};

INSERT INTO system_logs (site_id, id, at_ms, level, module, message)
SELECT 'north', i, {now_ms} - ({rows} - i) * 300000,
       CASE WHEN i % 1000 = 0 THEN 'ERROR' ELSE 'INFO' END, 'parking', 'a car came'
FROM n WHERE i <= {rows};

INSERT INTO device_logs (site_id, id, device_id, log_type, message, created_at_ms)
SELECT 'north', i, 'ESP32_' || CAST(i % 10 AS TEXT), 'heartbeat', 'alive',
       {now_ms} - ({rows} - i) * 300000
FROM n WHERE i <= {rows};

INSERT INTO cabinets (id, cabinet_id, size, location, station, price_fen, state, created_at_ms)
SELECT i, 'A' || CAST(i AS TEXT), 'small', '1F', '火车站', 500, 'available', {now_ms}
FROM n WHERE i <= 100;

INSERT INTO locker_orders (site_id, id, order_no, user_id, cabinet, station, status,
                           hours_hundredths, price_fen, total_fen, method, code_salt, created_at_ms,
                           hold_until_ms, paid_at_ms, started_at_ms, ends_at_ms, ended_at_ms)
SELECT 'north', i, 'O' || CAST(i AS TEXT), 1000 + i, 1 + i % 100, '火车站', 'completed', 200, 500,
       1000, 'balance', '', t.at, t.at, t.at, t.at, t.at + 7200000, t.at + 7200000
FROM (SELECT i, {now_ms} - ({rows} - i) * 300000 AS at FROM n WHERE i <= {rows}) t;

INSERT INTO locker_payments (site_id, id, order_id, purpose, method, amount_fen, paid_at_ms)
SELECT site_id, id, id, 'rent', 'balance', 1000, created_at_ms FROM locker_orders;

INSERT INTO charging_requests (site_id, id, user_id, mode, number, ticket, precedence, requested_wh,
                               delivered_wh, status, place, created_at_ms, ended_at_ms)
SELECT 'north', 'r' || CAST(i AS TEXT), 1000 + i, 'fast', i, i, 2, 30000, 30000, 'completed', 0,
       {now_ms} - ({rows} - i) * 300000, {now_ms} - ({rows} - i) * 300000 + 3600000
FROM n WHERE i <= {rows};

INSERT INTO charging_sessions (site_id, id, request_id, user_id, pile_id, power_w, tariff,
                               started_at_ms, due_at_ms, ended_at_ms, energy_wh)
SELECT site_id, 's' || id, id, user_id, 'FAST-001', 30000, '{}', created_at_ms, ended_at_ms,
       ended_at_ms, 30000
FROM charging_requests;

INSERT INTO charging_bills (site_id, id, session_id, user_id, pile_id, generated_at_ms,
                            started_at_ms, ended_at_ms, energy_wh, peak_ms, normal_ms, valley_ms,
                            peak_wh, normal_wh, valley_wh, peak_fen, normal_fen, valley_fen,
                            service_fen, total_fen)
SELECT site_id, 'b' || id, id, user_id, pile_id, ended_at_ms, started_at_ms, ended_at_ms, 30000,
       3600000, 0, 0, 30000, 0, 0, 3000, 0, 0, 2400, 5400
FROM charging_sessions;

INSERT INTO charging_notifications (site_id, id, user_id, at_ms, notice)
SELECT site_id, ticket, user_id, ended_at_ms, '{}' FROM charging_requests;

UPDATE counters SET last = 2000000;
INSERT INTO counters (name, last)
SELECT name, 2000000 FROM (
    SELECT 'alert' AS name UNION ALL SELECT 'charging_notification' UNION ALL SELECT 'device_log'
    UNION ALL SELECT 'locker_order' UNION ALL SELECT 'locker_payment'
    UNION ALL SELECT 'parking_session' UNION ALL SELECT 'payment' UNION ALL SELECT 'plate_read'
    UNION ALL SELECT 'recognition' UNION ALL SELECT 'system_log' UNION ALL SELECT 'user'
    UNION ALL SELECT 'vehicle' UNION ALL SELECT 'cabinet'
) t WHERE name NOT IN (SELECT name FROM counters);
