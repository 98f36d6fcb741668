-- 003: what the gate asks for beside a session.

-- Names of groups, separated by commas: for "Require userauth-group".
ALTER TABLE account ADD COLUMN member_of TEXT COLLATE "C" NOT NULL DEFAULT '';

-- A search among members by display name.
CREATE INDEX account_display ON account (enabled, hidden, display_key, username_key);

-- What sweeping removes.
CREATE INDEX outbox_created ON outbox (created);
