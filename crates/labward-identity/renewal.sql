-- A peer that renews its certificate by itself. A document: the statements themselves run as a migration.

ALTER TABLE peer ADD COLUMN not_before BIGINT;  -- begin of the certificate, microseconds since 1970; NULL: not known
ALTER TABLE peer ADD COLUMN certificate TEXT;   -- the certificate, PEM, which the peer asked for itself and may ask for again; NULL: a person brought it
