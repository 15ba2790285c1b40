-- Up to which number a node's reserve was merged into its ledger: written in the unit that appends
-- the entries, so that a crash neither doubles nor loses one. Numbers are never used again.
CREATE TABLE reserve_cursor (
    node BIGINT PRIMARY KEY,
    -- The site of the node.
    site BIGINT NOT NULL,
    -- The last reading that is in the ledger; counted from 1, 0 for none.
    merged BIGINT NOT NULL
);
