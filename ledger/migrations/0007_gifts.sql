-- Group commit of gifts: one call posts all that wait, each accepted or refused by itself.
--
-- Plans of a writer are made once, often on tables that are still empty, where reading all of them
-- looks best. What keeps them good: a lookup is LATERAL with OFFSET 0 or a lock, which can only be
-- done row by row through an index; and where an UPDATE is joined, its source has a LIMIT that is
-- no constant, of which the planner expects a single row.

-- Judges gifts as ledger.transfer.settle_gift says, one by one and in order of arrival where the
-- payer is among `p_doubtful`; their wallets are locked. The others are posted. A refused gift leaves
-- its coins to those behind it; an equal one in front of it counts.
CREATE FUNCTION ledger.judge_gifts(
    p_doubtful uuid[], p_currency text, p_payers uuid[], p_requests uuid[], p_hashes bytea[],
    p_payees uuid[], p_totals bigint[]
) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    v_results text[] := array_fill('posted'::text, ARRAY[cardinality(p_payers)]);
    v_firsts integer[] := array_fill(NULL::integer, ARRAY[cardinality(p_payers)]);
    v_first integer;  -- the gift in front that was posted under the same key
    v_gift record;
    v_payer uuid;
    v_left bigint;
BEGIN
    FOR v_gift IN
        SELECT g.n, g.payer_id, g.request_hash, g.total_minor, known.result AS known_result,
               lag(g.n) OVER (PARTITION BY g.payer_id, g.request_id ORDER BY g.n) AS previous,
               coalesce(w.balance_minor - w.held_minor, 0) AS available_minor,
               w.closed_at IS NOT NULL OR EXISTS (
                   SELECT FROM ledger.accounts e
                   WHERE e.owner_id = g.payee_id AND e.code = 'earnings'
                     AND e.currency = p_currency AND e.closed_at IS NOT NULL) AS closed
        FROM unnest(p_payers, p_requests, p_hashes, p_payees, p_totals) WITH ORDINALITY
            AS g (payer_id, request_id, request_hash, payee_id, total_minor, n)
        LEFT JOIN LATERAL (
            SELECT * FROM ledger.accounts a
            WHERE a.owner_id = g.payer_id AND a.code = 'wallet' AND a.currency = p_currency
              AND a.shard = 0 OFFSET 0
        ) w ON true
        LEFT JOIN LATERAL
            ledger.first_answer(g.payer_id, g.request_id, g.request_hash) known ON true
        WHERE g.payer_id = ANY (p_doubtful)
        ORDER BY g.payer_id, g.n
    LOOP
        IF v_gift.payer_id IS DISTINCT FROM v_payer THEN
            v_payer := v_gift.payer_id;
            v_left := v_gift.available_minor;
        END IF;
        v_first := CASE v_results[v_gift.previous]
            WHEN 'posted' THEN v_gift.previous ELSE v_firsts[v_gift.previous] END;
        v_firsts[v_gift.n] := v_first;
        v_results[v_gift.n] := CASE
            WHEN v_gift.known_result IS NOT NULL THEN v_gift.known_result
            WHEN p_hashes[v_first] <> v_gift.request_hash THEN 'idempotency_mismatch'
            WHEN v_first IS NOT NULL THEN 'repeated'
            WHEN v_gift.closed THEN 'account_closed'
            WHEN v_left < v_gift.total_minor THEN 'insufficient_funds:' || v_left
            ELSE 'posted'
        END;
        IF v_results[v_gift.n] = 'posted' THEN
            v_left := v_left - v_gift.total_minor;
        END IF;
    END LOOP;
    RETURN v_results;
END $$;

-- Credits the payees of gifts on their sub-accounts of the shard, as far as these exist. Gives the
-- accounts with their balances after it, what is on the payees' other sub-accounts, and which have
-- moved. `moved_at` becomes the time of the batch, or stays where a clock that ran ahead has put it.
CREATE FUNCTION ledger.credit_earnings(
    p_shard smallint, p_currency text, p_payees uuid[], p_totals bigint[], p_fees bigint[],
    p_at timestamptz, OUT owners uuid[], OUT accounts uuid[], OUT after bigint[],
    OUT elsewhere bigint[], OUT moved uuid[], OUT moved_at timestamptz
) LANGUAGE plpgsql AS $$
BEGIN
    WITH earned AS (
        SELECT payee_id, ledger.total(total_minor - fee_minor) AS earned_minor
        FROM unnest(p_payees, p_totals, p_fees) AS g (payee_id, total_minor, fee_minor)
        GROUP BY payee_id ORDER BY payee_id LIMIT cardinality(p_payees)
    ), credited AS (
        UPDATE ledger.accounts a
        SET balance_minor = a.balance_minor + earned.earned_minor,
            moved_at = CASE WHEN earned.earned_minor > 0 THEN greatest(a.moved_at, p_at)
                       ELSE a.moved_at END
        FROM earned
        WHERE a.owner_id = earned.payee_id AND a.code = 'earnings' AND a.currency = p_currency
          AND a.shard = p_shard
        RETURNING a.owner_id, a.account_id, a.balance_minor, a.moved_at,
                  earned.earned_minor > 0 AS has_moved
    )
    SELECT array_agg(c.owner_id), array_agg(c.account_id), array_agg(c.balance_minor),
           array_agg((
               SELECT ledger.total(o.balance_minor) FROM ledger.accounts o
               WHERE o.owner_id = c.owner_id AND o.code = 'earnings'
                 AND o.currency = p_currency AND o.shard <> p_shard)),
           array_agg(c.account_id) FILTER (WHERE c.has_moved),
           max(c.moved_at) FILTER (WHERE c.has_moved)
    INTO owners, accounts, after, elsewhere, moved, moved_at
    FROM credited c;
END $$;

-- Books gifts that were judged to be posted, given as arrays in their order; the payers' wallets are
-- locked. Gives the payers' balances after each.
CREATE FUNCTION ledger.book_gifts(
    p_shard smallint, p_currency text, p_owners uuid[], p_wallets uuid[], p_before bigint[],
    p_payers uuid[], p_requests uuid[], p_hashes bytea[], p_payees uuid[], p_totals bigint[],
    p_fees bigint[], p_transactions uuid[], p_descriptions text[], p_events text[],
    INOUT p_at timestamptz, OUT balances bigint[]
) LANGUAGE plpgsql AS $$
DECLARE
    v_earned record;  -- as of credit_earnings
    v_new record;
    v_missing uuid[];
    v_fees uuid;
    v_fees_minor bigint;
    v_fees_after bigint;
    v_batch bigint;
    v_tail text;  -- what all events of the batch end with
BEGIN
    v_earned := ledger.credit_earnings(p_shard, p_currency, p_payees, p_totals, p_fees, p_at);
    SELECT ledger.total(fee_minor), array_agg(DISTINCT payee_id) FILTER (WHERE owner_id IS NULL)
    INTO v_fees_minor, v_missing
    FROM unnest(p_payees, p_fees) AS g (payee_id, fee_minor)
    LEFT JOIN unnest(v_earned.owners) AS known (owner_id) ON owner_id = payee_id;
    IF v_missing IS NOT NULL THEN
        PERFORM ledger.open_account(payee_id, 'earnings', p_currency, p_shard)
            FROM unnest(v_missing) payee_id ORDER BY payee_id;
        SELECT c.* INTO v_new
        FROM (
            SELECT array_agg(payee_id) AS payees, array_agg(total_minor) AS totals,
                   array_agg(fee_minor) AS fees
            FROM unnest(p_payees, p_totals, p_fees) AS g (payee_id, total_minor, fee_minor)
            WHERE payee_id = ANY (v_missing)
        ) g, ledger.credit_earnings(p_shard, p_currency, payees, totals, fees, p_at) c;
        v_earned.owners := v_earned.owners || v_new.owners;
        v_earned.accounts := v_earned.accounts || v_new.accounts;
        v_earned.after := v_earned.after || v_new.after;
        v_earned.elsewhere := v_earned.elsewhere || v_new.elsewhere;
        v_earned.moved := v_earned.moved || v_new.moved;
        v_earned.moved_at := greatest(v_earned.moved_at, v_new.moved_at);
    END IF;
    IF v_fees_minor > 0 THEN
        v_fees := ledger.open_account(NULL, 'fees', p_currency, p_shard);
        SELECT balance_minor + v_fees_minor, greatest(moved_at, v_earned.moved_at, p_at)
            INTO v_fees_after, v_earned.moved_at
            FROM ledger.accounts WHERE account_id = v_fees FOR NO KEY UPDATE;
    END IF;
    IF v_earned.moved_at > p_at THEN  -- along an account, time never goes back
        p_at := v_earned.moved_at;
        UPDATE ledger.accounts SET moved_at = p_at WHERE account_id = ANY (v_earned.moved);
    END IF;
    v_batch := nextval('ledger.batch_numbers');  -- after the first write, see ledger.next_batch
    v_tail := '},"occurred_at":"' || ledger.rfc3339(p_at) || '","sequence":' || v_batch || '}';

    WITH gift AS MATERIALIZED (
        SELECT g.*, w.account_id AS wallet, e.account_id AS earnings,
               w.balance_minor - ledger.total(g.total_minor) OVER (PARTITION BY g.payer_id ORDER BY n)
                   AS payer_after,
               e.balance_minor + g.total_minor - g.fee_minor - ledger.total(
                   g.total_minor - g.fee_minor) OVER (PARTITION BY g.payee_id ORDER BY n DESC)
                   AS payee_after,
               e.elsewhere_minor,
               v_fees_after + g.fee_minor - ledger.total(g.fee_minor) OVER (ORDER BY n DESC)
                   AS fees_after
        FROM unnest(
            p_payers, p_requests, p_hashes, p_payees, p_totals, p_fees, p_transactions,
            p_descriptions, p_events
        ) WITH ORDINALITY AS g (
            payer_id, request_id, request_hash, payee_id, total_minor, fee_minor, transaction_id,
            description, event, n)
        JOIN unnest(p_owners, p_wallets, p_before)
            AS w (owner_id, account_id, balance_minor) ON w.owner_id = g.payer_id
        JOIN unnest(v_earned.owners, v_earned.accounts, v_earned.after, v_earned.elsewhere)
            AS e (owner_id, account_id, balance_minor, elsewhere_minor) ON e.owner_id = g.payee_id
    ), moved AS (
        UPDATE ledger.accounts a
        SET balance_minor = a.balance_minor + m.amount_minor, moved_at = p_at
        FROM (
            SELECT wallet AS account_id, -ledger.total(total_minor) AS amount_minor
            FROM gift GROUP BY wallet
            UNION ALL SELECT v_fees, v_fees_minor WHERE v_fees_minor > 0
            LIMIT cardinality(p_payers) + 1
        ) m
        WHERE a.account_id = m.account_id
    ), posted AS (
        INSERT INTO ledger.transactions
            (transaction_id, batch, kind, description, posted_at, effective_at)
        SELECT transaction_id, v_batch, 'gift', description, p_at, p_at FROM gift ORDER BY n
    ), booked AS (
        INSERT INTO ledger.journal_entries
            (transaction_id, account_id, amount_minor, balance_minor, batch, posted_at)
        SELECT transaction_id, leg.account_id, leg.amount_minor, leg.balance_minor, v_batch, p_at
        FROM (SELECT * FROM gift ORDER BY n) gift CROSS JOIN LATERAL (VALUES
            (wallet, -total_minor, payer_after),
            (earnings, total_minor - fee_minor, payee_after),
            (v_fees, fee_minor, fees_after)
        ) AS leg (account_id, amount_minor, balance_minor)
        WHERE leg.amount_minor <> 0
    ), answered AS (
        INSERT INTO ledger.requests
            (caller_id, request_id, request_hash, transaction_id, posted_at, answer)
        SELECT payer_id, request_id, request_hash, transaction_id, p_at,
               '{"total_minor":' || total_minor || ',"balance_minor":' || payer_after
                   || ',"currency":"' || p_currency || '"}'
        FROM gift
    ), logged AS (
        INSERT INTO ledger.event_log (sequence, writer, event_count, posted_at, events)
        SELECT v_batch, p_shard, count(*), p_at, '[' || string_agg(
            event || payer_after || ',"payee_balance_minor":' || payee_after + elsewhere_minor
                || v_tail, ',' ORDER BY n) || ']'
        FROM gift
    )
    SELECT array_agg(payer_after ORDER BY n) INTO balances FROM gift;
END $$;

-- Posts a batch of gifts, given as arrays in their order of arrival, in one transaction. `results`
-- are members of ledger.transfer.TransferResult, insufficient_funds with what was available behind a
-- colon; `balances` those of the payers after each posted gift, one for each of these; `answers` the
-- first answers where gifts are repeated. `posted_at` is NULL where nothing was posted.
--
-- Payers of whom all gifts are new and covered, which is nearly everyone, are judged together; the
-- gifts of the others one by one. `p_shard` is the caller's alone (ledger.take_shard), so that no
-- other writer waits for its sub-accounts of streamers and of the house.
CREATE FUNCTION ledger.post_gifts(
    p_shard smallint, p_currency text, p_payers uuid[], p_requests uuid[], p_hashes bytea[],
    p_payees uuid[], p_totals bigint[], p_fees bigint[], p_transactions uuid[],
    p_descriptions text[], p_events text[],
    OUT posted_at timestamptz, OUT results text[], OUT balances bigint[], OUT answers text[]
) LANGUAGE plpgsql SET enable_seqscan = off SET enable_mergejoin = off AS $$
DECLARE
    v_owners uuid[];
    v_wallets uuid[];
    v_balances bigint[];
    v_available bigint[];
    v_at timestamptz;
    v_doubtful uuid[];
BEGIN
    -- Equal requests meet at the payer's wallet: the second waits here, then finds the answer.
    SELECT array_agg(owner_id), array_agg(account_id), array_agg(balance_minor),
           array_agg(available_minor), max(moved_at)
    INTO v_owners, v_wallets, v_balances, v_available, v_at
    FROM (
        SELECT a.owner_id, a.account_id, a.balance_minor, a.moved_at,
               CASE WHEN a.closed_at IS NULL THEN a.balance_minor - a.held_minor END
                   AS available_minor
        FROM (SELECT DISTINCT payer_id FROM unnest(p_payers) payer_id ORDER BY payer_id) g
        CROSS JOIN LATERAL (
            SELECT * FROM ledger.accounts a
            WHERE a.owner_id = g.payer_id AND a.code = 'wallet' AND a.currency = p_currency
              AND a.shard = 0
            FOR NO KEY UPDATE
        ) a
    ) locked;
    v_at := greatest(v_at, date_trunc('milliseconds', clock_timestamp()));

    SELECT array_agg(payer_id) INTO v_doubtful FROM (
        SELECT payer_id FROM (
            SELECT payer_id, ledger.total(total_minor) AS total_minor
            FROM unnest(p_payers, p_totals) AS g (payer_id, total_minor) GROUP BY payer_id
        ) spent
        LEFT JOIN unnest(v_owners, v_available) AS w (owner_id, available_minor)
            ON owner_id = payer_id
        WHERE coalesce(available_minor, 0) < total_minor
        UNION
        SELECT payer_id FROM unnest(p_payers, p_requests) AS g (payer_id, request)
        CROSS JOIN LATERAL (
            SELECT FROM ledger.requests r
            WHERE r.caller_id = payer_id AND r.request_id = request OFFSET 0
        ) known
        UNION
        SELECT payer_id FROM unnest(p_payers, p_requests) AS g (payer_id, request)
        GROUP BY payer_id, request HAVING count(*) > 1
        UNION
        SELECT payer_id FROM unnest(p_payers, p_payees) AS g (payer_id, payee_id)
        CROSS JOIN LATERAL (
            SELECT FROM ledger.accounts a
            WHERE a.owner_id = payee_id AND a.closed_at IS NOT NULL OFFSET 0
        ) closed
    ) doubtful;

    IF v_doubtful IS NULL THEN
        results := array_fill('posted'::text, ARRAY[cardinality(p_payers)]);
        SELECT b.p_at, b.balances INTO posted_at, balances
        FROM ledger.book_gifts(
            p_shard, p_currency, v_owners, v_wallets, v_balances, p_payers, p_requests, p_hashes,
            p_payees, p_totals, p_fees, p_transactions, p_descriptions, p_events, v_at) b;
        RETURN;
    END IF;

    PERFORM ledger.expire_due(ARRAY(
        SELECT ROW(owner_id, 'wallet', p_currency, -1)::ledger.leg
        FROM unnest(v_doubtful) owner_id), v_at);
    results := ledger.judge_gifts(
        v_doubtful, p_currency, p_payers, p_requests, p_hashes, p_payees, p_totals);
    SELECT b.p_at, b.balances INTO posted_at, balances
    FROM (
        SELECT array_agg(payer) AS payers, array_agg(request) AS requests,
               array_agg(hash) AS hashes, array_agg(payee) AS payees, array_agg(total) AS totals,
               array_agg(fee) AS fees, array_agg(transaction) AS transactions,
               array_agg(description) AS descriptions, array_agg(event) AS events
        FROM unnest(
            p_payers, p_requests, p_hashes, p_payees, p_totals, p_fees, p_transactions,
            p_descriptions, p_events, results
        ) AS g (payer, request, hash, payee, total, fee, transaction, description, event, result)
        WHERE result = 'posted' HAVING count(*) > 0
    ) g, ledger.book_gifts(
        p_shard, p_currency, v_owners, v_wallets, v_balances, payers, requests, hashes, payees,
        totals, fees, transactions, descriptions, events, v_at) b;
    IF 'repeated' = ANY (results) THEN
        SELECT array_agg(known.answer ORDER BY n) INTO answers
        FROM unnest(p_payers, p_requests, p_hashes, results) WITH ORDINALITY
            AS g (payer, request, hash, result, n)
        LEFT JOIN LATERAL ledger.first_answer(payer, request, hash) known
            ON g.result = 'repeated';
    END IF;
END $$;
