-- What a batch of gifts has put into the log is told to its writer, too: a publisher in the same process
-- need not read it back.

-- Servers of the version before go on asking for the columns that they know.
-- squawk-ignore ban-drop-function
DROP FUNCTION ledger.post_gifts(
    smallint, text, uuid, boolean, uuid[], uuid[], bigint[], integer[], bigint[], integer[], bigint[],
    bigint[], bigint[], bigint[], uuid[], bytea[], uuid[], text[], text[]);

-- As in 0048, but for what it gives.
CREATE FUNCTION ledger.post_gifts(
    p_shard smallint, p_currency text, p_house uuid, p_look boolean,
    p_payers uuid[], p_payees uuid[], p_changes bigint[],
    p_payer_of integer[], p_payer_moved bigint[], p_payee_of integer[], p_payee_moved bigint[],
    p_house_moved bigint[], p_fees bigint[], p_totals bigint[], p_requests uuid[],
    p_hashes bytea[], p_transactions uuid[], p_descriptions text[], p_events text[],
    OUT posted_at timestamptz, OUT balances bigint[], OUT available bigint[], OUT closed boolean[],
    OUT known text[], OUT answers text[], OUT sequence bigint, OUT events text
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_payers constant integer := cardinality(p_payers);
    v_owned constant integer := v_payers + cardinality(p_payees);
    v_accounts uuid[];
    v_elsewhere bigint[];  -- what is on the payees' other sub-accounts; NULL where one is closed
    v_house_minor bigint;
    v_moved_at timestamptz;
    v_at timestamptz := date_trunc('milliseconds', clock_timestamp());
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
    INSERT INTO ledger.requests
        (caller_id, request_id, request_hash, transaction_id, posted_at, answer)
    SELECT p_payers[payer], request_id, request_hash, transaction_id, v_at,
           '{"total_minor":' || total_minor || ',"balance_minor":' || balances[payer] + moved_minor
               || ',"currency":"' || p_currency || '"}'
    FROM unnest(p_requests, p_hashes, p_transactions, p_totals, p_payer_of, p_payer_moved)
        AS g (request_id, request_hash, transaction_id, total_minor, payer, moved_minor);
    sequence := nextval('ledger.batch_numbers');  -- after the first write, see ledger.next_batch
    v_tail := '},"occurred_at":"' || ledger.rfc3339(v_at) || '","sequence":' || sequence || '}';
    INSERT INTO ledger.gift_entries (
        batch, posted_at, total_minor, fee_minor, payer_entry_id, payer_balance_minor,
        payee_entry_id, payee_balance_minor, house_entry_id, house_balance_minor, transaction_id,
        payer_account_id, payee_account_id, house_account_id, description)
    SELECT sequence, v_at, total_minor, fee_minor,
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
    INSERT INTO ledger.event_log (sequence, writer, event_count, posted_at, events)
    SELECT sequence, p_shard, count(*), v_at, '[' || string_agg(
        event || balances[payer] + payer_moved || ',"payee_balance_minor":'
            || balances[payee] + payee_moved + v_elsewhere[payee] || v_tail, ',') || ']'
    FROM unnest(p_events, p_payer_of, p_payer_moved, p_payee_of, p_payee_moved)
        AS g (event, payer, payer_moved, payee, payee_moved)
    RETURNING event_log.events INTO events;
    posted_at := v_at;
    balances := balances[:v_payers];
END $$;

REVOKE EXECUTE ON FUNCTION ledger.post_gifts FROM PUBLIC;
-- What servers at work need before the grants are made anew.
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'sociallive_app') THEN
        GRANT EXECUTE ON FUNCTION ledger.post_gifts TO sociallive_app;
    END IF;
END $$;

-- Whether another publisher waits for its shift. Moves the cursor, where there is something to move to.
CREATE FUNCTION ledger.shift_is_wanted(p_published bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ledger.move_cursor(p_published);
    RETURN EXISTS (
        SELECT FROM pg_locks
        WHERE locktype = 'advisory' AND NOT granted AND objsubid = 1
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND (classid::bigint << 32) | objid::bigint = hashtextextended('ledger.event_log', 0));
END $$;
