-- Format 1 of messages.db: what the records of the log (broker/records.hpp) say, and nothing else.
-- Append-only: a later change is a new file, never an edit of this one.
-- sid: number of a session, mid: number of a message; neither is used again while a row names it.

-- One row, changed by every batch in the transaction that applies it.
CREATE TABLE meta (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    applied_batch INTEGER NOT NULL,
    sid_high INTEGER NOT NULL,
    mid_high INTEGER NOT NULL
) STRICT;
INSERT INTO meta VALUES (1, 0, 0, 0);

CREATE TABLE sessions (
    sid INTEGER PRIMARY KEY,
    scope TEXT NOT NULL,
    client_id TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    queued_messages INTEGER NOT NULL DEFAULT 0, -- rows of queue
    queued_bytes INTEGER NOT NULL DEFAULT 0, -- and the sum of their bytes
    UNIQUE (scope, client_id)
) STRICT;

-- No foreign key on any sid: rows of a session that has ended are garbage, swept in slices.

CREATE TABLE subscriptions (
    sid INTEGER NOT NULL,
    filter TEXT NOT NULL, -- as the client wrote it
    qos INTEGER NOT NULL,
    PRIMARY KEY (sid, filter)
) STRICT, WITHOUT ROWID;

-- One row for all sessions that shall get the message; refs: rows of queue that still need it.
CREATE TABLE messages (
    mid INTEGER PRIMARY KEY,
    refs INTEGER NOT NULL,
    replay INTEGER NOT NULL, -- 1: a retained message for a new subscription
    topic TEXT NOT NULL,
    payload BLOB NOT NULL
) STRICT;

-- state 0: queued; 1: PUBLISH was sent; 2: PUBREC came, the message is not needed any more.
CREATE TABLE queue (
    sid INTEGER NOT NULL,
    mid INTEGER NOT NULL,
    form INTEGER NOT NULL, -- 0: under its own topic; 1: as $me/...
    qos INTEGER NOT NULL,
    state INTEGER NOT NULL,
    packet_id INTEGER NOT NULL,
    n INTEGER NOT NULL, -- order of sending
    bytes INTEGER NOT NULL, -- what it counts for in the session's quota; 0 in state 2
    PRIMARY KEY (sid, mid, form)
) STRICT, WITHOUT ROWID;

-- Packet Identifiers of QoS 2 that were received and not yet released.
CREATE TABLE inbound (
    sid INTEGER NOT NULL,
    packet_id INTEGER NOT NULL,
    PRIMARY KEY (sid, packet_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE retained (
    topic TEXT PRIMARY KEY,
    rev INTEGER NOT NULL,
    qos INTEGER NOT NULL,
    payload BLOB NOT NULL
) STRICT;

CREATE TABLE wills (
    sid INTEGER PRIMARY KEY,
    topic TEXT NOT NULL,
    payload BLOB NOT NULL,
    qos INTEGER NOT NULL,
    retain INTEGER NOT NULL
) STRICT;
