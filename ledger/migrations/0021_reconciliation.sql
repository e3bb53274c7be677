-- Reconciliation: what was compared, what was found to be the same money, and what people work on.

-- One row a run, written when it is finished.
CREATE TABLE ledger.reconciliations (
    reconciliation_id uuid PRIMARY KEY,
    kind        text NOT NULL CHECK (kind IN ('internal', 'settlement')),
    source      text NOT NULL,  -- the provider of a settlement file
    file_hash   bytea CONSTRAINT one_run_a_file UNIQUE,
    started_by  uuid,           -- NULL: the schedule, or a command
    started_at  timestamptz NOT NULL,
    finished_at timestamptz NOT NULL,
    checked     bigint NOT NULL,
    matched     bigint NOT NULL,
    differences bigint NOT NULL,
    details     jsonb NOT NULL
);
CREATE INDEX reconciliations_newest ON ledger.reconciliations (started_at, reconciliation_id);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.reconciliations
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();

-- The movements that providers told of. What found no counterpart is tried again with every later file.
CREATE TABLE ledger.settlement_lines (
    provider     text NOT NULL,
    line_id      text NOT NULL,
    reference    text,
    amount_minor bigint NOT NULL,
    currency     text NOT NULL,
    moved_on     date NOT NULL,
    reconciliation_id uuid NOT NULL,
    PRIMARY KEY (provider, line_id)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.settlement_lines
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();

-- What was found to be the same money. The key: nothing is ever matched twice.
CREATE TABLE ledger.matched_items (
    side     text NOT NULL CHECK (side IN ('ours', 'theirs')),
    item_key text NOT NULL,
    match_id uuid NOT NULL,
    kind     text NOT NULL CHECK (kind IN ('reference', 'amount', 'sum')),
    difference_minor  bigint NOT NULL,  -- of the whole match: theirs less ours
    reconciliation_id uuid NOT NULL,
    PRIMARY KEY (side, item_key)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.matched_items
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();

-- The work list. What is open stands there once, however often it is found.
CREATE TABLE ledger.differences (
    difference_id uuid PRIMARY KEY,
    reconciliation_id uuid NOT NULL,  -- the first run that found it
    check_name  text NOT NULL,
    subject     text NOT NULL,
    reason      text NOT NULL,
    state       text NOT NULL DEFAULT 'open'
        CHECK (state IN ('open', 'assigned', 'resolved', 'cleared')),
    assigned_to uuid,
    note        text,
    opened_at   timestamptz NOT NULL,
    changed_at  timestamptz NOT NULL,
    CONSTRAINT assigned_to_somebody CHECK ((state = 'assigned') <= (assigned_to IS NOT NULL))
);
CREATE UNIQUE INDEX one_open_difference ON ledger.differences (check_name, subject)
    WHERE state IN ('open', 'assigned');
CREATE INDEX differences_by_state ON ledger.differences (state, difference_id);
CREATE TRIGGER append_only
    BEFORE UPDATE OF difference_id, reconciliation_id, check_name, subject, reason, opened_at
        OR DELETE OR TRUNCATE
    ON ledger.differences FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
