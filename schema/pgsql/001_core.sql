-- 001: accounts, links in mails, sessions, devices, counters, outbox, events.
-- Times are microseconds since 1970 (UTC), 0 for never. Nothing is NULL. Ids are UUIDs.

CREATE TABLE setting (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    value TEXT COLLATE "C" NOT NULL
);

CREATE TABLE account (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    username TEXT COLLATE "C" NOT NULL,
    username_key TEXT COLLATE "C" NOT NULL UNIQUE,
    email TEXT COLLATE "C" NOT NULL,
    email_key TEXT COLLATE "C" NOT NULL UNIQUE,
    display_name TEXT COLLATE "C" NOT NULL,
    enabled INTEGER NOT NULL,
    password_hash TEXT COLLATE "C" NOT NULL,
    password_set BIGINT NOT NULL,
    failures INTEGER NOT NULL,
    device_failures INTEGER NOT NULL,
    corrections INTEGER NOT NULL,
    address TEXT COLLATE "C" NOT NULL,
    created BIGINT NOT NULL,
    verified BIGINT NOT NULL,
    last_sign_in BIGINT NOT NULL,
    previous_sign_in BIGINT NOT NULL
);

CREATE INDEX account_unverified ON account (enabled, created);

CREATE TABLE held_name (
    digest TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    account_id TEXT COLLATE "C" NOT NULL
);

-- A used link stays to say so, also when it removed the account.
CREATE TABLE token (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    account_id TEXT COLLATE "C" NOT NULL,
    site TEXT COLLATE "C" NOT NULL,
    purpose TEXT COLLATE "C" NOT NULL,
    email TEXT COLLATE "C" NOT NULL,
    state INTEGER NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    ended BIGINT NOT NULL
);

CREATE INDEX token_account ON token (account_id, purpose);

CREATE INDEX token_expires ON token (expires);

CREATE TABLE session (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    digest TEXT COLLATE "C" NOT NULL UNIQUE,
    account_id TEXT COLLATE "C" NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    site TEXT COLLATE "C" NOT NULL,
    created BIGINT NOT NULL,
    last_used BIGINT NOT NULL,
    idle BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    auth_time BIGINT NOT NULL,
    amr TEXT COLLATE "C" NOT NULL,
    address TEXT COLLATE "C" NOT NULL,
    agent TEXT COLLATE "C" NOT NULL,
    ended BIGINT NOT NULL
);

CREATE INDEX session_account ON session (account_id, ended, created);

CREATE INDEX session_expires ON session (expires);

CREATE TABLE device (
    digest TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    account_id TEXT COLLATE "C" NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    site TEXT COLLATE "C" NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL
);

CREATE INDEX device_account ON device (account_id);

CREATE TABLE throttle (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    hits INTEGER NOT NULL,
    since BIGINT NOT NULL,
    until BIGINT NOT NULL,
    touched BIGINT NOT NULL
);

CREATE INDEX throttle_touched ON throttle (touched);

CREATE TABLE outbox (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    site TEXT COLLATE "C" NOT NULL,
    account_id TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    email TEXT COLLATE "C" NOT NULL,
    username TEXT COLLATE "C" NOT NULL,
    token_id TEXT COLLATE "C" NOT NULL,
    disown_id TEXT COLLATE "C" NOT NULL,
    state INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    due BIGINT NOT NULL,
    lease TEXT COLLATE "C" NOT NULL,
    lease_until BIGINT NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    sent BIGINT NOT NULL
);

CREATE INDEX outbox_due ON outbox (site, state, due);

CREATE INDEX outbox_account ON outbox (account_id, created);

CREATE TABLE event (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    site TEXT COLLATE "C" NOT NULL,
    account_id TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    happened BIGINT NOT NULL,
    address TEXT COLLATE "C" NOT NULL,
    agent TEXT COLLATE "C" NOT NULL,
    detail TEXT COLLATE "C" NOT NULL
);

CREATE INDEX event_account ON event (account_id, happened);

CREATE INDEX event_happened ON event (happened);
