-- 002: the whole account: profile, members, links that change it, API tokens.

ALTER TABLE account ADD COLUMN display_key TEXT COLLATE "C" NOT NULL DEFAULT '';

ALTER TABLE account ADD COLUMN hidden INTEGER NOT NULL DEFAULT 0;

ALTER TABLE account ADD COLUMN show_email INTEGER NOT NULL DEFAULT 0;

-- 1: no password opens this account until a new one is set by mail.
ALTER TABLE account ADD COLUMN password_off INTEGER NOT NULL DEFAULT 0;

ALTER TABLE account ADD COLUMN closed BIGINT NOT NULL DEFAULT 0;

CREATE INDEX account_members ON account (enabled, hidden, username_key);

CREATE INDEX account_closed ON account (closed);

-- What the operator asks for beside name and address.
CREATE TABLE profile_field (
    account_id TEXT COLLATE "C" NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    name TEXT COLLATE "C" NOT NULL,
    value TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (account_id, name)
);

-- Passwords that were replaced: they undo a change of address for some days.
CREATE TABLE old_password (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    account_id TEXT COLLATE "C" NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    password_hash TEXT COLLATE "C" NOT NULL,
    ended BIGINT NOT NULL
);

CREATE INDEX old_password_account ON old_password (account_id, ended);

CREATE INDEX old_password_ended ON old_password (ended);

-- Addresses that an account left: nobody else gets them before `until`.
CREATE TABLE held_email (
    digest TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    account_id TEXT COLLATE "C" NOT NULL,
    until BIGINT NOT NULL
);

CREATE INDEX held_email_until ON held_email (until);

-- Of the session's refresh tokens: the next one's end without use, and the end in any case; 0: none.
ALTER TABLE session ADD COLUMN refresh_until BIGINT NOT NULL DEFAULT 0;

ALTER TABLE session ADD COLUMN refresh_expires BIGINT NOT NULL DEFAULT 0;

CREATE TABLE refresh (
    digest TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    session_id TEXT COLLATE "C" NOT NULL REFERENCES session (id) ON DELETE CASCADE,
    created BIGINT NOT NULL,
    used BIGINT NOT NULL,
    successor TEXT COLLATE "C" NOT NULL
);

CREATE INDEX refresh_session ON refresh (session_id);

-- One JSON object: what the template of the mail needs beside name and links.
ALTER TABLE outbox ADD COLUMN detail TEXT COLLATE "C" NOT NULL DEFAULT '';
