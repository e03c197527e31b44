-- Format 2 of messages.db: the expiry of sessions goes on over a restart.

-- Seconds that brokers have run on this file, all runs together: a wall clock may jump.
ALTER TABLE meta ADD COLUMN uptime_s INTEGER NOT NULL DEFAULT 0;

-- uptime_s when the session's client left; NULL: it was connected.
ALTER TABLE sessions ADD COLUMN away_since_s INTEGER;
