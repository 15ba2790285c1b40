-- What a person decided about a requirement: the present decision of each, changed with its entry.
-- Earlier ones stand in the ledger. Times are microseconds since 1970-01-01T00:00:00Z.

CREATE TABLE safeguard_decision (
    site BIGINT NOT NULL,
    -- The requirement, such as 164.312(a)(2)(iv).
    citation TEXT NOT NULL,
    -- implemented, alternative, not-reasonable or does-not-apply.
    kind TEXT NOT NULL,
    -- The rationale, sealed under the site's audit key as the entry holds it.
    rationale BLOB NOT NULL,
    -- The number of the person who decided.
    approver BIGINT NOT NULL,
    -- When.
    decided_us BIGINT NOT NULL,
    -- The first moment at which it holds no more.
    ends_us BIGINT NOT NULL,
    -- The entry that records it.
    entry BIGINT NOT NULL,
    PRIMARY KEY (site, citation)
);
