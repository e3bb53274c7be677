-- Purchases of coins: paid at a payment provider, then credited to a wallet, or to be refunded.
CREATE TABLE ledger.purchases (
    purchase_id    uuid PRIMARY KEY,
    user_id        uuid NOT NULL,
    recorded_by    uuid NOT NULL,
    request_id     uuid NOT NULL,
    request_hash   bytea NOT NULL,
    amount_minor   bigint NOT NULL CHECK (amount_minor > 0),  -- of the coins
    currency       text NOT NULL,
    paid_minor     bigint NOT NULL CHECK (paid_minor > 0),    -- of what they were paid with
    paid_currency  text NOT NULL,
    reference      text NOT NULL CONSTRAINT one_purchase_a_payment UNIQUE,
    state          text NOT NULL CHECK (state IN ('paid', 'credited', 'refund_due', 'refunded')),
    version        integer NOT NULL CHECK (version > 0),
    recorded_at    timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL,
    transaction_id uuid,
    reason         text,
    CONSTRAINT one_purchase_a_request UNIQUE (recorded_by, request_id),
    CONSTRAINT credited_by_a_transaction CHECK ((transaction_id IS NOT NULL) = (state = 'credited'))
);
CREATE INDEX purchases_by_state ON ledger.purchases (state, purchase_id);
CREATE TRIGGER append_only
    BEFORE UPDATE OF purchase_id, user_id, recorded_by, request_id, request_hash, amount_minor,
        currency, paid_minor, paid_currency, reference, recorded_at OR DELETE OR TRUNCATE
    ON ledger.purchases FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
