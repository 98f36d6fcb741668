-- 002: the whole account: profile, members, links that change it, API tokens.

ALTER TABLE account ADD COLUMN IF NOT EXISTS display_key VARCHAR(1200) NOT NULL DEFAULT '';

ALTER TABLE account ADD COLUMN IF NOT EXISTS hidden INTEGER NOT NULL DEFAULT 0;

ALTER TABLE account ADD COLUMN IF NOT EXISTS show_email INTEGER NOT NULL DEFAULT 0;

-- 1: no password opens this account until a new one is set by mail.
ALTER TABLE account ADD COLUMN IF NOT EXISTS password_off INTEGER NOT NULL DEFAULT 0;

ALTER TABLE account ADD COLUMN IF NOT EXISTS closed BIGINT NOT NULL DEFAULT 0;

CREATE INDEX IF NOT EXISTS account_members ON account (enabled, hidden, username_key);

CREATE INDEX IF NOT EXISTS account_closed ON account (closed);

-- What the operator asks for beside name and address.
CREATE TABLE IF NOT EXISTS profile_field (
    account_id VARCHAR(64) NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    name VARCHAR(190) NOT NULL,
    value VARCHAR(1024) NOT NULL,
    PRIMARY KEY (account_id, name)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

-- Passwords that were replaced: they undo a change of address for some days.
CREATE TABLE IF NOT EXISTS old_password (
    id VARCHAR(64) NOT NULL PRIMARY KEY,
    account_id VARCHAR(64) NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    password_hash VARCHAR(255) NOT NULL,
    ended BIGINT NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE INDEX IF NOT EXISTS old_password_account ON old_password (account_id, ended);

CREATE INDEX IF NOT EXISTS old_password_ended ON old_password (ended);

-- Addresses that an account left: nobody else gets them before `until`.
CREATE TABLE IF NOT EXISTS held_email (
    digest VARCHAR(64) NOT NULL PRIMARY KEY,
    account_id VARCHAR(64) NOT NULL,
    until BIGINT NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE INDEX IF NOT EXISTS held_email_until ON held_email (until);

-- Of the session's refresh tokens: the next one's end without use, and the end in any case; 0: none.
ALTER TABLE session ADD COLUMN IF NOT EXISTS refresh_until BIGINT NOT NULL DEFAULT 0;

ALTER TABLE session ADD COLUMN IF NOT EXISTS refresh_expires BIGINT NOT NULL DEFAULT 0;

CREATE TABLE IF NOT EXISTS refresh (
    digest VARCHAR(64) NOT NULL PRIMARY KEY,
    session_id VARCHAR(64) NOT NULL REFERENCES session (id) ON DELETE CASCADE,
    created BIGINT NOT NULL,
    used BIGINT NOT NULL,
    successor VARCHAR(64) NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE INDEX IF NOT EXISTS refresh_session ON refresh (session_id);

-- One JSON object: what the template of the mail needs beside name and links.
ALTER TABLE outbox ADD COLUMN IF NOT EXISTS detail VARCHAR(4000) NOT NULL DEFAULT '';
