-- What is known of backups and restores: one row each, changed with its entry. Times are
-- microseconds since 1970-01-01T00:00:00Z.

-- The newest run of each kind that succeeded.
CREATE TABLE backup_run (
    site BIGINT NOT NULL,
    -- created, verified or drilled.
    kind TEXT NOT NULL,
    -- When it ended.
    time_us BIGINT NOT NULL,
    -- The generation that it wrote or read.
    generation BIGINT NOT NULL,
    -- The folder, as the server sees it.
    folder TEXT NOT NULL,
    -- 1: the folder lay on the data's own file system; 0: on another; NULL: it could not be seen.
    beside_data BIGINT,
    -- The entry that records it.
    entry BIGINT NOT NULL,
    PRIMARY KEY (site, kind)
);

-- Restores of this installation; delivery waits until the newest is confirmed.
CREATE TABLE restore (
    site BIGINT NOT NULL,
    -- The epoch of the ledger that it opened.
    epoch BIGINT NOT NULL,
    -- When.
    time_us BIGINT NOT NULL,
    -- The entry of a person's confirmation; NULL: delivery waits for it.
    confirmed BIGINT,
    PRIMARY KEY (site, epoch)
);
