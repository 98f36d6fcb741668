-- 001: accounts, links in mails, sessions, devices, counters, outbox, events.
-- Times are microseconds since 1970 (UTC), 0 for never. Nothing is NULL. Ids are UUIDs.

CREATE TABLE IF NOT EXISTS setting (
    name VARCHAR(190) NOT NULL PRIMARY KEY,
    value VARCHAR(1024) NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE IF NOT EXISTS account (
    id VARCHAR(64) NOT NULL PRIMARY KEY,
    username VARCHAR(64) NOT NULL,
    username_key VARCHAR(64) NOT NULL UNIQUE,
    email VARCHAR(254) NOT NULL,
    email_key VARCHAR(254) NOT NULL UNIQUE,
    display_name VARCHAR(256) NOT NULL,
    enabled INTEGER NOT NULL,
    password_hash VARCHAR(255) NOT NULL,
    password_set BIGINT NOT NULL,
    failures INTEGER NOT NULL,
    device_failures INTEGER NOT NULL,
    corrections INTEGER NOT NULL,
    address VARCHAR(64) NOT NULL,
    created BIGINT NOT NULL,
    verified BIGINT NOT NULL,
    last_sign_in BIGINT NOT NULL,
    previous_sign_in BIGINT NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE INDEX IF NOT EXISTS account_unverified ON account (enabled, created);

CREATE TABLE IF NOT EXISTS held_name (
    digest VARCHAR(64) NOT NULL PRIMARY KEY,
    account_id VARCHAR(64) NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

-- A used link stays to say so, also when it removed the account.
CREATE TABLE IF NOT EXISTS token (
    id VARCHAR(64) NOT NULL PRIMARY KEY,
    account_id VARCHAR(64) NOT NULL,
    site VARCHAR(255) NOT NULL,
    purpose VARCHAR(32) NOT NULL,
    email VARCHAR(254) NOT NULL,
    state INTEGER NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    ended BIGINT NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE INDEX IF NOT EXISTS token_account ON token (account_id, purpose);

CREATE INDEX IF NOT EXISTS token_expires ON token (expires);

CREATE TABLE IF NOT EXISTS session (
    id VARCHAR(64) NOT NULL PRIMARY KEY,
    digest VARCHAR(64) NOT NULL UNIQUE,
    account_id VARCHAR(64) NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    site VARCHAR(255) NOT NULL,
    created BIGINT NOT NULL,
    last_used BIGINT NOT NULL,
    idle BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    auth_time BIGINT NOT NULL,
    amr VARCHAR(64) NOT NULL,
    address VARCHAR(64) NOT NULL,
    agent VARCHAR(255) NOT NULL,
    ended BIGINT NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE INDEX IF NOT EXISTS session_account ON session (account_id, ended, created);

CREATE INDEX IF NOT EXISTS session_expires ON session (expires);

CREATE TABLE IF NOT EXISTS device (
    digest VARCHAR(64) NOT NULL PRIMARY KEY,
    account_id VARCHAR(64) NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    site VARCHAR(255) NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE INDEX IF NOT EXISTS device_account ON device (account_id);

CREATE TABLE IF NOT EXISTS throttle (
    name VARCHAR(190) NOT NULL PRIMARY KEY,
    hits INTEGER NOT NULL,
    since BIGINT NOT NULL,
    until BIGINT NOT NULL,
    touched BIGINT NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE INDEX IF NOT EXISTS throttle_touched ON throttle (touched);

CREATE TABLE IF NOT EXISTS outbox (
    id VARCHAR(64) NOT NULL PRIMARY KEY,
    site VARCHAR(255) NOT NULL,
    account_id VARCHAR(64) NOT NULL,
    kind VARCHAR(64) NOT NULL,
    email VARCHAR(254) NOT NULL,
    username VARCHAR(64) NOT NULL,
    token_id VARCHAR(64) NOT NULL,
    disown_id VARCHAR(64) NOT NULL,
    state INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    due BIGINT NOT NULL,
    lease VARCHAR(64) NOT NULL,
    lease_until BIGINT NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    sent BIGINT NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE INDEX IF NOT EXISTS outbox_due ON outbox (site, state, due);

CREATE INDEX IF NOT EXISTS outbox_account ON outbox (account_id, created);

CREATE TABLE IF NOT EXISTS event (
    id VARCHAR(64) NOT NULL PRIMARY KEY,
    site VARCHAR(255) NOT NULL,
    account_id VARCHAR(64) NOT NULL,
    kind VARCHAR(64) NOT NULL,
    happened BIGINT NOT NULL,
    address VARCHAR(64) NOT NULL,
    agent VARCHAR(255) NOT NULL,
    detail VARCHAR(4000) NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE INDEX IF NOT EXISTS event_account ON event (account_id, happened);

CREATE INDEX IF NOT EXISTS event_happened ON event (happened);
