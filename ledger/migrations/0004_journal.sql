-- Transactions, their entries and the log of batches, as they are from version 0.2 on.
--
-- What commits together is a batch: one row of the log, whose sequence its transactions and entries
-- carry. A row of the log becomes one entry of the Redis stream. Entries and log are partitioned by
-- the month (UTC) in which they were posted; `ledger.make_partitions` makes the months to come, and
-- what finds no month of its own goes to the default partition rather than being refused.
--
-- `posted_at` is the booking time. Along one account it never runs backwards, whatever the clock
-- does: entries in order of `entry_id` are in order of `posted_at`, too.

-- sum() of bigint counts in numeric, at ten times the price; this one refuses an overflow just so.
CREATE AGGREGATE ledger.total(bigint) (
    SFUNC = int8pl, STYPE = bigint, INITCOND = '0', COMBINEFUNC = int8pl, PARALLEL = SAFE);

CREATE SEQUENCE ledger.batch_numbers;
CREATE SEQUENCE ledger.entry_numbers;
SELECT setval('ledger.batch_numbers', greatest(max(sequence), 1), max(sequence) IS NOT NULL)
FROM ledger.event_log;
SELECT setval('ledger.entry_numbers', greatest(max(entry_id), 1), max(entry_id) IS NOT NULL)
FROM ledger.journal_entries;

ALTER TABLE ledger.transactions RENAME TO transactions_0001;
ALTER TABLE ledger.journal_entries RENAME TO journal_entries_0001;
ALTER TABLE ledger.event_log RENAME TO event_log_0001;
ALTER INDEX ledger.transactions_pkey RENAME TO transactions_0001_pkey;
ALTER INDEX ledger.journal_entries_pkey RENAME TO journal_entries_0001_pkey;
ALTER INDEX ledger.journal_entries_of_account RENAME TO journal_entries_0001_of_account;
ALTER INDEX ledger.event_log_pkey RENAME TO event_log_0001_pkey;

CREATE TABLE ledger.transactions (
    transaction_id uuid PRIMARY KEY,
    batch          bigint NOT NULL,
    kind           text NOT NULL CHECK (kind ~ '^[a-z_]{1,32}$'),
    description    text NOT NULL,
    memo           text,   -- for the house; never shown to the accounts' owners
    metadata       jsonb,  -- of the caller
    reverses       uuid,   -- the transaction that this one takes back, in part or whole
    posted_at      timestamptz NOT NULL,
    effective_at   timestamptz NOT NULL  -- when it counts, where that is not when it was booked
);

CREATE TABLE ledger.journal_entries (
    entry_id       bigint NOT NULL DEFAULT nextval('ledger.entry_numbers'),
    transaction_id uuid NOT NULL,
    account_id     uuid NOT NULL,
    amount_minor   bigint NOT NULL CHECK (amount_minor <> 0),
    balance_minor  bigint NOT NULL,  -- of the account, after this entry
    batch          bigint NOT NULL,
    posted_at      timestamptz NOT NULL
) PARTITION BY RANGE (posted_at);
-- Rows only ever come behind the others, so a summary of each run of pages finds a batch; a B-tree
-- for it (or a primary key, which nothing would look at) would be a tenth of the price of a posting.
CREATE INDEX journal_entries_of_batch ON ledger.journal_entries
    USING brin (batch) WITH (pages_per_range = 16, autosummarize = on);
CREATE INDEX journal_entries_of_account
    ON ledger.journal_entries (account_id, posted_at, entry_id);

CREATE TABLE ledger.event_log (
    sequence    bigint NOT NULL,
    writer      smallint NOT NULL,  -- the shard of who posted it
    event_count integer NOT NULL CHECK (event_count > 0),
    posted_at   timestamptz NOT NULL,
    events      text NOT NULL,  -- a JSON array, as it goes to the stream
    PRIMARY KEY (sequence, posted_at)
) PARTITION BY RANGE (posted_at);
-- PostgreSQL's own compression would be a tenth of the price of a posting.
DO $$ BEGIN
    ALTER TABLE ledger.event_log ALTER COLUMN events SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
    ALTER TABLE ledger.event_log ALTER COLUMN events SET STORAGE EXTERNAL;
END $$;

-- ---- partitions ----

-- A statement that names a partition does not fire the triggers of its parent, so each has its own.
CREATE FUNCTION ledger.protect_partition(p_parent text, p_partition text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format(
        'CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.%I
             FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change()', p_partition);
    IF p_parent = 'journal_entries' THEN
        EXECUTE format(
            'CREATE TRIGGER sound_entries AFTER INSERT ON ledger.%I REFERENCING NEW TABLE AS added
                 FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_unsound_entries()', p_partition);
    END IF;
END $$;

-- Partitions of every month from `p_from` to `p_to`, both included; says how many it made.
CREATE FUNCTION ledger.make_partitions(p_from timestamptz, p_to timestamptz)
RETURNS integer LANGUAGE plpgsql SET timezone = 'UTC' AS $$
DECLARE
    v_month timestamptz := date_trunc('month', p_from);
    v_parent text;
    v_name text;
    v_made integer := 0;
BEGIN
    WHILE v_month <= p_to LOOP
        FOREACH v_parent IN ARRAY ARRAY['journal_entries', 'event_log'] LOOP
            v_name := v_parent || to_char(v_month, '_YYYY_MM');
            CONTINUE WHEN to_regclass('ledger.' || v_name) IS NOT NULL;
            EXECUTE format(
                'CREATE TABLE ledger.%I PARTITION OF ledger.%I FOR VALUES FROM (%L) TO (%L)',
                v_name, v_parent, v_month, v_month + interval '1 month');
            PERFORM ledger.protect_partition(v_parent, v_name);
            v_made := v_made + 1;
        END LOOP;
        v_month := v_month + interval '1 month';
    END LOOP;
    RETURN v_made;
END $$;

CREATE TABLE ledger.journal_entries_default PARTITION OF ledger.journal_entries DEFAULT;
CREATE TABLE ledger.event_log_default PARTITION OF ledger.event_log DEFAULT;
SELECT ledger.make_partitions(
    least(now(), (SELECT min(posted_at) FROM ledger.transactions_0001)), now() + interval '3 months');

-- ---- what version 0.1 wrote ----

INSERT INTO ledger.transactions
    (transaction_id, batch, kind, description, memo, posted_at, effective_at)
SELECT t.transaction_id, e.sequence, t.kind, t.description, t.memo, t.posted_at, t.posted_at
FROM ledger.transactions_0001 t
JOIN ledger.event_log_0001 e ON e.data ->> 'transaction_id' = t.transaction_id::text;

INSERT INTO ledger.journal_entries
    (entry_id, transaction_id, account_id, amount_minor, balance_minor, batch, posted_at)
SELECT e.entry_id, e.transaction_id, e.account_id, e.amount_minor, e.balance_minor, t.batch,
       e.posted_at
FROM ledger.journal_entries_0001 e JOIN ledger.transactions t USING (transaction_id);

INSERT INTO ledger.event_log (sequence, writer, event_count, posted_at, events)
SELECT sequence, 0, 1, occurred_at, jsonb_build_array(jsonb_build_object(
    'event_id', event_id, 'sequence', sequence, 'type', type, 'version', version,
    'occurred_at', to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    'data', data))::text
FROM ledger.event_log_0001;

DO $$ BEGIN
    ASSERT (SELECT count(*) FROM ledger.transactions) =
           (SELECT count(*) FROM ledger.transactions_0001), 'a transaction without its event';
    ASSERT (SELECT count(*) FROM ledger.journal_entries) =
           (SELECT count(*) FROM ledger.journal_entries_0001), 'an entry without its transaction';
END $$;

DROP TABLE ledger.transactions_0001, ledger.journal_entries_0001, ledger.event_log_0001;

CREATE INDEX transactions_of_batch ON ledger.transactions
    USING brin (batch) WITH (pages_per_range = 16, autosummarize = on);

-- ---- backstops ----

-- As in 0001 this looks once at the rows of a statement; accounts are looked up once each.
CREATE OR REPLACE FUNCTION ledger.refuse_unsound_entries() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_sound boolean;
    v_currencies bigint;
BEGIN
    SELECT bool_and(known.currency IS NOT NULL) AND NOT EXISTS (
            SELECT FROM (
                SELECT transaction_id, ledger.total(amount_minor) AS total_minor
                FROM added GROUP BY transaction_id
            ) e
            LEFT JOIN LATERAL (
                SELECT true AS there FROM ledger.transactions t
                WHERE t.transaction_id = e.transaction_id OFFSET 0
            ) t ON true
            WHERE total_minor <> 0 OR there IS NULL),
           count(DISTINCT known.currency)
    INTO v_sound, v_currencies
    FROM (
        SELECT a.currency
        FROM (SELECT DISTINCT account_id FROM added) e
        LEFT JOIN LATERAL (
            SELECT currency FROM ledger.accounts a WHERE a.account_id = e.account_id OFFSET 0
        ) a ON true
        GROUP BY a.currency
    ) known;
    IF v_sound AND v_currencies > 1 THEN
        v_sound := NOT EXISTS (
            SELECT FROM added JOIN ledger.accounts a USING (account_id)
            GROUP BY transaction_id, a.currency HAVING sum(amount_minor) <> 0);
    END IF;
    IF NOT v_sound THEN
        RAISE EXCEPTION 'entries must belong to an account and a transaction, and sum to zero'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.journal_entries
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.transactions
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.event_log
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
CREATE TRIGGER sound_entries AFTER INSERT ON ledger.journal_entries
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_unsound_entries();
SELECT ledger.protect_partition('journal_entries', 'journal_entries_default');
SELECT ledger.protect_partition('event_log', 'event_log_default');
