-- With whom devices talk. All of it is held in memory, too. Times are microseconds since 1970-01-01T00:00:00Z.

-- The plan of segmentation, one row a site.
CREATE TABLE segmentation_plan (
    site BIGINT NOT NULL,
    -- How often it was changed.
    revision BIGINT NOT NULL,
    -- The plan, as labward-segmentation writes it (JSON).
    plan BLOB NOT NULL,
    -- The entry that recorded the last change.
    entry BIGINT NOT NULL,
    PRIMARY KEY (site)
);

-- Each conversation that nobody expected.
CREATE TABLE segmentation_alert (
    site BIGINT NOT NULL,
    -- Its number, counted from 1.
    id BIGINT NOT NULL,
    device BIGINT NOT NULL,
    -- destination, public, refused or service.
    novelty TEXT NOT NULL,
    -- inbound or outbound, the peer's address, and the service, such as tcp/443.
    direction TEXT NOT NULL,
    peer TEXT NOT NULL,
    service TEXT NOT NULL,
    -- 1 if the peer's address is of the public internet.
    is_public BIGINT NOT NULL,
    -- When it was seen first, and when it was raised.
    seen_us BIGINT NOT NULL,
    raised_us BIGINT NOT NULL,
    -- When a person decided about its conduit; NULL while nobody did.
    settled_us BIGINT,
    -- The entry that recorded the last change.
    entry BIGINT NOT NULL,
    PRIMARY KEY (site, id)
);
