-- 004: what sweeping removes is found without a look at each row.

CREATE INDEX IF NOT EXISTS session_ended ON session (ended);

CREATE INDEX IF NOT EXISTS device_expires ON device (expires);
