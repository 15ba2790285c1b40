-- The ledger's tables. Rows are the truth; tiles and checkpoints are derived from them.
-- Portable subset: whole numbers, text and opaque bytes only. Times are microseconds since
-- 1970-01-01T00:00:00Z. NULL means what the comment beside the column says.

-- One row for each entry, never changed but for the end of a payload's retention.
CREATE TABLE entry (
    -- Place in the node's ledger, counted from 0; the rowid, so that appending is sequential.
    idx INTEGER PRIMARY KEY,
    -- The site at which it happened.
    site BIGINT NOT NULL,
    -- The record that this entry keeps; NULL: it keeps none.
    record BIGINT,
    -- The patient of the record or act; NULL: there is none, or it was not known.
    patient BIGINT,
    -- The kind of record; 0: there is none.
    kind BIGINT NOT NULL,
    -- The action's stable name, as in the leaf.
    action TEXT NOT NULL,
    -- The canonical JSON that the tree holds, at most 65,535 bytes.
    leaf BLOB NOT NULL,
    -- The sealed record, of which the leaf covers the SHA-256; NULL: there was none, or it was
    -- dropped (see dropped_by).
    payload BLOB,
    -- Bytes of the room that wrote the entry, for its own use and not covered by the leaf; NULL: none.
    hints BLOB,
    -- Place of the entry that records why the payload was dropped; NULL: it was not dropped.
    dropped_by BIGINT
);

-- Record ids are given out in order, so this index grows at its end. There is none on a random key.
CREATE UNIQUE INDEX entry_record ON entry (record) WHERE record IS NOT NULL;

-- The tree of each node as of the last commit: one row, written once a commit.
CREATE TABLE tree_head (
    -- The node whose tree it is.
    node BIGINT PRIMARY KEY,
    -- Entries in the tree.
    size BIGINT NOT NULL,
    -- The root, 32 bytes.
    root BLOB NOT NULL,
    -- The peaks of the tree, the largest first, 32 bytes each.
    frontier BLOB NOT NULL,
    -- The time of the last entry.
    time_us BIGINT NOT NULL
);

-- The origins under which the ledger signed; a restore from a backup opens a new one.
CREATE TABLE ledger_epoch (
    -- Counted from 1.
    epoch BIGINT PRIMARY KEY,
    -- The origin of its checkpoints.
    origin TEXT NOT NULL,
    -- The entry with which it began.
    first_idx BIGINT NOT NULL,
    -- The last checkpoint known of the epoch before, a signed note; NULL: the first epoch.
    cites TEXT
);
