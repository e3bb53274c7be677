-- Tamper evidence: the hash chain, what it says of accounts, and signed checkpoints.
--
-- docs/EVIDENCE.md specifies what is hashed; ledger/evidence/ makes and checks it.

-- One link an item, in order and without holes. `sequence` is that of the batch; for seals it is
-- that of the last batch before them.
CREATE TABLE ledger.chain (
    position bigint PRIMARY KEY CHECK (position > 0),
    kind     text NOT NULL CHECK (kind IN ('batch', 'seals')),
    sequence bigint NOT NULL,
    digest   bytea NOT NULL CHECK (length(digest) = 32),
    marks    bytea NOT NULL CHECK (length(marks) % 4 = 0),
    hash     bytea NOT NULL CHECK (length(hash) = 32)
);
CREATE UNIQUE INDEX one_link_a_batch ON ledger.chain (sequence) WHERE kind = 'batch';
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.chain
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();

-- What stood in an account's columns other than those that every posting changes, each time it was
-- new. The newest seal of an account is what it must be like; only closed_at and metadata may differ
-- between the seals of one account.
CREATE TABLE ledger.account_seals (
    position   bigint NOT NULL,  -- the link that covers it
    account_id uuid NOT NULL,
    code       text NOT NULL,
    owner_id   uuid,
    shard      smallint NOT NULL,
    currency   text NOT NULL,
    created_at timestamptz NOT NULL,
    closed_at  timestamptz,
    metadata   jsonb NOT NULL,
    PRIMARY KEY (account_id, position)
);
CREATE INDEX account_seals_of_link ON ledger.account_seals (position);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.account_seals
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();

-- Accounts that are new or different since they were last sealed: a queue that the chainer empties.
CREATE TABLE ledger.unsealed_accounts (
    place      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id uuid NOT NULL
);
INSERT INTO ledger.unsealed_accounts (account_id) SELECT account_id FROM ledger.accounts;

CREATE FUNCTION ledger.note_unsealed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ledger.unsealed_accounts (account_id) SELECT account_id FROM changed;
    RETURN NULL;
END $$;
CREATE TRIGGER note_opened AFTER INSERT ON ledger.accounts
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.note_unsealed();

-- A trigger with a transition table can't name columns, and one without costs nothing where no such
-- column is set: balances change many thousand times a second, these two hardly ever.
CREATE FUNCTION ledger.note_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ledger.unsealed_accounts (account_id) VALUES (NEW.account_id);
    RETURN NULL;
END $$;
CREATE TRIGGER note_changed AFTER UPDATE OF closed_at, metadata ON ledger.accounts
    FOR EACH ROW EXECUTE FUNCTION ledger.note_changed();

CREATE TABLE ledger.checkpoints (
    position  bigint PRIMARY KEY,
    sequence  bigint NOT NULL,
    hash      bytea NOT NULL,
    signed_at timestamptz NOT NULL,
    key_id    text NOT NULL,
    signature bytea NOT NULL
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.checkpoints
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
