-- How far the queue has come; the items themselves are the sealed payloads of the ledger's entries.
CREATE TABLE queue (
    id      INTEGER PRIMARY KEY CHECK (id = 1), -- there is one row
    next    BIGINT NOT NULL,                    -- entry from which on items may still wait
    sent    BIGINT NOT NULL,                    -- the last item that the server took; 0: none
    damaged BIGINT NOT NULL                     -- items that were found damaged and passed over
);
INSERT INTO queue (id, next, sent, damaged) VALUES (1, 0, 0, 0);
