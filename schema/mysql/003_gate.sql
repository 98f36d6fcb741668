-- 003: what the gate asks for beside a session.

-- Names of groups, separated by commas: for "Require userauth-group".
ALTER TABLE account ADD COLUMN IF NOT EXISTS member_of VARCHAR(1000) NOT NULL DEFAULT '';

-- A search among members by display name.
CREATE INDEX IF NOT EXISTS account_display ON account (enabled, hidden, display_key(190), username_key);

-- What sweeping removes.
CREATE INDEX IF NOT EXISTS outbox_created ON outbox (created);
