-- Posting between named accounts: one request, one or many linked postings, all or none.
--
-- Order of locks, here and for gifts, which keeps two postings from waiting for each other: wallets
-- by owner, then the other accounts by owner, code and shard, then the rows of holds and reversals,
-- the row of the request last. READ COMMITTED is what makes a statement after a lock see what the lock
-- was waited for.
--
-- A refusal is raised with SQLSTATE LR001 and caught by the function that callers use: the savepoint
-- takes back whatever was done before it, so a refused request changes nothing.
--
-- The functions that callers use forbid sequential scans: PL/pgSQL keeps its first plans, and those
-- of a ledger that was empty then would read whole tables ever after.

DROP FUNCTION ledger.post_gift, ledger.post_grant, ledger.move, ledger.log_event,
    ledger.first_answer, ledger.user_account, ledger.house_account;

-- One side of a posting: a logical account, and what is added to it. Credits are positive.
CREATE TYPE ledger.leg AS (owner_id uuid, code text, currency text, amount_minor bigint);

-- Where a leg was booked; `balance_minor` of the account after it.
CREATE TYPE ledger.booking AS (account_id uuid, amount_minor bigint, balance_minor bigint);

CREATE FUNCTION ledger.refuse(p_code text, p_detail jsonb DEFAULT '{}')
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'LR001', MESSAGE = p_code, DETAIL = p_detail::text;
END $$;

-- Sub-accounts of the house: batch writers have 1 to 99 to themselves, other connections share these.
CREATE FUNCTION ledger.shared_shard() RETURNS smallint LANGUAGE sql STABLE AS $$
    SELECT (100 + pg_backend_pid() % 16)::smallint
$$;

-- The shard that a writer has to itself until its connection ends; NULL when all are taken.
CREATE FUNCTION ledger.take_shard() RETURNS smallint LANGUAGE plpgsql AS $$
BEGIN
    FOR v_shard IN 1..99 LOOP
        IF pg_try_advisory_lock(hashtext('ledger.shard'), v_shard) THEN
            RETURN v_shard;
        END IF;
    END LOOP;
    RETURN NULL;
END $$;

CREATE FUNCTION ledger.rfc3339(p_at timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT to_char(p_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;

-- A row of a logical account, opened when it is missing.
CREATE FUNCTION ledger.open_account(
    p_owner_id uuid, p_code text, p_currency text, p_shard smallint
) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    v_id uuid;
BEGIN
    LOOP
        SELECT account_id INTO v_id FROM ledger.accounts
            WHERE (owner_id = p_owner_id OR (owner_id IS NULL AND p_owner_id IS NULL))
              AND code = p_code AND currency = p_currency AND shard = p_shard;
        EXIT WHEN FOUND;
        IF NOT EXISTS (
            SELECT FROM ledger.chart WHERE code = p_code AND per_user = (p_owner_id IS NOT NULL)
        ) THEN
            PERFORM ledger.refuse('unknown_account', jsonb_build_object('code', p_code));
        ELSIF NOT EXISTS (SELECT FROM ledger.currencies WHERE currency = p_currency) THEN
            PERFORM ledger.refuse('unknown_currency', jsonb_build_object('currency', p_currency));
        END IF;
        INSERT INTO ledger.accounts (owner_id, code, currency, shard)
            VALUES (p_owner_id, p_code, p_currency, p_shard) ON CONFLICT DO NOTHING;
    END LOOP;
    RETURN v_id;
END $$;

-- What was answered to this request before, and how a repeat is to be answered; or no row. The row
-- of the request keeps of the answer what its other columns do not have.
CREATE FUNCTION ledger.first_answer(p_caller_id uuid, p_request_id uuid, p_request_hash bytea)
RETURNS TABLE (result text, answer text) LANGUAGE sql STABLE AS $$
    SELECT CASE
               WHEN r.request_hash <> p_request_hash THEN 'idempotency_mismatch'
               WHEN r.answer IS NULL THEN 'request_expired'
               ELSE 'repeated'
           END,
           CASE WHEN r.request_hash = p_request_hash THEN
               '{"posted_at":"' || ledger.rfc3339(r.posted_at)
                   || coalesce('","transaction_id":"' || r.transaction_id, '')
                   || '",' || substr(r.answer, 2)
           END
    FROM ledger.requests r WHERE caller_id = p_caller_id AND request_id = p_request_id
$$;

-- The row that a credit goes to, and that a debit of an unguarded account goes to.
CREATE FUNCTION ledger.shard_of(p_owner_id uuid) RETURNS smallint LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN p_owner_id IS NULL THEN ledger.shared_shard() ELSE 0::smallint END
$$;

-- Opens what is missing and locks every row that the legs may touch: for debits all sub-accounts.
-- Gives the time to post at, which is no earlier than any entry of these accounts.
CREATE FUNCTION ledger.lock_accounts(p_legs ledger.leg[])
RETURNS timestamptz LANGUAGE plpgsql AS $$
DECLARE
    v_moved_at timestamptz;
    v_closed text;
BEGIN
    PERFORM ledger.open_account(owner_id, code, currency, ledger.shard_of(owner_id))
        FROM (SELECT DISTINCT owner_id, code, currency FROM unnest(p_legs)) leg;
    SELECT max(moved_at), min(code) FILTER (WHERE closed_at IS NOT NULL)
    INTO v_moved_at, v_closed
    FROM (
        SELECT a.moved_at, a.closed_at, a.code
        FROM (
            SELECT owner_id, code, currency, bool_or(amount_minor < 0 AND guarded) AS spread
            FROM unnest(p_legs) JOIN ledger.chart USING (code) GROUP BY 1, 2, 3
        ) leg
        JOIN ledger.accounts a
            ON (a.owner_id = leg.owner_id OR (a.owner_id IS NULL AND leg.owner_id IS NULL))
            AND a.code = leg.code AND a.currency = leg.currency
            AND (leg.spread OR a.shard = ledger.shard_of(leg.owner_id))
        ORDER BY (a.code = 'wallet') DESC, a.owner_id, a.code, a.shard
        FOR NO KEY UPDATE OF a
    ) locked;
    IF v_closed IS NOT NULL THEN
        PERFORM ledger.refuse('account_closed', jsonb_build_object('code', v_closed));
    END IF;
    RETURN greatest(v_moved_at, date_trunc('milliseconds', clock_timestamp()));
END $$;

-- Frees what holds that are due keep back of the locked accounts of these legs.
CREATE FUNCTION ledger.expire_due(p_legs ledger.leg[], p_at timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ledger.close_hold(h.hold_id, 'expired', p_at)
    FROM (SELECT DISTINCT owner_id, code, currency FROM unnest(p_legs) WHERE amount_minor < 0) leg
    JOIN ledger.accounts a ON a.owner_id = leg.owner_id
        AND a.code = leg.code AND a.currency = leg.currency AND a.held_minor > 0
    JOIN ledger.holds h ON h.account_id = a.account_id
        AND h.state = 'open' AND h.expires_at <= p_at;
END $$;

-- Books one leg. A debit of a guarded account is spread over its sub-accounts.
CREATE FUNCTION ledger.book(p_leg ledger.leg, p_at timestamptz)
RETURNS ledger.booking[] LANGUAGE plpgsql AS $$
DECLARE
    v_booked ledger.booking[] := '{}';
    v_left bigint := p_leg.amount_minor;
    v_row record;
    v_part bigint;
BEGIN
    FOR v_row IN
        SELECT account_id, balance_minor, balance_minor - held_minor AS available_minor
        FROM ledger.accounts a JOIN ledger.chart c USING (code)
        WHERE (owner_id = p_leg.owner_id OR (owner_id IS NULL AND p_leg.owner_id IS NULL))
          AND code = p_leg.code AND currency = p_leg.currency
          AND (CASE WHEN p_leg.amount_minor < 0 AND c.guarded
               THEN balance_minor > held_minor
               ELSE shard = ledger.shard_of(p_leg.owner_id) END)
        ORDER BY shard
    LOOP
        v_part := v_left;
        IF p_leg.amount_minor < 0 AND (SELECT guarded FROM ledger.chart WHERE code = p_leg.code) THEN
            v_part := greatest(v_left, -v_row.available_minor);
        END IF;
        UPDATE ledger.accounts SET balance_minor = balance_minor + v_part, moved_at = p_at
            WHERE account_id = v_row.account_id;
        v_booked := v_booked
            || ROW(v_row.account_id, v_part, v_row.balance_minor + v_part)::ledger.booking;
        v_left := v_left - v_part;
        EXIT WHEN v_left = 0;
    END LOOP;
    IF v_left <> 0 THEN
        PERFORM ledger.refuse('insufficient_funds', jsonb_build_object(
            'code', p_leg.code, 'balance_minor', v_left - p_leg.amount_minor,
            'total_minor', -p_leg.amount_minor));
    END IF;
    RETURN v_booked;
END $$;

-- What is on a logical account of a user after a posting; NULL for the house's, which are spread
-- over sub-accounts that others write to at the same time.
CREATE FUNCTION ledger.balance_of(p_owner_id uuid, p_code text, p_currency text)
RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT sum(balance_minor)::bigint FROM ledger.accounts
    WHERE owner_id = p_owner_id AND code = p_code AND currency = p_currency
$$;

-- Posts one transaction whose accounts are locked. `p_posting` has kind, description, memo,
-- metadata, reference, effective_at, reverses and legs. Gives `transaction_id` and the legs with the
-- balances after them.
CREATE FUNCTION ledger.apply(p_posting jsonb, p_batch bigint, p_at timestamptz)
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
    INSERT INTO ledger.journal_entries
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

CREATE FUNCTION ledger.legs_of(p_posting jsonb) RETURNS ledger.leg[] LANGUAGE sql IMMUTABLE AS $$
    SELECT array_agg(leg ORDER BY n) FROM (
        SELECT n, ROW((value ->> 'owner_id')::uuid, value ->> 'code', value ->> 'currency',
                      (value ->> 'amount_minor')::bigint)::ledger.leg AS leg
        FROM jsonb_array_elements(p_posting -> 'legs') WITH ORDINALITY AS e (value, n)) legs
$$;

-- The number of the next batch. Draw it after the transaction's first write: whoever publishes the
-- log (ledger/gaps.py) counts on a transaction id that is older than the number.
CREATE FUNCTION ledger.next_batch() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_current_xact_id();
    RETURN nextval('ledger.batch_numbers');
END $$;

-- Writes the log's row of a batch; each of `p_events` has type and data.
CREATE FUNCTION ledger.log_events(p_batch bigint, p_at timestamptz, p_events jsonb)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO ledger.event_log (sequence, writer, event_count, posted_at, events)
    SELECT p_batch, 0, jsonb_array_length(p_events), p_at, jsonb_agg(jsonb_build_object(
        'event_id', ledger.uuid_v7(p_at), 'sequence', p_batch, 'type', value ->> 'type',
        'version', 1, 'occurred_at', ledger.rfc3339(p_at), 'data', value -> 'data') ORDER BY n)::text
    FROM jsonb_array_elements(p_events) WITH ORDINALITY AS e (value, n)
$$;

-- Keeps the answer of a request that was carried out, and gives it as every repeat will get it.
CREATE FUNCTION ledger.keep_answer(
    p_caller_id uuid, p_request_id uuid, p_request_hash bytea, p_transaction_id uuid,
    p_at timestamptz, p_answer jsonb
) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ledger.requests
        (caller_id, request_id, request_hash, transaction_id, posted_at, answer)
    VALUES (p_caller_id, p_request_id, p_request_hash, p_transaction_id, p_at, p_answer::text)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN  -- an equal key, for other accounts, was faster
        PERFORM ledger.refuse('raced');
    END IF;
    RETURN (
        SELECT answer FROM ledger.first_answer(p_caller_id, p_request_id, p_request_hash));
END $$;

-- How something that was raised is answered: what lost a race for its request id as the winner was.
CREATE FUNCTION ledger.refusal(
    p_state text, p_code text, p_detail text, p_caller_id uuid, p_request_id uuid,
    p_request_hash bytea
) RETURNS TABLE (result text, answer text) LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF p_state <> 'LR001' THEN
        RETURN QUERY SELECT 'amount_too_large', '{}';
    ELSIF p_code = 'raced' THEN
        RETURN QUERY SELECT * FROM ledger.first_answer(p_caller_id, p_request_id, p_request_hash);
    ELSE
        RETURN QUERY SELECT p_code, p_detail;
    END IF;
END $$;

-- Posts linked postings, all or none, as one batch. The event of each has the type and data that
-- came with it, its transaction_id, its legs, and the balance of its first leg.
-- `result` is a member of ledger.transfer.TransferResult, `answer` JSON.
CREATE FUNCTION ledger.post(
    p_caller_id uuid, p_request_id uuid, p_request_hash bytea, p_postings jsonb,
    OUT result text, OUT answer text
) LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    v_legs ledger.leg[];
    v_at timestamptz;
    v_batch bigint;
    v_posting jsonb;
    v_posted jsonb;
    v_all jsonb := '[]';
    v_events jsonb := '[]';
    v_detail text;
BEGIN
    SELECT f.result, f.answer INTO result, answer
        FROM ledger.first_answer(p_caller_id, p_request_id, p_request_hash) f;
    IF FOUND THEN
        RETURN;
    END IF;
    SELECT array_agg(leg) INTO v_legs
        FROM jsonb_array_elements(p_postings) posting, unnest(ledger.legs_of(posting)) leg;
    v_at := ledger.lock_accounts(v_legs);
    SELECT f.result, f.answer INTO result, answer  -- what a lock was waited for may be an equal one
        FROM ledger.first_answer(p_caller_id, p_request_id, p_request_hash) f;
    IF FOUND THEN
        RETURN;
    END IF;
    PERFORM ledger.expire_due(v_legs, v_at);
    v_batch := ledger.next_batch();
    FOR v_posting IN SELECT value FROM jsonb_array_elements(p_postings) LOOP
        v_posted := ledger.apply(v_posting, v_batch, v_at);
        v_all := v_all || v_posted;
        v_events := v_events || jsonb_build_object(
            'type', v_posting #>> '{event,type}',
            'data', (v_posting #> '{event,data}') || v_posted
                || jsonb_build_object('balance_minor', v_posted #> '{legs,0,balance_minor}'));
    END LOOP;
    PERFORM ledger.log_events(v_batch, v_at, v_events);
    answer := ledger.keep_answer(p_caller_id, p_request_id, p_request_hash,
        (v_all #>> '{0,transaction_id}')::uuid, v_at, jsonb_build_object('postings', v_all));
    result := 'posted';
EXCEPTION WHEN SQLSTATE 'LR001' OR numeric_value_out_of_range THEN
    GET STACKED DIAGNOSTICS v_detail = PG_EXCEPTION_DETAIL;
    SELECT r.result, r.answer INTO result, answer
        FROM ledger.refusal(
            SQLSTATE, SQLERRM, v_detail, p_caller_id, p_request_id, p_request_hash) r;
END $$;

-- Closes a hold, whose account is locked, and frees what it still keeps back.
CREATE FUNCTION ledger.close_hold(p_hold_id uuid, p_state text, p_at timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_hold ledger.holds;
BEGIN
    UPDATE ledger.holds SET state = p_state, closed_at = p_at
        WHERE hold_id = p_hold_id AND state = 'open' RETURNING * INTO v_hold;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    UPDATE ledger.accounts
        SET held_minor = held_minor - (v_hold.amount_minor - v_hold.captured_minor)
        WHERE account_id = v_hold.account_id;
    PERFORM ledger.log_hold(v_hold, p_at);
END $$;

CREATE FUNCTION ledger.hold_event(p_hold ledger.holds) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('type', 'hold.changed', 'data', jsonb_build_object(
        'hold_id', p_hold.hold_id, 'owner_id', a.owner_id, 'code', a.code,
        'currency', a.currency, 'state', p_hold.state, 'amount_minor', p_hold.amount_minor,
        'captured_minor', p_hold.captured_minor, 'balance_minor', a.balance_minor,
        'held_minor', a.held_minor))
    FROM ledger.accounts a WHERE a.account_id = p_hold.account_id
$$;

-- A batch of one event: what became of a hold.
CREATE FUNCTION ledger.log_hold(p_hold ledger.holds, p_at timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ledger.log_events(
        ledger.next_batch(), p_at, jsonb_build_array(ledger.hold_event(p_hold)));
END $$;

-- A hold as answers show it.
CREATE FUNCTION ledger.hold_document(p_hold ledger.holds) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object(
        'hold_id', p_hold.hold_id, 'owner_id', a.owner_id, 'code', a.code, 'currency', a.currency,
        'amount_minor', p_hold.amount_minor, 'captured_minor', p_hold.captured_minor,
        'state', p_hold.state, 'reason', p_hold.reason,
        'expires_at', ledger.rfc3339(p_hold.expires_at))
    FROM ledger.accounts a WHERE a.account_id = p_hold.account_id
$$;
