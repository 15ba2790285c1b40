-- People and machine peers. A document: the statements themselves run as migrations.
-- Neither table holds a private key or anything of a patient.

CREATE TABLE person (
    site    INTEGER NOT NULL,              -- the site that the person was added at
    id      INTEGER NOT NULL PRIMARY KEY,  -- from 1; never given to another person
    name    TEXT    NOT NULL,              -- what the lab calls them, 1 to 100 characters
    roles   TEXT    NOT NULL,              -- role names joined by commas
    uid     BIGINT  UNIQUE,                -- account of the operating system; NULL: none, or removed
    removed INTEGER NOT NULL               -- 1: may do nothing any more; kept since entries name the id
);

CREATE TABLE peer (
    site           INTEGER NOT NULL,              -- the site that the peer belongs to
    id             INTEGER NOT NULL PRIMARY KEY,  -- from 1; never given to another peer
    name           TEXT    NOT NULL UNIQUE,       -- 1 to 64 of letters, digits, - _ .
    kind           TEXT    NOT NULL,              -- analyzer, lis, ehr, draw-site, provider, public-health
    spki_sha256    BLOB    NOT NULL UNIQUE CHECK (length(spki_sha256) = 32), -- of the certificate's public key
    origin         TEXT    NOT NULL,              -- own-ca or foreign
    serial         TEXT    NOT NULL,              -- of the certificate, in hex
    not_after      BIGINT  NOT NULL,              -- end of the certificate, microseconds since 1970, UTC
    state          TEXT    NOT NULL,              -- active or revoked
    rules          TEXT    NOT NULL,              -- what it may send, JSON of at most 8 KiB
    authority      TEXT,                          -- assigning authority of its patients' ids; NULL: none
    addresses      TEXT    NOT NULL,              -- from where it may use a plain link, joined by spaces
    previous_spki  BLOB,                          -- the key before the last renewal; NULL: never renewed
    previous_until BIGINT                         -- until when that key is accepted, microseconds; NULL with it
);
