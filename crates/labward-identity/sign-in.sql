-- How people sign in at the console. A document: the statements themselves run as migrations.
-- No row holds a password, the id of a session or the code of an invitation, only what tells the
-- right one from every other.

ALTER TABLE person ADD COLUMN login TEXT;     -- what they sign in as; NULL: not at the console, or removed
ALTER TABLE person ADD COLUMN language TEXT;  -- en or es; NULL: as their browser asks
ALTER TABLE person ADD COLUMN theme TEXT NOT NULL DEFAULT 'auto'; -- auto, light or dark
CREATE UNIQUE INDEX person_login ON person (login);

CREATE TABLE credential (
    site      INTEGER NOT NULL,              -- the site that the person belongs to
    person    INTEGER NOT NULL,              -- whose it is
    id        INTEGER NOT NULL PRIMARY KEY,  -- the entry that records it; never given out again
    kind      TEXT    NOT NULL,              -- password or passkey; one password a person
    data      BLOB    NOT NULL,              -- of a password its Argon2id hash as a PHC string
    label     TEXT    NOT NULL,              -- what the person calls it; empty for a password
    created   BIGINT  NOT NULL,              -- microseconds since 1970, UTC
    last_used BIGINT,                        -- the last sign-in with it; NULL: never
    failures  INTEGER NOT NULL               -- wrong tries since it was last right; at 100 it has ended
);
CREATE INDEX credential_person ON credential (person);

CREATE TABLE invitation (
    site        INTEGER NOT NULL,              -- the site that the person belongs to
    person      INTEGER NOT NULL PRIMARY KEY,  -- who is invited: one live code a person
    code_sha256 BLOB    NOT NULL CHECK (length(code_sha256) = 32), -- of the labelled code
    invited_by  BIGINT,                        -- the person who made it; NULL: Labward itself
    expires     BIGINT  NOT NULL               -- from then on it is worth nothing, microseconds
);

CREATE TABLE session (
    site      INTEGER NOT NULL,              -- the site that the person belongs to
    number    INTEGER NOT NULL PRIMARY KEY,  -- the entry with which it began; never given out again
    person    INTEGER NOT NULL,              -- who signed in
    id_sha256 BLOB    NOT NULL UNIQUE CHECK (length(id_sha256) = 32), -- of the labelled id
    created   BIGINT  NOT NULL,              -- microseconds since 1970, UTC
    last_seen BIGINT  NOT NULL,              -- at most a minute behind
    ends_at   BIGINT  NOT NULL,              -- it ends then, however busy it is
    source    TEXT    NOT NULL,              -- the address that it was begun from
    agent     TEXT    NOT NULL               -- what the browser called itself, at most 100 characters
);
CREATE INDEX session_person ON session (person);
