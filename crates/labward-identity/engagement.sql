-- Engagements of outside experts. A document: the statement itself runs as a migration.
-- An expert of an earlier version has none, and sees nothing until they are given one.

CREATE TABLE engagement (
    site    INTEGER NOT NULL,             -- the site that the person belongs to
    person  INTEGER NOT NULL PRIMARY KEY, -- the expert
    since   BIGINT  NOT NULL,             -- microseconds since 1970, UTC: entries from then on
    until   BIGINT  NOT NULL CHECK (until > since), -- entries before then
    ends_at BIGINT  NOT NULL,             -- from then on there is no access
    topics  TEXT    NOT NULL,             -- what it is about, joined by commas
    ended   INTEGER NOT NULL CHECK (ended IN (0, 1)) -- 1: that it is over was recorded
);
