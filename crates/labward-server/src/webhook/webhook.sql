-- How far each webhook was told what the ledger holds. A row comes and goes with its [[webhook]] in
-- the configuration, in the unit that records the configuration.

CREATE TABLE webhook (
    -- The webhook's name in the configuration.
    name TEXT PRIMARY KEY,
    -- The first entry that it may not have been told of; all before it was taken, or not meant for it.
    next_idx BIGINT NOT NULL,
    -- When an event was taken last, in microseconds since 1970-01-01T00:00:00Z; NULL: never.
    delivered_us BIGINT,
    -- Since when every attempt failed; NULL: the last one did not.
    failing_since_us BIGINT,
    -- When it was given up; NULL: it is not.
    stopped_us BIGINT,
    -- When its secret was made; NULL: there is none, and nothing is sent.
    secret_us BIGINT,
    -- Until when the secret before signs, too; NULL: there is none.
    former_until_us BIGINT
);
