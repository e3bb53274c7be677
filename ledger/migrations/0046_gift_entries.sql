-- Gifts have their entries in one row: nearly all that is posted are gifts, and each is the same
-- three entries. Three rows of their own and a look at their sum were a third of what a gift cost the
-- database; here a gift is sound by its shape.
--
-- ledger.journal_entries is what it was, a row an entry; but now a view of both tables. Everything
-- that reads entries reads it, servers of the version before as well.

-- A view takes the name at once: nobody finds it gone.
-- squawk-ignore renaming-table
ALTER TABLE ledger.journal_entries RENAME TO posting_entries;
-- squawk-ignore renaming-object
ALTER INDEX ledger.journal_entries_of_batch RENAME TO posting_entries_of_batch;
-- squawk-ignore renaming-object
ALTER INDEX ledger.journal_entries_of_account RENAME TO posting_entries_of_account;
DO $$
DECLARE
    v_name text;
BEGIN
    FOR v_name IN
        SELECT c.relname FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid
        WHERE inhparent = 'ledger.posting_entries'::regclass
    LOOP
        EXECUTE format('ALTER TABLE ledger.%I RENAME TO %I', v_name,
            replace(v_name, 'journal_entries', 'posting_entries'));
    END LOOP;
END $$;

-- A gift of `total_minor` goes from the payer's wallet to the payee's earnings, less `fee_minor`,
-- which goes to the house: whatever stands here sums to zero. Each leg has the number of its entry,
-- and what its account had after it; a leg of zero is no entry, and is NULL.
--
-- That the accounts exist, in one currency, and the transaction does is not looked at again, which
-- would be a tenth of the price of a gift: nobody but ledger.post_gifts writes here, with accounts
-- that it has just moved. The server's role may call it, and has no INSERT on the table.
CREATE TABLE ledger.gift_entries (
    batch               bigint NOT NULL,
    posted_at           timestamptz NOT NULL,
    total_minor         bigint NOT NULL CHECK (total_minor > 0),
    fee_minor           bigint NOT NULL CHECK (fee_minor >= 0 AND fee_minor <= total_minor),
    payer_entry_id      bigint NOT NULL,
    payer_balance_minor bigint NOT NULL,
    payee_entry_id      bigint,
    payee_balance_minor bigint,
    house_entry_id      bigint,
    house_balance_minor bigint,
    transaction_id      uuid NOT NULL,
    payer_account_id    uuid NOT NULL,
    payee_account_id    uuid,
    house_account_id    uuid,
    CONSTRAINT a_leg_of_zero_is_no_entry CHECK (
        (payee_entry_id IS NULL) = (fee_minor = total_minor)
        AND (payee_account_id IS NULL) = (fee_minor = total_minor)
        AND (payee_balance_minor IS NULL) = (fee_minor = total_minor)
        AND (house_entry_id IS NULL) = (fee_minor = 0)
        AND (house_account_id IS NULL) = (fee_minor = 0)
        AND (house_balance_minor IS NULL) = (fee_minor = 0))
) PARTITION BY RANGE (posted_at);
CREATE INDEX gift_entries_of_batch ON ledger.gift_entries
    USING brin (batch) WITH (pages_per_range = 16, autosummarize = on);
CREATE INDEX gift_entries_of_payer
    ON ledger.gift_entries (payer_account_id, posted_at, payer_entry_id);
CREATE INDEX gift_entries_of_payee
    ON ledger.gift_entries (payee_account_id, posted_at, payee_entry_id);
CREATE INDEX gift_entries_of_house
    ON ledger.gift_entries (house_account_id, posted_at, house_entry_id);

-- Every entry there is. A branch has no condition of its own: so a query goes down the index of each
-- table by account, and merges them in their order. A leg of which anything is there is shown, so
-- that the hash chain covers it, whoever has put it there. The reader sees the entries of one user's
-- accounts, and none without a user: a gift's row belongs to two, who see a leg each.
CREATE VIEW ledger.journal_entries AS
SELECT entry_id, transaction_id, account_id, amount_minor, balance_minor, batch, posted_at
FROM (
    SELECT entry_id, transaction_id, account_id, amount_minor, balance_minor, batch, posted_at
    FROM ledger.posting_entries
    UNION ALL
    SELECT payer_entry_id, transaction_id, payer_account_id, -total_minor, payer_balance_minor,
           batch, posted_at
    FROM ledger.gift_entries
    UNION ALL
    SELECT payee_entry_id, transaction_id, payee_account_id, total_minor - fee_minor,
           payee_balance_minor, batch, posted_at
    FROM ledger.gift_entries
    UNION ALL
    SELECT house_entry_id, transaction_id, house_account_id, fee_minor, house_balance_minor, batch,
           posted_at
    FROM ledger.gift_entries
) entry
WHERE (entry_id IS NOT NULL OR account_id IS NOT NULL OR balance_minor IS NOT NULL) AND (
    current_user <> 'sociallive_reader'
    OR account_id IN (
        SELECT account_id FROM ledger.accounts
        WHERE owner_id = nullif(current_setting('app.user_id', true), '')::uuid));

-- ---- partitions and backstops ----

CREATE OR REPLACE FUNCTION ledger.protect_partition(p_parent text, p_partition text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format(
        'CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.%I
             FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change()', p_partition);
    IF p_parent = 'posting_entries' THEN
        EXECUTE format(
            'CREATE TRIGGER sound_entries AFTER INSERT ON ledger.%I REFERENCING NEW TABLE AS added
                 FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_unsound_entries()', p_partition);
    END IF;
END $$;

CREATE OR REPLACE FUNCTION ledger.make_partitions(p_from timestamptz, p_to timestamptz)
RETURNS integer LANGUAGE plpgsql SET timezone = 'UTC' AS $$
DECLARE
    v_month timestamptz := date_trunc('month', p_from);
    v_parent text;
    v_name text;
    v_made integer := 0;
BEGIN
    WHILE v_month <= p_to LOOP
        FOREACH v_parent IN ARRAY ARRAY['posting_entries', 'gift_entries', 'event_log'] LOOP
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

CREATE TABLE ledger.gift_entries_default PARTITION OF ledger.gift_entries DEFAULT;
SELECT ledger.protect_partition('gift_entries', 'gift_entries_default');
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.gift_entries
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
SELECT ledger.make_partitions(now(), now() + interval '3 months');

-- ---- who writes ----

-- As in 0006, into the table.
CREATE OR REPLACE FUNCTION ledger.apply(p_posting jsonb, p_batch bigint, p_at timestamptz)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_id constant uuid := ledger.uuid_v7(p_at);
    v_legs constant ledger.leg[] := ledger.legs_of(p_posting);
    v_leg ledger.leg;
    v_booked ledger.booking[] := '{}';
BEGIN
    INSERT INTO ledger.transactions (
        transaction_id, batch, kind, description, memo, metadata, reverses, posted_at, effective_at)
    VALUES (
        v_id, p_batch, p_posting ->> 'kind', p_posting ->> 'description', p_posting ->> 'memo',
        nullif(p_posting -> 'metadata', 'null'), (p_posting ->> 'reverses')::uuid, p_at,
        coalesce((p_posting ->> 'effective_at')::timestamptz, p_at));
    IF p_posting ->> 'reference' IS NOT NULL THEN
        INSERT INTO ledger.external_references (reference, transaction_id)
            VALUES (p_posting ->> 'reference', v_id) ON CONFLICT DO NOTHING;
        IF NOT FOUND THEN
            PERFORM ledger.refuse('duplicate_reference',
                jsonb_build_object('reference', p_posting ->> 'reference'));
        END IF;
    END IF;
    -- Debits first: a transaction does not spend what it brings itself.
    FOR v_leg IN SELECT * FROM unnest(v_legs) ORDER BY amount_minor > 0 LOOP
        v_booked := v_booked || ledger.book(v_leg, p_at);
    END LOOP;
    INSERT INTO ledger.posting_entries
        (transaction_id, account_id, amount_minor, balance_minor, batch, posted_at)
    SELECT v_id, account_id, amount_minor, balance_minor, p_batch, p_at FROM unnest(v_booked);
    RETURN jsonb_build_object(
        'transaction_id', v_id,
        'legs', (
            SELECT jsonb_agg(jsonb_build_object(
                'owner_id', owner_id, 'code', code, 'currency', currency,
                'amount_minor', amount_minor,
                'balance_minor', ledger.balance_of(owner_id, code, currency)) ORDER BY n)
            FROM unnest(v_legs) WITH ORDINALITY AS leg (owner_id, code, currency, amount_minor, n)));
END $$;

-- As in 0041, with a row a gift instead of three, and with the rights of the owner.
CREATE OR REPLACE FUNCTION ledger.post_gifts(
    p_shard smallint, p_currency text, p_house uuid, p_look boolean,
    p_payers uuid[], p_payees uuid[], p_changes bigint[],
    p_payer_of integer[], p_payer_moved bigint[], p_payee_of integer[], p_payee_moved bigint[],
    p_house_moved bigint[], p_fees bigint[], p_totals bigint[], p_requests uuid[],
    p_hashes bytea[], p_transactions uuid[], p_descriptions text[], p_events text[],
    OUT posted_at timestamptz, OUT balances bigint[], OUT available bigint[], OUT closed boolean[],
    OUT known text[], OUT answers text[]
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_payers constant integer := cardinality(p_payers);
    v_owned constant integer := v_payers + cardinality(p_payees);
    v_accounts uuid[];
    v_elsewhere bigint[];  -- what is on the payees' other sub-accounts; NULL where one is closed
    v_house_minor bigint;
    v_moved_at timestamptz;
    v_at timestamptz := date_trunc('milliseconds', clock_timestamp());
    v_batch bigint;
    v_tail text;  -- what all events of the batch end with
BEGIN
    IF p_look THEN
        SELECT d.* INTO available, closed, known, answers
        FROM ledger.doubts(p_shard, p_currency, p_payers, p_payees, p_changes, p_payer_of,
                           p_requests, p_hashes) d;
        IF known IS NOT NULL THEN
            RETURN;
        END IF;
    END IF;

    -- Equal requests meet at the payer's wallet: the second waits here, then finds the first.
    WITH moved AS (
        UPDATE ledger.accounts a
        SET balance_minor = a.balance_minor + m.change_minor,
            moved_at = CASE WHEN m.change_minor = 0 THEN a.moved_at
                       ELSE greatest(a.moved_at, v_at) END
        FROM (
            SELECT owner_id, change_minor, n,
                   CASE WHEN n <= v_payers THEN 'wallet' ELSE 'earnings' END AS code,
                   CASE WHEN n <= v_payers THEN 0 ELSE p_shard END AS shard
            FROM unnest(p_payers || p_payees, p_changes[:v_owned]) WITH ORDINALITY
                AS m (owner_id, change_minor, n)
            LIMIT v_owned
        ) m
        WHERE a.owner_id = m.owner_id AND a.code = m.code AND a.currency = p_currency
          AND a.shard = m.shard AND a.closed_at IS NULL
          AND a.balance_minor + m.change_minor >= a.held_minor
        RETURNING m.n, m.change_minor, a.account_id, a.moved_at,
                  a.balance_minor - m.change_minor AS before_minor,
                  CASE WHEN n > v_payers THEN (
                      SELECT CASE WHEN count(o.closed_at) = 0 THEN coalesce(
                          ledger.total(o.balance_minor) FILTER (WHERE o.shard <> p_shard), 0) END
                      FROM ledger.accounts o
                      WHERE o.owner_id = a.owner_id AND o.code = 'earnings'
                        AND o.currency = p_currency
                  ) ELSE 0 END AS elsewhere_minor
    )
    SELECT array_agg(account_id ORDER BY n), array_agg(before_minor ORDER BY n),
           array_agg(elsewhere_minor ORDER BY n), max(m.moved_at) FILTER (WHERE change_minor <> 0)
    INTO v_accounts, balances, v_elsewhere, v_moved_at FROM moved m;
    IF coalesce(cardinality(v_accounts), 0) < v_owned
        OR array_position(v_elsewhere, NULL) IS NOT NULL
    THEN
        RAISE EXCEPTION USING ERRCODE = 'LR002', MESSAGE = 'something speaks against a gift';
    END IF;
    IF cardinality(p_changes) > v_owned THEN
        UPDATE ledger.accounts a
        SET balance_minor = a.balance_minor + p_changes[v_owned + 1],
            moved_at = greatest(a.moved_at, v_at)
        WHERE a.account_id = p_house AND a.currency = p_currency
        RETURNING a.balance_minor - p_changes[v_owned + 1], greatest(a.moved_at, v_moved_at)
        INTO v_house_minor, v_moved_at;
        v_accounts := v_accounts || p_house;
    END IF;
    IF v_moved_at > v_at THEN  -- along an account, time never goes back, whatever the clock does
        v_at := v_moved_at;
        UPDATE ledger.accounts a SET moved_at = v_at
        WHERE account_id IN (
            SELECT account_id FROM unnest(v_accounts, p_changes) AS m (account_id, change_minor)
            WHERE change_minor <> 0);
    END IF;
    v_batch := nextval('ledger.batch_numbers');  -- after the first write, see ledger.next_batch
    v_tail := '},"occurred_at":"' || ledger.rfc3339(v_at) || '","sequence":' || v_batch || '}';

    INSERT INTO ledger.transactions
        (transaction_id, batch, kind, description, posted_at, effective_at)
    SELECT transaction_id, v_batch, 'gift', description, v_at, v_at
    FROM unnest(p_transactions, p_descriptions) AS g (transaction_id, description);
    INSERT INTO ledger.gift_entries (
        batch, posted_at, total_minor, fee_minor, payer_entry_id, payer_balance_minor,
        payee_entry_id, payee_balance_minor, house_entry_id, house_balance_minor, transaction_id,
        payer_account_id, payee_account_id, house_account_id)
    SELECT v_batch, v_at, total_minor, fee_minor,
           nextval('ledger.entry_numbers'), balances[payer] + payer_moved,
           CASE WHEN fee_minor < total_minor THEN nextval('ledger.entry_numbers') END,
           CASE WHEN fee_minor < total_minor THEN balances[payee] + payee_moved END,
           CASE WHEN fee_minor > 0 THEN nextval('ledger.entry_numbers') END,
           CASE WHEN fee_minor > 0 THEN v_house_minor + house_moved END,
           transaction_id, v_accounts[payer],
           CASE WHEN fee_minor < total_minor THEN v_accounts[payee] END,
           CASE WHEN fee_minor > 0 THEN p_house END
    FROM unnest(
        p_transactions, p_totals, p_fees, p_payer_of, p_payer_moved, p_payee_of, p_payee_moved,
        p_house_moved
    ) AS g (
        transaction_id, total_minor, fee_minor, payer, payer_moved, payee, payee_moved, house_moved);
    INSERT INTO ledger.requests
        (caller_id, request_id, request_hash, transaction_id, posted_at, answer)
    SELECT p_payers[payer], request_id, request_hash, transaction_id, v_at,
           '{"total_minor":' || total_minor || ',"balance_minor":' || balances[payer] + moved_minor
               || ',"currency":"' || p_currency || '"}'
    FROM unnest(p_requests, p_hashes, p_transactions, p_totals, p_payer_of, p_payer_moved)
        AS g (request_id, request_hash, transaction_id, total_minor, payer, moved_minor);
    INSERT INTO ledger.event_log (sequence, writer, event_count, posted_at, events)
    SELECT v_batch, p_shard, count(*), v_at, '[' || string_agg(
        event || balances[payer] + payer_moved || ',"payee_balance_minor":'
            || balances[payee] + payee_moved + v_elsewhere[payee] || v_tail, ',') || ']'
    FROM unnest(p_events, p_payer_of, p_payer_moved, p_payee_of, p_payee_moved)
        AS g (event, payer, payer_moved, payee, payee_moved);
    posted_at := v_at;
    balances := balances[:v_payers];
END $$;

-- What 0041 and 0044 kept for servers of the version before theirs.
-- squawk-ignore ban-drop-function
DROP FUNCTION
    ledger.post_gifts(smallint, text, uuid[], uuid[], bytea[], uuid[], bigint[], bigint[], uuid[],
                      text[], text[]),
    ledger.book_gifts(smallint, text, uuid[], uuid[], bigint[], uuid[], uuid[], bytea[], uuid[],
                      bigint[], bigint[], uuid[], text[], text[], timestamptz),
    ledger.credit_earnings(smallint, text, uuid[], bigint[], bigint[], timestamptz),
    ledger.judge_gifts(uuid[], text, uuid[], uuid[], bytea[], uuid[], bigint[]),
    ledger.read_log(text, integer);
-- Few accounts are closed, so it is small and goes at once.
-- squawk-ignore require-concurrent-index-deletion
DROP INDEX ledger.closed_accounts;

REVOKE EXECUTE ON FUNCTION ledger.post_gifts FROM PUBLIC;
-- What servers at work need before the grants are made anew.
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'sociallive_app') THEN
        GRANT EXECUTE ON FUNCTION ledger.post_gifts TO sociallive_app;
        GRANT SELECT ON ledger.journal_entries, ledger.gift_entries, ledger.gift_entries_default
            TO sociallive_app;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'sociallive_reader') THEN
        GRANT SELECT ON ledger.journal_entries TO sociallive_reader;
        REVOKE SELECT ON ledger.posting_entries FROM sociallive_reader;
    END IF;
END $$;

-- Policies name tables by what they are: these would still see the entries of postings alone.
-- ledger.transactions gets its own anew with the grants (server/grants.py).
DROP POLICY IF EXISTS reader_sees_own ON ledger.transactions;
DROP POLICY IF EXISTS reader_sees_own ON ledger.posting_entries;
DROP POLICY IF EXISTS app_works ON ledger.posting_entries;
ALTER TABLE ledger.posting_entries DISABLE ROW LEVEL SECURITY;
