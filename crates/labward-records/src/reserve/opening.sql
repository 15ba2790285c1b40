-- Emergency access: who opened it, until when, and what a second person found. Why it was opened and
-- what the second person noted stand sealed in the entries. Times are microseconds since
-- 1970-01-01T00:00:00Z. A row is never deleted.
CREATE TABLE opening (
    -- The index of the entry that records the opening; its number.
    number BIGINT PRIMARY KEY,
    site BIGINT NOT NULL,
    -- Who opened it.
    person BIGINT NOT NULL,
    opened_us BIGINT NOT NULL,
    -- When it ends by itself.
    until_us BIGINT NOT NULL,
    -- When the person ended it; NULL: it ends by itself.
    ended_us BIGINT,
    -- What the second person found: 1 appropriate, 2 not appropriate; NULL: not reviewed yet.
    verdict BIGINT,
    -- Who reviewed it, when, and the entry that records it; NULL: not reviewed yet.
    reviewer BIGINT,
    reviewed_us BIGINT,
    review_entry BIGINT
);
CREATE INDEX opening_person ON opening (person, opened_us);

-- What was read while it was open.
CREATE TABLE opening_reading (
    opening BIGINT NOT NULL,
    -- The entry that records the reading.
    entry BIGINT NOT NULL,
    site BIGINT NOT NULL,
    PRIMARY KEY (opening, entry)
);
