-- Who did what with a patient's records, found by the patient.
-- Portable subset: whole numbers, text and opaque bytes only.

-- Entries that are about a patient and keep no record themselves: deliveries, searches, views, exports.
-- Merged in bulk behind the commits up to record_cursor; record_index holds those that keep one.
CREATE TABLE access_index (
    patient BIGINT NOT NULL,
    -- The entry.
    entry BIGINT NOT NULL,
    PRIMARY KEY (patient, entry)
);

-- All three indexes are built again, behind what comes in.
DELETE FROM record_cursor;
