-- What waits for a person: messages that were kept but not accepted. No patient data stands here.
CREATE TABLE held_message (
    record       INTEGER PRIMARY KEY,             -- the record that holds the message
    site         INTEGER NOT NULL,
    entry        INTEGER NOT NULL,                -- the entry that recorded why it is held
    reason       TEXT    NOT NULL,                -- a code of the table of problems
    link         TEXT    NOT NULL,                -- the link it came through
    peer         TEXT    NOT NULL,                -- the peer that sent it, by name
    type         TEXT    NOT NULL,                -- ORU^R01, ASTM; empty if it has none
    size_bytes   INTEGER NOT NULL,
    destinations TEXT    NOT NULL,                -- where it goes if released, joined by commas
    since_us     INTEGER NOT NULL,                -- microseconds since 1970, UTC
    state        INTEGER NOT NULL CHECK (state IN (0, 1, 2)), -- held, released, rejected
    decided      INTEGER                          -- the entry of the decision; NULL while held
);
