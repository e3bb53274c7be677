-- Taking transactions back, maturing earnings, closing accounts.

-- What each logical account of a transaction got (positive) or gave.
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

-- The share of each leg when `p_amount` of `p_total` is taken back after `p_before` was: rounded
-- down over all reversals together, and the rest on the largest of its side, so that parts add up
-- to the whole to the unit. Of more than two legs a side only the whole is taken back.
CREATE FUNCTION ledger.shares(
    p_legs ledger.leg[], p_total bigint, p_before bigint, p_amount bigint
) RETURNS ledger.leg[] LANGUAGE sql IMMUTABLE AS $$
    SELECT array_agg(ROW(owner_id, code, currency, -side * share)::ledger.leg)
    FROM (
        SELECT owner_id, code, currency, side, CASE
            WHEN rank > 1 THEN part
            ELSE p_amount - coalesce(sum(part) FILTER (WHERE rank > 1) OVER (PARTITION BY side), 0)
        END AS share
        FROM (
            SELECT *, row_number() OVER (PARTITION BY side ORDER BY abs(amount_minor) DESC, code)
                       AS rank,
                   (div(abs(amount_minor)::numeric * (p_before + p_amount), p_total)
                       - div(abs(amount_minor)::numeric * p_before, p_total))::bigint AS part
            FROM (SELECT *, sign(amount_minor)::bigint AS side FROM unnest(p_legs)) leg
        ) ranked
    ) shared
$$;

-- The legs that take `p_leg` (a debit) from where there is something: the account itself, for
-- earnings those available, too. For what is then short, `p_shortfall` says: refuse, or reserve
-- (the user owes it, to be had from their next earnings), or house (at the house's cost). The
-- accounts are locked.
CREATE FUNCTION ledger.take_back(p_leg ledger.leg, p_shortfall text)
RETURNS ledger.leg[] LANGUAGE plpgsql AS $$
DECLARE
    v_short bigint := -p_leg.amount_minor;
    v_legs ledger.leg[] := '{}';
    v_code text;
    v_part bigint;
BEGIN
    IF NOT (SELECT guarded FROM ledger.chart WHERE code = p_leg.code) THEN
        RETURN ARRAY[p_leg];
    END IF;
    FOREACH v_code IN ARRAY CASE p_leg.code
        WHEN 'earnings' THEN ARRAY['earnings', 'earnings_available'] ELSE ARRAY[p_leg.code] END
    LOOP
        SELECT least(v_short, ledger.total(balance_minor - held_minor)) INTO v_part
        FROM ledger.accounts
        WHERE (owner_id = p_leg.owner_id OR (owner_id IS NULL AND p_leg.owner_id IS NULL))
          AND code = v_code AND currency = p_leg.currency;
        CONTINUE WHEN coalesce(v_part, 0) = 0;
        v_legs := v_legs || ROW(p_leg.owner_id, v_code, p_leg.currency, -v_part)::ledger.leg;
        v_short := v_short - v_part;
    END LOOP;
    IF v_short > 0 AND p_shortfall = 'refuse' THEN
        PERFORM ledger.refuse('insufficient_funds', jsonb_build_object(
            'balance_minor', -p_leg.amount_minor - v_short, 'total_minor', -p_leg.amount_minor));
    ELSIF v_short > 0 AND p_shortfall = 'reserve' AND p_leg.owner_id IS NOT NULL THEN
        v_legs := v_legs
            || ROW(p_leg.owner_id, 'chargeback_reserve', p_leg.currency, -v_short)::ledger.leg;
    ELSIF v_short > 0 THEN
        v_legs := v_legs || ROW(NULL, 'refunds', p_leg.currency, -v_short)::ledger.leg;
    END IF;
    RETURN v_legs;
END $$;

-- Every account that taking these shares back may touch.
CREATE FUNCTION ledger.touched(p_shares ledger.leg[]) RETURNS ledger.leg[]
LANGUAGE sql IMMUTABLE AS $$
    SELECT p_shares || coalesce(array_agg(ROW(
        CASE WHEN also.code <> 'refunds' THEN s.owner_id END, also.code, s.currency, -1)::ledger.leg),
        '{}')
    FROM unnest(p_shares) s
    JOIN (VALUES
        ('earnings', 'earnings_available'), ('earnings', 'chargeback_reserve'),
        ('earnings', 'refunds'), ('wallet', 'chargeback_reserve'), ('wallet', 'refunds'),
        ('fees', 'refunds')
    ) AS also (of, code) ON also.of = s.code AND s.amount_minor < 0
$$;

-- Takes a gift, a purchase or a grant back, in part or whole, at most once in sum. `p_posting` has
-- kind, description, memo, metadata and reference. `result` and `answer` as of ledger.post.
CREATE FUNCTION ledger.reverse(
    p_caller_id uuid, p_request_id uuid, p_request_hash bytea, p_transaction_id uuid,
    p_amount_minor bigint, p_shortfall text, p_posting jsonb, OUT result text, OUT answer text
) LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    v_original ledger.transactions;
    v_legs ledger.leg[];
    v_total bigint;
    v_before bigint;
    v_amount bigint;
    v_at timestamptz;
    v_shares ledger.leg[];
    v_share ledger.leg;
    v_taken ledger.leg[] := '{}';
    v_batch bigint;
    v_posted jsonb;
    v_detail text;
BEGIN
    SELECT f.result, f.answer INTO result, answer
        FROM ledger.first_answer(p_caller_id, p_request_id, p_request_hash) f;
    IF FOUND THEN
        RETURN;
    END IF;
    SELECT * INTO v_original FROM ledger.transactions WHERE transaction_id = p_transaction_id;
    IF NOT FOUND THEN
        PERFORM ledger.refuse('unknown_transaction');
    ELSIF v_original.kind NOT IN ('gift', 'purchase', 'grant') THEN
        PERFORM ledger.refuse('not_reversible');
    END IF;
    v_legs := ledger.legs_booked(v_original);
    SELECT ledger.total(amount_minor) INTO v_total FROM unnest(v_legs) WHERE amount_minor > 0;

    v_at := ledger.lock_accounts(ledger.touched(ledger.shares(v_legs, v_total, 0, v_total)));
    SELECT f.result, f.answer INTO result, answer
        FROM ledger.first_answer(p_caller_id, p_request_id, p_request_hash) f;
    IF FOUND THEN
        RETURN;
    END IF;
    INSERT INTO ledger.reversals (transaction_id, amount_minor)
        VALUES (p_transaction_id, v_total) ON CONFLICT DO NOTHING;
    SELECT reversed_minor INTO v_before FROM ledger.reversals
        WHERE transaction_id = p_transaction_id FOR NO KEY UPDATE;
    v_amount := coalesce(p_amount_minor, v_total - v_before);
    IF v_amount > v_total - v_before OR v_amount = 0 THEN
        PERFORM ledger.refuse('already_reversed',
            jsonb_build_object('left_minor', v_total - v_before));
    ELSIF v_amount < v_total AND EXISTS (
        SELECT FROM unnest(v_legs) GROUP BY sign(amount_minor) HAVING count(*) > 2
    ) THEN
        PERFORM ledger.refuse('not_reversible');
    END IF;
    UPDATE ledger.reversals SET reversed_minor = reversed_minor + v_amount
        WHERE transaction_id = p_transaction_id;

    v_shares := ledger.shares(v_legs, v_total, v_before, v_amount);
    PERFORM ledger.expire_due(ledger.touched(v_shares), v_at);
    FOR v_share IN SELECT * FROM unnest(v_shares) WHERE amount_minor <> 0 LOOP
        v_taken := v_taken || CASE WHEN v_share.amount_minor > 0
            THEN ARRAY[v_share] ELSE ledger.take_back(v_share, p_shortfall) END;
    END LOOP;
    v_batch := ledger.next_batch();
    v_posted := ledger.apply(p_posting || jsonb_build_object(
        'reverses', p_transaction_id, 'legs', (
            SELECT jsonb_agg(jsonb_build_object(
                'owner_id', owner_id, 'code', code, 'currency', currency,
                'amount_minor', amount_minor))
            FROM (
                SELECT owner_id, code, currency, ledger.total(amount_minor) AS amount_minor
                FROM unnest(v_taken) GROUP BY 1, 2, 3 ORDER BY min(amount_minor) DESC
            ) leg)), v_batch, v_at);
    PERFORM ledger.log_events(v_batch, v_at, jsonb_build_array(jsonb_build_object(
        'type', 'posting.made', 'data', v_posted || jsonb_build_object(
            'kind', p_posting ->> 'kind', 'reverses', p_transaction_id))));
    answer := ledger.keep_answer(
        p_caller_id, p_request_id, p_request_hash, (v_posted ->> 'transaction_id')::uuid, v_at,
        jsonb_build_object('postings', jsonb_build_array(v_posted)));
    result := 'posted';
EXCEPTION WHEN SQLSTATE 'LR001' OR numeric_value_out_of_range THEN
    GET STACKED DIAGNOSTICS v_detail = PG_EXCEPTION_DETAIL;
    SELECT r.result, r.answer INTO result, answer
        FROM ledger.refusal(
            SQLSTATE, SQLERRM, v_detail, p_caller_id, p_request_id, p_request_hash) r;
END $$;

-- Moves what was earned before `p_before` to the available earnings of at most `p_limit` streamers
-- behind `p_after` in order of their ids, as one batch. Whatever was taken from earnings counts as
-- taken from the oldest. What a streamer owes is paid back first. Gives the last streamer that was
-- looked at, NULL where there is none left, and how many got something.
CREATE FUNCTION ledger.mature_earnings(
    p_currency text, p_before timestamptz, p_after uuid, p_limit integer, p_description text,
    OUT last_owner uuid, OUT matured integer
) LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    v_owner uuid;
    v_at timestamptz;
    v_batch bigint;
    v_minor bigint;
    v_owed bigint;
    v_posting jsonb;
    v_postings jsonb := '[]';
    v_events jsonb := '[]';
BEGIN
    FOR v_owner IN
        SELECT DISTINCT owner_id FROM ledger.accounts
        WHERE owner_id > p_after AND code = 'earnings' AND currency = p_currency
          AND balance_minor > 0
        ORDER BY owner_id LIMIT p_limit
    LOOP
        last_owner := v_owner;
        v_at := greatest(v_at, ledger.lock_accounts(ARRAY[
            ROW(v_owner, 'earnings', p_currency, -1)::ledger.leg,
            ROW(v_owner, 'earnings_available', p_currency, 1)::ledger.leg,
            ROW(v_owner, 'chargeback_reserve', p_currency, 1)::ledger.leg]));
        SELECT ledger.total(a.balance_minor) - ledger.total((
                SELECT ledger.total(e.amount_minor) FROM ledger.journal_entries e
                WHERE e.account_id = a.account_id AND e.posted_at >= p_before
                  AND e.amount_minor > 0))
            INTO v_minor
            FROM ledger.accounts a
            WHERE owner_id = v_owner AND code = 'earnings' AND currency = p_currency;
        CONTINUE WHEN v_minor <= 0;
        v_owed := least(v_minor, -ledger.balance_of(v_owner, 'chargeback_reserve', p_currency));
        v_postings := v_postings || jsonb_build_object(
            'kind', 'maturing', 'description', p_description, 'legs', (
                SELECT jsonb_agg(jsonb_build_object(
                    'owner_id', v_owner, 'code', code, 'currency', p_currency,
                    'amount_minor', minor))
                FROM (VALUES
                    ('earnings', -v_minor), ('earnings_available', v_minor - v_owed),
                    ('chargeback_reserve', v_owed)
                ) AS leg (code, minor) WHERE minor <> 0));
    END LOOP;
    matured := jsonb_array_length(v_postings);
    IF matured > 0 THEN
        v_batch := ledger.next_batch();
        FOR v_posting IN SELECT value FROM jsonb_array_elements(v_postings) LOOP
            v_events := v_events || jsonb_build_object(
                'type', 'posting.made', 'data', ledger.apply(v_posting, v_batch, v_at)
                    || jsonb_build_object('kind', 'maturing', 'reverses', NULL));
        END LOOP;
        PERFORM ledger.log_events(v_batch, v_at, v_events);
    END IF;
END $$;

-- Closes an empty account for good. `result`: posted, repeated (it was closed), or why not.
CREATE FUNCTION ledger.close_account(
    p_owner_id uuid, p_code text, p_currency text, OUT result text, OUT answer text
) LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    v_rows bigint;
    v_empty boolean;
    v_closed boolean;
BEGIN
    answer := '{}';
    SELECT count(*), bool_and(balance_minor = 0 AND held_minor = 0), bool_and(closed_at IS NOT NULL)
    INTO v_rows, v_empty, v_closed
    FROM (
        SELECT * FROM ledger.accounts
        WHERE owner_id = p_owner_id AND code = p_code AND currency = p_currency
        ORDER BY shard FOR NO KEY UPDATE
    ) locked;
    result := CASE WHEN v_rows = 0 THEN 'unknown_account' WHEN v_closed THEN 'repeated'
        WHEN v_empty THEN 'posted' ELSE 'account_not_empty' END;
    IF result = 'posted' THEN
        UPDATE ledger.accounts SET closed_at = clock_timestamp()
            WHERE owner_id = p_owner_id AND code = p_code AND currency = p_currency;
    END IF;
END $$;
