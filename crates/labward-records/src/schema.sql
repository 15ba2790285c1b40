-- The tables of records. The records themselves are entries of the ledger; here stands who a
-- patient is (sealed), and what finds a record again. Portable subset: whole numbers, text and
-- opaque bytes only. Times are microseconds since 1970-01-01T00:00:00Z.

-- One row for each patient; never deleted, so that its number is never given out again.
CREATE TABLE patient (
    -- The opaque number, counted from 1.
    id INTEGER PRIMARY KEY,
    -- The site that met the patient first; its key context.
    site BIGINT NOT NULL,
    -- 1: active; 2: disposed of, its key destroyed.
    state BIGINT NOT NULL,
    -- 1: known by an accession or one message only, until a person links it.
    provisional BIGINT NOT NULL,
    -- The patient into which this one was merged; NULL: none.
    merged_into BIGINT,
    -- Names, birth date, identifiers, sealed under the patient's key; NULL: nothing known, or
    -- disposed of.
    sealed_demographics BLOB,
    -- Version of sealed_demographics, bound by its seal; 0: there are none.
    demographics_version BIGINT NOT NULL,
    -- Keyed digests (8 bytes each, the newest last, at most 8) of the demographics that messages
    -- brought and that stand in sealed_demographics; a message with one of them changes nothing.
    absorbed BLOB NOT NULL,
    -- 1: a legal hold forbids disposal.
    legal_hold BIGINT NOT NULL
);

-- The identifiers of patients as keyed digests. There is no index on the tags: they are loaded
-- into memory at start, and a random index would cost every message's commit.
CREATE TABLE patient_identifier (
    -- Counted from 1, given out in memory.
    id INTEGER PRIMARY KEY,
    -- The patient's site.
    site BIGINT NOT NULL,
    -- The patient.
    patient BIGINT NOT NULL,
    -- HMAC of authority, type and value, 16 bytes.
    tag BLOB NOT NULL CHECK (length(tag) = 16),
    -- HMAC of the value alone, 16 bytes; NULL: not to be found by value (an accession).
    value_tag BLOB CHECK (length(value_tag) = 16)
);
CREATE INDEX patient_identifier_patient ON patient_identifier (patient);

-- Which records a patient has; merged in bulk behind the commits up to record_cursor.
CREATE TABLE record_index (
    patient BIGINT NOT NULL,
    record BIGINT NOT NULL,
    site BIGINT NOT NULL,
    -- The entry that keeps the record.
    entry BIGINT NOT NULL,
    -- Kind of the record.
    kind BIGINT NOT NULL,
    -- Class of retention: 0 results, 1 pathology.
    class BIGINT NOT NULL,
    -- When it was kept.
    time_us BIGINT NOT NULL,
    -- Sealed size.
    size_bytes BIGINT NOT NULL,
    PRIMARY KEY (patient, record)
);

-- Which records an accession number stands in; merged in bulk behind the commits.
CREATE TABLE accession_index (
    -- HMAC of the accession number, 16 bytes.
    tag BLOB NOT NULL CHECK (length(tag) = 16),
    record BIGINT NOT NULL,
    site BIGINT NOT NULL,
    -- The record's patient; NULL: it is not a patient's.
    patient BIGINT,
    PRIMARY KEY (tag, record)
);

-- Up to which entry of a node the two indexes reach.
CREATE TABLE record_cursor (
    node BIGINT PRIMARY KEY,
    -- The first entry not yet taken up.
    next_entry BIGINT NOT NULL
);
