-- What was fetched of the sources that are lists of documents, so that only what is new is fetched again. A list is
-- a feed, a directory or what a provider names. Each change was written with an entry of the ledger.

-- The sources that are lists.
CREATE TABLE advisory_listing (
    site BIGINT NOT NULL,
    source TEXT NOT NULL,
    -- directory, feed or provider.
    kind TEXT NOT NULL,
    -- Who publishes it and the fingerprints of the keys it claims, separated by spaces, as the provider says of itself.
    publisher TEXT NOT NULL,
    keys TEXT NOT NULL,
    -- Documents that are listed and were not fetched yet.
    waiting BIGINT NOT NULL,
    -- The entry that recorded the last change.
    entry BIGINT NOT NULL,
    PRIMARY KEY (site, source)
);

-- Each listed document that was fetched, or could not be; and each list or line of a list that cannot be read.
CREATE TABLE advisory_listed (
    site BIGINT NOT NULL,
    source TEXT NOT NULL,
    address TEXT NOT NULL,
    -- When it was changed last, as the list says; NULL if it does not.
    changed_us BIGINT,
    -- When it was fetched.
    fetched_us BIGINT NOT NULL,
    -- Why it could not be taken over; NULL where it was.
    fault TEXT,
    PRIMARY KEY (site, source, address)
);
