-- Holds, what was taken back of a transaction, and references of the world outside.

-- Money kept back on one account until it is captured (posted), voided or expired. The account's
-- held_minor is the sum of what is open, and its guard keeps balance - held from going below zero.
CREATE TABLE ledger.holds (
    hold_id        uuid PRIMARY KEY,
    account_id     uuid NOT NULL REFERENCES ledger.accounts,
    amount_minor   bigint NOT NULL CHECK (amount_minor > 0),
    captured_minor bigint NOT NULL DEFAULT 0,
    state          text NOT NULL DEFAULT 'open'
        CHECK (state IN ('open', 'captured', 'voided', 'expired')),
    reason         text NOT NULL,
    metadata       jsonb,
    created_at     timestamptz NOT NULL,
    -- From this moment on nothing can be captured, whether somebody has looked or not.
    expires_at     timestamptz NOT NULL CHECK (expires_at > created_at),
    closed_at      timestamptz,
    CONSTRAINT captured_at_most_once CHECK (captured_minor BETWEEN 0 AND amount_minor),
    CONSTRAINT closed_has_its_time CHECK ((state = 'open') = (closed_at IS NULL))
);
CREATE INDEX open_holds_of_account ON ledger.holds (account_id, expires_at) WHERE state = 'open';
CREATE INDEX open_holds_by_expiry ON ledger.holds (expires_at) WHERE state = 'open';
CREATE TRIGGER append_only
    BEFORE UPDATE OF hold_id, account_id, amount_minor, created_at, expires_at OR DELETE OR TRUNCATE
    ON ledger.holds FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();

-- How much of a transaction was taken back: at most all of it, over all reversals together.
CREATE TABLE ledger.reversals (
    transaction_id uuid PRIMARY KEY REFERENCES ledger.transactions,
    amount_minor   bigint NOT NULL CHECK (amount_minor > 0),
    reversed_minor bigint NOT NULL DEFAULT 0,
    CONSTRAINT reversed_at_most_once CHECK (reversed_minor BETWEEN 0 AND amount_minor)
);
CREATE TRIGGER append_only
    BEFORE UPDATE OF transaction_id, amount_minor OR DELETE OR TRUNCATE
    ON ledger.reversals FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();

-- What the world outside calls a transaction: a payment provider's id, say. Unique for good.
CREATE TABLE ledger.external_references (
    reference      text PRIMARY KEY CHECK (length(reference) BETWEEN 1 AND 200),
    transaction_id uuid NOT NULL REFERENCES ledger.transactions
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.external_references
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
