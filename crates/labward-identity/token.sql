-- Tokens with which programs act at the API. A document: the statement itself runs as a migration.
-- No row holds a token, only what tells the right one from every other.

CREATE TABLE token (
    site         INTEGER NOT NULL,              -- the site that the person belongs to
    number       INTEGER NOT NULL PRIMARY KEY,  -- the entry that records it; never given out again
    person       INTEGER NOT NULL,              -- in whose name it acts
    token_sha256 BLOB    NOT NULL UNIQUE CHECK (length(token_sha256) = 32), -- of the labelled token
    name         TEXT    NOT NULL,              -- what it is for
    scopes       TEXT    NOT NULL,              -- the permissions it was made for, joined by commas
    created      BIGINT  NOT NULL,              -- microseconds since 1970, UTC
    ends_at      BIGINT  NOT NULL,              -- from then on it is worth nothing
    last_used    BIGINT                         -- at most a minute behind; NULL: never
);
CREATE INDEX token_person ON token (person);
