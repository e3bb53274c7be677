-- Payouts: one row each, as ledger/payouts/payout.py has it. How it came there is in the event store,
-- in the stream payout:<payout_id>; both are written in one transaction.
CREATE TABLE ledger.payouts (
    payout_id      uuid PRIMARY KEY,
    user_id        uuid NOT NULL,
    request_id     uuid NOT NULL,
    request_hash   bytea NOT NULL,
    amount_minor   bigint NOT NULL CHECK (amount_minor > 0),
    currency       text NOT NULL,
    destination    text NOT NULL,
    state          text NOT NULL,
    version        integer NOT NULL CHECK (version > 0),
    requested_at   timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL,
    hold_id        uuid,
    transaction_id uuid,
    provider       text,
    batch_id       uuid,
    reference      text,
    reason         text,
    attention      text,
    CONSTRAINT one_payout_a_request UNIQUE (user_id, request_id),
    CONSTRAINT captured_before_it_is_out CHECK (
        transaction_id IS NOT NULL OR state NOT IN ('captured', 'sent', 'settled', 'returned')),
    CONSTRAINT held_before_it_is_sent CHECK (
        hold_id IS NOT NULL OR state NOT IN ('held', 'sending', 'captured', 'sent', 'settled'))
);
CREATE UNIQUE INDEX one_open_payout ON ledger.payouts (user_id) WHERE state IN
    ('requested', 'review', 'approved', 'held', 'sending', 'captured', 'sent');
CREATE INDEX payouts_of_user ON ledger.payouts (user_id, payout_id);
CREATE INDEX payouts_by_state ON ledger.payouts (state, payout_id);
CREATE INDEX payouts_of_batch ON ledger.payouts (batch_id) WHERE batch_id IS NOT NULL;
CREATE INDEX payouts_to_look_at ON ledger.payouts (payout_id) WHERE attention IS NOT NULL;

-- TRANSITIONS of ledger/payouts/states.py, as the backstop: whatever else is wrong, no payout goes
-- from cancelled to sent.
CREATE TABLE ledger.payout_moves (
    from_state text NOT NULL,
    to_state   text NOT NULL,
    PRIMARY KEY (from_state, to_state)
);
INSERT INTO ledger.payout_moves VALUES
    ('requested', 'approved'), ('requested', 'review'), ('requested', 'cancelled'),
    ('review', 'approved'), ('review', 'rejected'), ('review', 'cancelled'),
    ('approved', 'held'), ('approved', 'failed'),
    ('held', 'review'), ('held', 'sending'), ('held', 'rejected'), ('held', 'cancelled'),
    ('sending', 'captured'), ('sending', 'failed'),
    ('captured', 'sent'), ('captured', 'settled'), ('captured', 'failed'),
    ('sent', 'settled'), ('sent', 'failed'),
    ('settled', 'returned');

CREATE FUNCTION ledger.refuse_unsound_payout() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'requested' OR NEW.version <> 1 THEN
            RAISE EXCEPTION 'a payout begins as requested'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    ELSIF NEW.version <= OLD.version OR (NEW.state <> OLD.state AND NOT EXISTS (
        SELECT FROM ledger.payout_moves WHERE from_state = OLD.state AND to_state = NEW.state
    )) THEN
        RAISE EXCEPTION 'a payout does not go from % to %', OLD.state, NEW.state
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER sound_moves BEFORE INSERT OR UPDATE ON ledger.payouts
    FOR EACH ROW EXECUTE FUNCTION ledger.refuse_unsound_payout();
CREATE TRIGGER append_only
    BEFORE UPDATE OF payout_id, user_id, request_id, request_hash, amount_minor, currency,
        destination, requested_at OR DELETE OR TRUNCATE
    ON ledger.payouts FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.payout_moves
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();

-- Files of payouts to be paid by hand. A batch is sealed when its file is first complete.
CREATE TABLE ledger.payout_batches (
    batch_id    uuid PRIMARY KEY,
    created_by  uuid NOT NULL,
    created_at  timestamptz NOT NULL,
    taken_at    timestamptz,  -- when all payouts that go into it had been taken
    sealed_at   timestamptz,
    lines       integer,
    total_minor numeric,
    sha256      bytea,
    CONSTRAINT sealed_as_a_whole CHECK (num_nulls(sealed_at, lines, total_minor, sha256) IN (0, 4))
);
CREATE INDEX payout_batches_newest ON ledger.payout_batches (created_at, batch_id);

-- Files of results: each is taken once.
CREATE TABLE ledger.payout_imports (
    import_id   uuid PRIMARY KEY,
    sha256      bytea NOT NULL CONSTRAINT one_import_a_file UNIQUE,
    imported_by uuid NOT NULL,
    created_at  timestamptz NOT NULL,
    finished_at timestamptz,
    lines       integer NOT NULL,
    report      jsonb
);

-- Notices of providers: each is taken once.
CREATE TABLE ledger.payout_notices (
    provider    text NOT NULL,
    notice_id   text NOT NULL,
    digest      bytea NOT NULL,
    payout_id   uuid NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (provider, notice_id)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.payout_notices
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OF batch_id, created_by, created_at OR DELETE OR TRUNCATE
    ON ledger.payout_batches FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
CREATE TRIGGER append_only
    BEFORE UPDATE OF import_id, sha256, imported_by, created_at, lines OR DELETE OR TRUNCATE
    ON ledger.payout_imports FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
