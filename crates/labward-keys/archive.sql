-- Key archives: copies of slots and wrapped keys in files elsewhere. A document: the statements
-- themselves run as migrations. No row holds a key.

CREATE TABLE key_archive (
    site    INTEGER NOT NULL,
    id      INTEGER NOT NULL,  -- from 1, never given out again
    folder  TEXT    NOT NULL,  -- where the file was written
    created BIGINT  NOT NULL,  -- microseconds since 1970, UTC
    expires BIGINT  NOT NULL,  -- from then on the next run deletes it
    state   INTEGER NOT NULL,  -- 1: the file may exist; 0: it was deleted, with an entry
    PRIMARY KEY (site, id)
);
