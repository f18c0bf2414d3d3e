-- The seventh format of the journal: which cars have stayed at a charger is noted also where their
-- charge ended under an earlier format, as the rows `ended/<charger>` of `open_charge`.
INSERT OR REPLACE INTO open_charge (part, session, sequence)
SELECT 'ended/' || charger, session, sequence
FROM (
    -- Of the last end at each charger: SQLite takes the columns of the row that has the maximum.
    SELECT json_extract(body, '$.fact.charger') AS charger,
           json_extract(body, '$.fact.session') AS session,
           json_extract(body, '$.fact.cause') AS cause,
           MAX(sequence) AS sequence
    FROM event
    WHERE CASE WHEN instr(body, '"type":"charge_ended"') THEN json_valid(body) END
    GROUP BY charger
)
WHERE cause <> 'unplugged';
