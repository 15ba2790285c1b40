-- What publishers say, and what became of it here. Everything was written with an entry of the ledger, and all of it but
-- the documents' bytes is held in memory, too. Times are microseconds since 1970-01-01T00:00:00Z.

-- The documents; each is public, so it is packed and not sealed.
CREATE TABLE advisory (
    site BIGINT NOT NULL,
    -- Its number, counted from 1; a later release keeps it.
    id BIGINT NOT NULL,
    -- csaf, cyclonedx, epss, kev, openvex or osv.
    kind TEXT NOT NULL,
    -- The publisher's namespace; empty where the kind has one publisher.
    publisher TEXT NOT NULL,
    -- The publisher's id of it; empty where there is only one.
    name TEXT NOT NULL,
    -- The release.
    version TEXT NOT NULL,
    -- When the release was made, as it says itself; NULL if it does not.
    released_us BIGINT,
    -- The source that it came from, and the file.
    source TEXT NOT NULL,
    file TEXT NOT NULL,
    -- SHA-256 of its bytes.
    sha256 BLOB NOT NULL,
    -- Whether a hash beside it was good: good or absent.
    hash TEXT NOT NULL,
    -- The fingerprint of the key by which it is signed; NULL where no signature was checked.
    signer TEXT,
    -- When it was taken over.
    imported_us BIGINT NOT NULL,
    -- The entry that recorded it.
    entry BIGINT NOT NULL,
    -- Its bytes, one frame of zstd that says their length; of osv the lines of src/osv.rs.
    content BLOB NOT NULL,
    PRIMARY KEY (site, id)
);

-- Where documents come from.
CREATE TABLE advisory_source (
    site BIGINT NOT NULL,
    name TEXT NOT NULL,
    -- When it was looked into last, and when it brought anything new last.
    checked_us BIGINT NOT NULL,
    changed_us BIGINT NOT NULL,
    -- Documents that could not be taken over when it was looked into last.
    refused BIGINT NOT NULL,
    -- The entry of the last import.
    entry BIGINT NOT NULL,
    PRIMARY KEY (site, name)
);

-- Each device and vulnerability that were ever a hit.
CREATE TABLE hit (
    site BIGINT NOT NULL,
    -- Its number, counted from 1 and never given twice.
    id BIGINT NOT NULL,
    device BIGINT NOT NULL,
    -- The document, by publisher and id.
    publisher TEXT NOT NULL,
    advisory TEXT NOT NULL,
    -- The CVE, or the advisory with its title or place there.
    vulnerability TEXT NOT NULL,
    -- affected or cannot-tell, as it was when it was open last.
    verdict TEXT NOT NULL,
    -- The version of the device when the verdict changed last, empty if it was not known; of a hit that comes from its
    -- bill of materials the SHA-256 of that.
    version TEXT NOT NULL,
    -- When it was found first, when it opened last, and when it closed; NULL while it is open.
    found_us BIGINT NOT NULL,
    opened_us BIGINT NOT NULL,
    closed_us BIGINT,
    -- Why it closed: retest, sbom, statement, vex, advisory or device-removed; NULL while it is open.
    closed_by TEXT,
    -- The entry that recorded the last change.
    entry BIGINT NOT NULL,
    PRIMARY KEY (site, id)
);

-- How a hit is treated, as a person decided last; earlier decisions stand in the ledger.
CREATE TABLE hit_treatment (
    site BIGINT NOT NULL,
    hit BIGINT NOT NULL,
    -- patch, control, accept or replace.
    kind TEXT NOT NULL,
    -- The first moment at which it holds no more; NULL where it has no last day.
    ends_us BIGINT,
    -- Of a patch, whether the vendor approves it: 1 or 0; NULL if it is not known, or no patch.
    approved BIGINT,
    -- Who decided, when, and why, sealed under the site's audit key.
    person BIGINT NOT NULL,
    decided_us BIGINT NOT NULL,
    why BLOB NOT NULL,
    -- The entry that recorded it.
    entry BIGINT NOT NULL,
    PRIMARY KEY (site, hit)
);

-- What people said of products and of vulnerabilities.
CREATE TABLE hit_statement (
    site BIGINT NOT NULL,
    -- Its number, counted from 1 and never given twice.
    id BIGINT NOT NULL,
    -- same, other (of products) or status (of a vulnerability).
    kind TEXT NOT NULL,
    -- Of products: what the lab calls it and what publishers call it; empty otherwise.
    manufacturer TEXT NOT NULL,
    model TEXT NOT NULL,
    vendor TEXT NOT NULL,
    product TEXT NOT NULL,
    -- Of a vulnerability: the device, what is meant as in table hit, affected, not-affected or fixed,
    -- and the only version of the device that is meant; NULL otherwise, and where every version is meant.
    device BIGINT,
    vulnerability TEXT,
    status TEXT,
    version TEXT,
    -- Who said it, when, and why, sealed under the site's audit key.
    person BIGINT NOT NULL,
    said_us BIGINT NOT NULL,
    why BLOB NOT NULL,
    -- When it was taken back; NULL while it holds.
    withdrawn_us BIGINT,
    -- The entry that recorded the last change.
    entry BIGINT NOT NULL,
    PRIMARY KEY (site, id)
);
