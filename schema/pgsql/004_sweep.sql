-- 004: what sweeping removes is found without a look at each row.

CREATE INDEX session_ended ON session (ended);

CREATE INDEX device_expires ON device (expires);
