-- Group commit of gifts, laid out by the writer: what can be known of a batch before its wallets are
-- locked is worked out by the caller (ledger/gift_batch.py), and what was found behind the locks is
-- judged there, too (ledger/transfer.py). Here is left what only the database can do.
--
-- Plans of a writer are made once, often on tables that are still empty. What keeps them good: a
-- lookup is LATERAL with OFFSET 0 or a lock, which can only be done row by row through an index; and
-- where an UPDATE is joined, its source has a LIMIT that is no constant, of which the planner expects
-- a single row. Sequential scans and merge joins are forbidden by the writer's connection.
--
-- The functions of 0007 stay for servers of the version before, which may still be at work; they, and
-- the index closed_accounts, which nothing else reads, can go with the version after this one.

-- What speaks against gifts of a batch, for their caller to judge by: what each payer can spend (NULL
-- for a closed wallet), whether a payee's earnings are closed, and of each gift what is known of its
-- request. All NULL where nothing does; the wallets are locked, and missing earnings opened.
CREATE FUNCTION ledger.doubts(
    p_shard smallint, p_currency text, p_payers uuid[], p_payees uuid[], p_changes bigint[],
    p_payer_of integer[], p_requests uuid[], p_hashes bytea[],
    OUT available bigint[], OUT closed boolean[], OUT known text[], OUT answers text[]
) LANGUAGE plpgsql AS $$
DECLARE
    v_short uuid[];  -- payers who can't pay all of their gifts
BEGIN
    FOR v_turn IN 1..2 LOOP
        SELECT array_agg(w.available_minor ORDER BY n),
               array_agg(payer_id) FILTER (
                   WHERE coalesce(w.available_minor + change_minor < 0, true))
        INTO available, v_short
        FROM unnest(p_payers, p_changes[:cardinality(p_payers)]) WITH ORDINALITY
            AS g (payer_id, change_minor, n)
        CROSS JOIN LATERAL (
            SELECT CASE WHEN count(closed_at) = 0 THEN coalesce(sum(left_minor), 0)::bigint END
                       AS available_minor
            FROM (
                SELECT a.closed_at, a.balance_minor - a.held_minor AS left_minor
                FROM ledger.accounts a
                WHERE a.owner_id = payer_id AND a.code = 'wallet' AND a.currency = p_currency
                  AND a.shard = 0
                FOR NO KEY UPDATE
            ) wallet
        ) w;
        EXIT WHEN v_short IS NULL OR v_turn = 2;
        PERFORM ledger.expire_due(ARRAY(
            SELECT ROW(owner_id, 'wallet', p_currency, -1)::ledger.leg
            FROM unnest(v_short) owner_id), date_trunc('milliseconds', clock_timestamp()));
    END LOOP;
    SELECT array_agg(e.closed ORDER BY n) INTO closed
    FROM unnest(p_payees) WITH ORDINALITY AS g (payee_id, n)
    CROSS JOIN LATERAL (
        SELECT count(a.closed_at) > 0 AS closed FROM ledger.accounts a
        WHERE a.owner_id = payee_id AND a.code = 'earnings' AND a.currency = p_currency
    ) e;
    SELECT array_agg(r.result ORDER BY n), array_agg(r.answer ORDER BY n) INTO known, answers
    FROM unnest(p_payer_of, p_requests, p_hashes) WITH ORDINALITY
        AS g (payer, request_id, request_hash, n)
    LEFT JOIN LATERAL
        ledger.first_answer(p_payers[payer], g.request_id, g.request_hash) r ON true;
    IF v_short IS NULL AND true <> ALL (closed)
        AND NOT EXISTS (SELECT FROM unnest(known) result WHERE result IS NOT NULL)
    THEN
        available := NULL;
        closed := NULL;
        known := NULL;
        answers := NULL;
        PERFORM ledger.open_account(payee_id, 'earnings', p_currency, p_shard)
            FROM unnest(p_payees) payee_id;
    END IF;
END $$;

-- Posts a batch of gifts in one transaction: all of them, or none where something speaks against one.
--
-- The accounts of the batch are numbered: the wallets of `p_payers`, the earnings of `p_payees` (both
-- ascending by owner, the order in which they are locked), then the caller's own account of the
-- house, where a gift has a fee. `p_changes` is what is added to each. Gifts are in order of arrival;
-- `p_payer_of` and `p_payee_of` are the numbers of their accounts, and `_moved` says how far an account
-- has moved after the gift since before the batch.
--
-- Nearly always nothing speaks against a gift, so that is what is tried. Where something does, nothing
-- is left of the attempt but an exception: unique_violation for a known request, LR002 for anything
-- else. With `p_look` the batch is looked at before, and what is found is given (ledger.doubts).
--
-- Gives when the gifts were posted, and what the payers had before.
--
-- `p_shard` is the caller's alone (ledger.take_shard), so that no other writer waits for its
-- sub-accounts of streamers and of the house.
CREATE FUNCTION ledger.post_gifts(
    p_shard smallint, p_currency text, p_house uuid, p_look boolean,
    p_payers uuid[], p_payees uuid[], p_changes bigint[],
    p_payer_of integer[], p_payer_moved bigint[], p_payee_of integer[], p_payee_moved bigint[],
    p_house_moved bigint[], p_fees bigint[], p_totals bigint[], p_requests uuid[],
    p_hashes bytea[], p_transactions uuid[], p_descriptions text[], p_events text[],
    OUT posted_at timestamptz, OUT balances bigint[], OUT available bigint[], OUT closed boolean[],
    OUT known text[], OUT answers text[]
) LANGUAGE plpgsql AS $$
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
        WHERE a.account_id = p_house
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
    INSERT INTO ledger.journal_entries
        (transaction_id, account_id, amount_minor, balance_minor, batch, posted_at)
    SELECT transaction_id, leg.*, v_batch, v_at
    FROM unnest(
        p_transactions, p_totals, p_fees, p_payer_of, p_payer_moved, p_payee_of, p_payee_moved,
        p_house_moved
    ) AS g (
        transaction_id, total_minor, fee_minor, payer, payer_moved, payee, payee_moved, house_moved)
    CROSS JOIN LATERAL (VALUES
        (v_accounts[payer], -total_minor, balances[payer] + payer_moved),
        (v_accounts[payee], total_minor - fee_minor, balances[payee] + payee_moved),
        (p_house, fee_minor, v_house_minor + house_moved)
    ) AS leg (account_id, amount_minor, balance_minor)
    WHERE leg.amount_minor <> 0;
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

-- As in 0004, with one look at the currencies instead of sorting them.
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
            SELECT true AS there FROM ledger.transactions t
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
