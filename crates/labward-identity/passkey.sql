-- Passkeys of people. A document: the statements themselves run as a migration.
-- The data of a passkey's row is its public key, its sign counter and what the ceremonies need to
-- know of it, as JSON; the private key never leaves its device.

ALTER TABLE credential ADD COLUMN webauthn_id_sha256 BLOB; -- of the id that its device gave it; NULL: a password
ALTER TABLE credential ADD COLUMN relying_party TEXT;      -- the console's name that it was made for; NULL: a password
CREATE UNIQUE INDEX credential_webauthn_id ON credential (webauthn_id_sha256);
