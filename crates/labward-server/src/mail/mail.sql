-- What each recipient of reminders was told, by the recipient's name in the configuration. A row stays
-- when its recipient leaves: whoever comes back on the same day is not told twice.

CREATE TABLE mail_recipient (
    -- The recipient's name.
    name TEXT PRIMARY KEY,
    -- The last local day, YYYY-MM-DD, for which nothing more is sent; NULL: there was none.
    day TEXT,
    -- Since when a mail of that day was being handed over, in microseconds since 1970-01-01T00:00:00Z;
    -- NULL: none is.
    handing_us BIGINT,
    -- Up to which moment they know what is new; NULL: they were told nothing yet.
    told_us BIGINT,
    -- When a mail was taken last; NULL: never.
    sent_us BIGINT,
    -- Since when no mail can be sent to them; NULL: the last one could.
    failing_since_us BIGINT,
    -- The codes of the findings that they know of, each with a space behind it.
    findings TEXT NOT NULL DEFAULT ''
);
