-- What devices the lab has. Everything here was written with an entry of the ledger; all of it is held
-- in memory, too, and read once at start. Times are microseconds since 1970-01-01T00:00:00Z.

CREATE TABLE device (
    site BIGINT NOT NULL,
    -- Its number, counted from 1 and never given twice.
    id BIGINT NOT NULL,
    -- When it became known.
    added_us BIGINT NOT NULL,
    -- When a person removed it; NULL while it is there.
    removed_us BIGINT,
    -- The device that it belongs to, as a person decided; NULL if it stands for itself.
    merged_into BIGINT,
    -- How often it was changed: who changes it says which one they saw.
    revision BIGINT NOT NULL,
    -- The entry that recorded the last change.
    entry BIGINT NOT NULL,
    PRIMARY KEY (site, id)
);

-- Each value that was ever observed of a device; the oldest of a voice go first where it says too many.
CREATE TABLE device_observation (
    site BIGINT NOT NULL,
    device BIGINT NOT NULL,
    -- What of the device, such as serial.
    attribute TEXT NOT NULL,
    -- Who says it, as far as one value takes the place of another: person, peer:7, file:csv, capture.
    voice TEXT NOT NULL,
    -- The value, as it is shown; empty where a person took their word back.
    value TEXT NOT NULL,
    -- low, medium or high.
    confidence TEXT NOT NULL,
    -- The name of the file or the link; NULL for a person.
    origin TEXT,
    -- SHA-256 of the file; NULL where it came from none.
    sha256 BLOB,
    -- The number of the person; NULL where none said it.
    person BIGINT,
    -- When it was observed first, since when it is what the voice says, and when it was said last.
    first_us BIGINT NOT NULL,
    since_us BIGINT NOT NULL,
    last_us BIGINT NOT NULL,
    -- The entry that recorded it.
    entry BIGINT NOT NULL,
    PRIMARY KEY (site, device, attribute, voice, value)
);

-- To which device a machine peer is bound; each to one.
CREATE TABLE device_peer (
    site BIGINT NOT NULL,
    peer BIGINT NOT NULL,
    device BIGINT NOT NULL,
    -- The entry that recorded it.
    entry BIGINT NOT NULL,
    PRIMARY KEY (site, peer)
);
