-- Keys. A document: the statements themselves run as migrations.
-- No row holds a key in clear, or anything of a patient but the number.

CREATE TABLE root_state (
    site           INTEGER NOT NULL PRIMARY KEY,
    generation     INTEGER NOT NULL,  -- of the present root key, from 1
    next_slot      INTEGER NOT NULL,  -- number of the next slot; numbers are never given out again
    old_generation INTEGER,           -- NULL: no rotation is under way
    old_wrapped    BLOB               -- that generation's root key, wrapped under the present one
);

CREATE TABLE slot (
    site         INTEGER NOT NULL,
    id           INTEGER NOT NULL,
    kind         TEXT    NOT NULL,  -- passphrase, key-file or shares
    label        TEXT    NOT NULL,  -- what the lab calls it, 1 to 64 characters
    public       BLOB    NOT NULL,  -- half that the root key is sealed to, 65 bytes
    private      BLOB,              -- other half, sealed; NULL: it stands in the key file
    params       TEXT    NOT NULL,  -- JSON: Argon2id's salt and cost; threshold, count and set of shares; path of the key file
    wrapped_root BLOB    NOT NULL,  -- root key of `generation`, HPKE to the public half
    endorsement  BLOB    NOT NULL CHECK (length(endorsement) = 32),  -- the root key's word for the public half
    generation   INTEGER NOT NULL,
    created      BIGINT  NOT NULL,  -- microseconds since 1970, UTC
    last_tested  BIGINT ,           -- when it last opened; NULL: never
    PRIMARY KEY (site, id)
);

CREATE TABLE wrapped_key (
    site       INTEGER NOT NULL,
    scope      INTEGER NOT NULL,  -- 1 patient, 2 site, 3 audit, 4 index, 6 secret
    owner      BIGINT  NOT NULL,  -- the patient's number; 0 for the site's own keys
    epoch      INTEGER NOT NULL,  -- of the key, from 1
    generation INTEGER NOT NULL,  -- of the root key it is wrapped under; 0: destroyed
    wrapped    BLOB,              -- AES-256-KWP, 40 bytes; NULL: destroyed
    PRIMARY KEY (site, scope, owner, epoch)
);

CREATE TABLE secret (
    site   INTEGER NOT NULL,
    name   TEXT    NOT NULL,  -- of Labward's own secret, such as the authority's key
    sealed BLOB    NOT NULL,  -- under the site's secret key
    PRIMARY KEY (site, name)
);
