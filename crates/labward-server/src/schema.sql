-- What was found wrong with the installation by itself: one row a finding, changed with its entry.

CREATE TABLE finding (
    -- The site at which it holds.
    site BIGINT NOT NULL,
    -- The finding's stable key, such as plain-line:link chem-1.
    key TEXT NOT NULL,
    -- 1: it holds; 0: it held once.
    state BIGINT NOT NULL,
    -- Since when it is in this state, in microseconds since 1970-01-01T00:00:00Z.
    since_us BIGINT NOT NULL,
    -- What is wrong, in a sentence without patient data.
    detail TEXT NOT NULL,
    PRIMARY KEY (site, key)
);
