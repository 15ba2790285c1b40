-- What the server knows of each edge. No patient data stands here.
CREATE TABLE edge (
    peer        INTEGER PRIMARY KEY,  -- the peer that the edge is
    site        BIGINT  NOT NULL,
    queue       BLOB    NOT NULL CHECK (length(queue) = 16), -- the number of its queue
    ledger_key  TEXT    NOT NULL,     -- the C2SP verifier key of its ledger, pinned when it enrolled
    taken       BIGINT  NOT NULL,     -- the last item that was kept durably; 0: none
    taken_sha   BLOB,                 -- SHA-256 of that item's envelope; NULL: not known
    checkpoint  TEXT,                 -- its newest signed checkpoint; NULL: none was seen yet
    fault       TEXT,                 -- code of why it is refused; NULL: it is not
    version     TEXT    NOT NULL,     -- the program's version when it was last seen
    seen_us     BIGINT  NOT NULL      -- when that was written, microseconds since 1970; 0: never
);
