-- Requests that came under an Idempotency-Key, for 24 hours. A document: the statement itself runs as
-- a migration. No row holds a key, a secret or what is in records; no backup takes the table along.

CREATE TABLE idempotency_key (
    key_sha256   BLOB    NOT NULL PRIMARY KEY CHECK (length(key_sha256) = 32), -- of person, endpoint and key
    person       INTEGER NOT NULL,              -- who asked
    asked_sha256 BLOB    NOT NULL CHECK (length(asked_sha256) = 32), -- of query and body
    began        BIGINT  NOT NULL,              -- microseconds since 1970, UTC
    is_done      INTEGER NOT NULL,              -- 0: not known whether it was done; 1: it was
    answer       BLOB                           -- the answer, JSON; NULL: it is not kept
);
CREATE INDEX idempotency_key_began ON idempotency_key (began);
CREATE INDEX idempotency_key_person ON idempotency_key (person);
