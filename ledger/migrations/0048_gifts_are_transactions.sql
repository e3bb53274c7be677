-- A gift's row is its transaction, too: all that ledger.transactions had of one and its entries had not
-- is what statements call it. A row and an index less were a tenth of what a gift cost the database.
--
-- ledger.transactions is what it was, a row a transaction; but now a view. Everything that reads
-- transactions reads it, servers of the version before as well.

-- A view takes the name at once: nobody finds it gone.
-- squawk-ignore renaming-table
ALTER TABLE ledger.transactions RENAME TO posting_transactions;
-- squawk-ignore renaming-object
ALTER INDEX ledger.transactions_pkey RENAME TO posting_transactions_pkey;
-- squawk-ignore renaming-object
ALTER INDEX ledger.transactions_of_batch RENAME TO posting_transactions_of_batch;

-- What takes a gift back refers to it where it will be; see the trigger below.
-- squawk-ignore ban-drop-constraint
ALTER TABLE ledger.reversals DROP CONSTRAINT reversals_transaction_id_fkey;

-- The table came with 0046, in no release: it is small wherever it is, and the locks short. Rows that
-- are there take over what their transactions had.
ALTER TABLE ledger.gift_entries ADD COLUMN description text;
ALTER TABLE ONLY ledger.gift_entries DISABLE TRIGGER append_only;
UPDATE ledger.gift_entries g SET description = t.description
FROM ledger.posting_transactions t WHERE t.transaction_id = g.transaction_id;
ALTER TABLE ONLY ledger.gift_entries ENABLE TRIGGER append_only;
-- squawk-ignore adding-not-nullable-field
ALTER TABLE ledger.gift_entries ALTER COLUMN description SET NOT NULL;
ALTER TABLE ledger.posting_transactions DISABLE TRIGGER append_only;
DELETE FROM ledger.posting_transactions t USING ledger.gift_entries g
WHERE t.transaction_id = g.transaction_id;
ALTER TABLE ledger.posting_transactions ENABLE TRIGGER append_only;
-- What is unique in a table of partitions has their key in it.
-- squawk-ignore require-concurrent-index-creation
CREATE UNIQUE INDEX gift_entries_of_transaction ON ledger.gift_entries (transaction_id, posted_at);

-- As with ledger.journal_entries no branch has a condition of its own, and the reader sees what
-- belongs to one user.
CREATE VIEW ledger.transactions AS
SELECT transaction_id, batch, kind, description, memo, metadata, reverses, posted_at, effective_at
FROM (
    SELECT transaction_id, batch, kind, description, memo, metadata, reverses, posted_at,
           effective_at, NULL::uuid AS payer_account_id, NULL::uuid AS payee_account_id
    FROM ledger.posting_transactions
    UNION ALL
    SELECT transaction_id, batch, 'gift', description, NULL, NULL, NULL, posted_at, posted_at,
           payer_account_id, payee_account_id
    FROM ledger.gift_entries
) transaction
WHERE current_user <> 'sociallive_reader'
   OR payer_account_id IN (
        SELECT account_id FROM ledger.accounts
        WHERE owner_id = nullif(current_setting('app.user_id', true), '')::uuid)
   OR payee_account_id IN (
        SELECT account_id FROM ledger.accounts
        WHERE owner_id = nullif(current_setting('app.user_id', true), '')::uuid)
   OR EXISTS (
        SELECT FROM ledger.posting_entries e JOIN ledger.accounts a USING (account_id)
        WHERE a.owner_id = nullif(current_setting('app.user_id', true), '')::uuid
          AND e.transaction_id = transaction.transaction_id
          AND e.posted_at = transaction.posted_at);

-- ---- what refers to transactions ----

CREATE FUNCTION ledger.refuse_unknown_transaction() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM added
        WHERE NOT EXISTS (
            SELECT FROM ledger.transactions t WHERE t.transaction_id = added.transaction_id))
    THEN
        RAISE EXCEPTION 'what is taken back of is no transaction'
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER known_transaction AFTER INSERT ON ledger.reversals
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_unknown_transaction();

-- As in 0009, of the view; sessions at work may still call the one of the table.
CREATE FUNCTION ledger.legs_booked(p_transaction ledger.transactions)
RETURNS ledger.leg[] LANGUAGE sql STABLE AS $$
    SELECT array_agg(ROW(owner_id, code, currency, amount_minor)::ledger.leg ORDER BY amount_minor)
    FROM (
        SELECT a.owner_id, a.code, a.currency, ledger.total(e.amount_minor) AS amount_minor
        FROM ledger.journal_entries e JOIN ledger.accounts a USING (account_id)
        WHERE e.batch = p_transaction.batch AND e.posted_at = p_transaction.posted_at
          AND e.transaction_id = p_transaction.transaction_id
        GROUP BY a.owner_id, a.code, a.currency
    ) booked
$$;

-- As in 0041: the entries of postings belong to postings.
CREATE OR REPLACE FUNCTION ledger.refuse_unsound_entries() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_sound boolean;
    v_one_currency boolean;
BEGIN
    SELECT count(*) = count(a.currency), min(a.currency) = max(a.currency)
    INTO v_sound, v_one_currency
    FROM (SELECT DISTINCT account_id FROM added) e
    LEFT JOIN LATERAL (
        SELECT currency FROM ledger.accounts a WHERE a.account_id = e.account_id OFFSET 0
    ) a ON true;
    v_sound := v_sound AND NOT EXISTS (
        SELECT FROM (
            SELECT transaction_id, ledger.total(amount_minor) AS total_minor
            FROM added GROUP BY transaction_id
        ) e
        LEFT JOIN LATERAL (
            SELECT true AS there FROM ledger.posting_transactions t
            WHERE t.transaction_id = e.transaction_id OFFSET 0
        ) t ON true
        WHERE total_minor <> 0 OR there IS NULL);
    IF v_sound AND NOT v_one_currency THEN
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

-- ---- who writes ----

-- As in 0046, into the table.
CREATE OR REPLACE FUNCTION ledger.apply(p_posting jsonb, p_batch bigint, p_at timestamptz)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_id constant uuid := ledger.uuid_v7(p_at);
    v_legs constant ledger.leg[] := ledger.legs_of(p_posting);
    v_leg ledger.leg;
    v_booked ledger.booking[] := '{}';
BEGIN
    INSERT INTO ledger.posting_transactions (
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

-- As in 0046, without a row of its own for the transaction.
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

    INSERT INTO ledger.gift_entries (
        batch, posted_at, total_minor, fee_minor, payer_entry_id, payer_balance_minor,
        payee_entry_id, payee_balance_minor, house_entry_id, house_balance_minor, transaction_id,
        payer_account_id, payee_account_id, house_account_id, description)
    SELECT v_batch, v_at, total_minor, fee_minor,
           nextval('ledger.entry_numbers'), balances[payer] + payer_moved,
           CASE WHEN fee_minor < total_minor THEN nextval('ledger.entry_numbers') END,
           CASE WHEN fee_minor < total_minor THEN balances[payee] + payee_moved END,
           CASE WHEN fee_minor > 0 THEN nextval('ledger.entry_numbers') END,
           CASE WHEN fee_minor > 0 THEN v_house_minor + house_moved END,
           transaction_id, v_accounts[payer],
           CASE WHEN fee_minor < total_minor THEN v_accounts[payee] END,
           CASE WHEN fee_minor > 0 THEN p_house END, description
    FROM unnest(
        p_transactions, p_totals, p_fees, p_payer_of, p_payer_moved, p_payee_of, p_payee_moved,
        p_house_moved, p_descriptions
    ) AS g (
        transaction_id, total_minor, fee_minor, payer, payer_moved, payee, payee_moved, house_moved,
        description);
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

-- What servers at work need before the grants are made anew.
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'sociallive_app') THEN
        GRANT SELECT ON ledger.transactions TO sociallive_app;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'sociallive_reader') THEN
        GRANT SELECT ON ledger.transactions TO sociallive_reader;
        REVOKE SELECT ON ledger.posting_transactions FROM sociallive_reader;
    END IF;
END $$;

-- The view is who sees what, now.
DROP POLICY IF EXISTS reader_sees_own ON ledger.posting_transactions;
DROP POLICY IF EXISTS app_works ON ledger.posting_transactions;
ALTER TABLE ledger.posting_transactions DISABLE ROW LEVEL SECURITY;
