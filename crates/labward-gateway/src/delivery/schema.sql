-- How far each destination has come. No patient data stands here.
CREATE TABLE delivery_cursor (
    site        INTEGER NOT NULL,
    destination TEXT    NOT NULL,                 -- its name in the configuration
    next_entry  INTEGER NOT NULL,                 -- every entry before it is done or an exception
    stopped     TEXT,                             -- why nothing goes out until a person says so
    PRIMARY KEY (site, destination)
);
-- What could not be delivered in turn: it waits, is tried again, or waits for a person.
CREATE TABLE delivery_exception (
    site        INTEGER NOT NULL,
    destination TEXT    NOT NULL,
    entry       INTEGER NOT NULL,                 -- its place in the order: the entry that sent it
    record      INTEGER NOT NULL,
    state       INTEGER NOT NULL CHECK (state IN (0, 1, 2, 3)), -- waiting, retrying, held, dead
    attempts    INTEGER NOT NULL,                 -- how often it was sent
    answers     INTEGER NOT NULL,                 -- how often the receiver answered with a refusal
    next_us     INTEGER NOT NULL,                 -- not before; microseconds since 1970, UTC
    since_us    INTEGER NOT NULL,                 -- the first failure, or when it began to wait
    reason      TEXT    NOT NULL,                 -- a code of the table of problems; empty if none
    ordering    BLOB    NOT NULL,                 -- what it stays in order with, 8 bytes each
    PRIMARY KEY (site, destination, entry)
);
