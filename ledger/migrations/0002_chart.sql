-- Currencies with their scale, the whole chart, and what an account row knows.
--
-- A logical account is (owner, code, currency). Its rows are sub-accounts, one a shard: writers keep
-- to shards of their own, so that they do not wait for each other's commits, and readers sum.
-- Wallets and available earnings are always one row, shard 0: what is spent or held is judged there.

CREATE TABLE ledger.currencies (
    currency text PRIMARY KEY CHECK (currency ~ '^[A-Z]{3,8}$'),
    -- Digits behind the point: an amount of 150 at scale 2 is 1.50.
    scale    smallint NOT NULL CHECK (scale BETWEEN 0 AND 18)
);
INSERT INTO ledger.currencies (currency, scale)
SELECT 'COIN', 0 UNION SELECT DISTINCT currency, 0 FROM ledger.accounts;

ALTER TABLE ledger.chart ADD COLUMN guarded boolean NOT NULL DEFAULT true;
UPDATE ledger.chart SET guarded = false WHERE code = 'issuance';
INSERT INTO ledger.chart (code, per_user, guarded) VALUES
    ('earnings_available', true, true),    -- matured, to be paid out
    ('chargeback_reserve', true, false),   -- below zero: what the user owes the house
    ('payment_clearing', false, false),    -- money at the payment providers
    ('payouts', false, true),              -- on its way to streamers
    ('refunds', false, false);             -- what the house gave back at its own cost
ALTER TABLE ledger.chart ALTER COLUMN guarded DROP DEFAULT;

ALTER TABLE ledger.accounts
    ADD COLUMN held_minor bigint NOT NULL DEFAULT 0,  -- of the balance, kept back by open holds
    ADD COLUMN moved_at timestamptz NOT NULL DEFAULT 'epoch',  -- of the newest entry
    ADD COLUMN closed_at timestamptz,
    ADD COLUMN metadata jsonb NOT NULL DEFAULT '{}';
UPDATE ledger.accounts a SET moved_at = e.moved_at
FROM (SELECT account_id, max(posted_at) AS moved_at FROM ledger.journal_entries GROUP BY 1) e
WHERE a.account_id = e.account_id;

ALTER TABLE ledger.accounts
    DROP CONSTRAINT never_below_zero,
    -- The guard: what is there, less what is held, is never below zero.
    ADD CONSTRAINT never_below_zero CHECK (
        balance_minor >= held_minor
        OR code IN ('issuance', 'payment_clearing', 'refunds', 'chargeback_reserve')),
    ADD CONSTRAINT never_held_below_zero CHECK (held_minor >= 0),
    ADD CONSTRAINT closed_is_empty CHECK (
        closed_at IS NULL OR (balance_minor = 0 AND held_minor = 0)),
    ADD CONSTRAINT known_currency FOREIGN KEY (currency) REFERENCES ledger.currencies;

-- Few accounts are closed; who is among them is asked for every gift.
CREATE INDEX closed_accounts ON ledger.accounts (owner_id) WHERE closed_at IS NOT NULL;
