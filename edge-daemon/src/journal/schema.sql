-- The journal of one site, `<state>/journal.db`. This file is the contract: other programs may read
-- the database (it is in WAL mode, readers disturb nobody), only the core process writes it.
--
-- `event` is the truth and is only ever appended to. Every other table can be worked out from the
-- events alone, except for what the cloud has told us (`journal.acked_through`, `picture.state`);
-- each changes in the same transaction as the event it follows from. They point at events by
-- sequence and copy nothing out of them, so that there is one place to be right or wrong.
--
-- Written with WAL and synchronous=FULL: what was answered as appended survives a power cut.

-- Exactly one row: whose journal this is and how far the cloud has it.
CREATE TABLE journal (
    id            INTEGER PRIMARY KEY CHECK (id = 1),
    -- The site. A journal never changes hands.
    site          TEXT    NOT NULL,
    -- Every event up to this sequence is on the cloud's disk; the outbox is what lies beyond.
    acked_through INTEGER NOT NULL DEFAULT 0
) STRICT;

-- What happened, in order.
CREATE TABLE event (
    -- From 1, without gaps.
    sequence INTEGER PRIMARY KEY,
    -- SHA-256 over the hash of the event before (32 zero bytes before the first) and `body`.
    hash     BLOB    NOT NULL,
    -- The event as JSON, in exactly the bytes that were hashed and that travel to the cloud.
    body     TEXT    NOT NULL
) STRICT;

-- Events that the cloud would not take: their place travels, their body does not.
CREATE TABLE quarantine (
    sequence INTEGER PRIMARY KEY,
    -- What the cloud said.
    reason   TEXT    NOT NULL
) STRICT;

-- Vehicles that are inside.
CREATE TABLE open_session (
    session  TEXT    PRIMARY KEY,
    -- The `session_opened` event: plate, time and lane are in there.
    sequence INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What was paid for the open sessions.
CREATE TABLE payment (
    -- The `paid` event: the amount and the time are in there.
    sequence INTEGER PRIMARY KEY,
    session  TEXT    NOT NULL
) STRICT;
CREATE INDEX payment_by_session ON payment (session);

-- Commands that were about to be sent and of which no outcome is known.
CREATE TABLE open_intent (
    command  TEXT    PRIMARY KEY,
    -- The `command_intent` event.
    sequence INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Decisions to open that no vehicle has passed on yet: the newest eight of each lane.
CREATE TABLE open_decision (
    decision TEXT    PRIMARY KEY,
    lane     TEXT    NOT NULL,
    -- The `decision` event.
    sequence INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Pictures that decisions name, kept as `<state>/pictures/<first 2 digits>/<sha256>.jpg`.
CREATE TABLE picture (
    -- SHA-256 of the file in hex.
    sha256   TEXT    PRIMARY KEY,
    -- The first decision that names it: when it was taken is in there.
    sequence INTEGER NOT NULL,
    -- Size of the file; none where there was no file when the decision was journaled.
    bytes    INTEGER,
    -- kept, uploaded, refused (the cloud will not have it), lost (not found when it was due) or
    -- removed (by the retention, uploaded or not).
    state    TEXT    NOT NULL DEFAULT 'kept'
) STRICT, WITHOUT ROWID;
CREATE INDEX picture_to_upload ON picture (sequence) WHERE state = 'kept';
