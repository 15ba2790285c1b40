-- Accounts of the identity provider by which people sign in. A document: the statements themselves
-- run as a migration. No row holds a token or anything else that would let somebody in.

CREATE TABLE provider_account (
    site    INTEGER NOT NULL,              -- the site that the person belongs to
    person  INTEGER NOT NULL PRIMARY KEY,  -- whose it is; stays when they are removed, so that it lets nobody in
    account TEXT    NOT NULL UNIQUE,       -- e-mail address or user name at the provider, in lower case
    issuer  TEXT,                          -- who vouches for them; NULL: nobody signed in with it yet
    subject TEXT,                          -- what the issuer knows them by and never gives to another
    CHECK ((issuer IS NULL) = (subject IS NULL))
);
CREATE UNIQUE INDEX provider_account_subject ON provider_account (issuer, subject);
