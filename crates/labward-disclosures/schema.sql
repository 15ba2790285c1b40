-- What manufacturers disclose of devices. Everything was written with an entry of the ledger, and all of it but the bytes of
-- the files is held in memory, too. Times are microseconds since 1970-01-01T00:00:00Z.

-- The files; what a manufacturer publishes of a product holds nothing of patients, so it is packed and not sealed.
CREATE TABLE device_disclosure (
    site BIGINT NOT NULL,
    -- Its number, counted from 1; what takes its place keeps it.
    id BIGINT NOT NULL,
    -- sbom or mds2.
    kind TEXT NOT NULL,
    -- The device that it is of; NULL where it is of a model.
    device BIGINT,
    -- The model that it is of, as the lab writes it; empty where it is of a device.
    manufacturer TEXT NOT NULL,
    model TEXT NOT NULL,
    -- The only version of the model's software that is meant; NULL for every one, and of a device.
    version TEXT,
    -- What the file is called, its SHA-256 and its size in bytes.
    file TEXT NOT NULL,
    sha256 BLOB NOT NULL,
    size_bytes BIGINT NOT NULL,
    -- Who attached it, and when.
    person BIGINT NOT NULL,
    attached_us BIGINT NOT NULL,
    -- The entry that recorded it.
    entry BIGINT NOT NULL,
    -- Its bytes, one frame of zstd that says their length.
    content BLOB NOT NULL,
    PRIMARY KEY (site, id)
);

-- Whether vendors approve patches for their models, as people keep it.
CREATE TABLE patch_approval (
    site BIGINT NOT NULL,
    -- Its number, counted from 1 and never given twice.
    id BIGINT NOT NULL,
    -- The model, as the lab writes it, and the only version of its software that is meant; NULL for every one.
    manufacturer TEXT NOT NULL,
    model TEXT NOT NULL,
    version TEXT,
    -- The patch: a version, the number of an update, a CVE, or words.
    patch TEXT NOT NULL,
    -- approved, rejected or pending.
    approved TEXT NOT NULL,
    -- Where the vendor says so; may be empty.
    document TEXT NOT NULL,
    -- Who took it down, when, and why, sealed under the site's audit key.
    person BIGINT NOT NULL,
    stated_us BIGINT NOT NULL,
    why BLOB NOT NULL,
    -- When it was taken back, or another took its place; NULL while it holds.
    withdrawn_us BIGINT,
    -- The entry that recorded the last change.
    entry BIGINT NOT NULL,
    PRIMARY KEY (site, id)
);
