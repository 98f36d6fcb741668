-- 000: which steps ran. Run at every start.

CREATE TABLE IF NOT EXISTS schema_step (
    step INTEGER NOT NULL PRIMARY KEY,
    applied BIGINT NOT NULL
);
