-- What devices usually do on their lines, and what they did otherwise. Times are microseconds since 1970-01-01T00:00:00Z.

-- The baseline of each device. Only counted, so it is written in bulk and has no entry.
CREATE TABLE behaviour_baseline (
    site BIGINT NOT NULL,
    device BIGINT NOT NULL,
    -- As labward-behaviour writes it; at most its MAX_STATE_BYTES.
    state BLOB NOT NULL,
    saved_us BIGINT NOT NULL,
    PRIMARY KEY (site, device)
);

-- Each alert: what one device did otherwise, of one kind.
CREATE TABLE behaviour_alert (
    site BIGINT NOT NULL,
    -- Its number, counted from 1.
    id BIGINT NOT NULL,
    device BIGINT NOT NULL,
    -- clock-off, new-message-type, new-test, sequence-back, sequence-gap, silent, too-many or unusual-hour.
    kind TEXT NOT NULL,
    -- When it was raised, and when it was seen last.
    raised_us BIGINT NOT NULL,
    last_us BIGINT NOT NULL,
    -- How often it was seen.
    count BIGINT NOT NULL,
    -- When it was closed; NULL while it is open.
    closed_us BIGINT,
    -- expected or unexpected, said by a person; ended, by itself; empty while it is open.
    outcome TEXT NOT NULL,
    -- The entry that recorded the last change.
    entry BIGINT NOT NULL,
    PRIMARY KEY (site, id)
);

-- What was seen of an alert, the first of them.
CREATE TABLE behaviour_anomaly (
    site BIGINT NOT NULL,
    alert BIGINT NOT NULL,
    -- Its place, from 0.
    place BIGINT NOT NULL,
    at_us BIGINT NOT NULL,
    -- The message type or the test; empty of any other kind.
    name TEXT NOT NULL,
    -- The values of its kind, as labward-behaviour orders them; 0 where there is none.
    one BIGINT NOT NULL,
    two BIGINT NOT NULL,
    three BIGINT NOT NULL,
    PRIMARY KEY (site, alert, place)
);
