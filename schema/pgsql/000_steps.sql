-- 000: which steps ran. Run at every start.

DO $$ BEGIN IF current_setting('server_encoding') <> 'UTF8' THEN RAISE 'the database has to be made with ENCODING UTF8'; END IF; END $$;

CREATE TABLE IF NOT EXISTS schema_step (
    step INTEGER NOT NULL PRIMARY KEY,
    applied BIGINT NOT NULL
);
