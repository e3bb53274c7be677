-- Holds, reversals and closed accounts, where an answer or a refusal was not what it should be.

-- ---- the first answer is asked for before anything is refused: a closed account, say ----

-- As in 0008, less what is owed after a chargeback (chargeback_reserve below zero): that is the house's,
-- and can't be paid out, wherever it came back from. The reserve is read under the lock of the
-- available earnings: whoever takes a gift back has that one as well.
CREATE OR REPLACE FUNCTION ledger.place_hold(
    p_caller_id uuid, p_request_id uuid, p_request_hash bytea, p_owner_id uuid, p_code text,
    p_currency text, p_amount_minor bigint, p_expires_at timestamptz, p_reason text,
    p_metadata jsonb, OUT result text, OUT answer text
) LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    v_leg constant ledger.leg := ROW(p_owner_id, p_code, p_currency, -p_amount_minor)::ledger.leg;
    v_at timestamptz;
    v_account ledger.accounts;
    v_free bigint;
    v_hold ledger.holds;
    v_detail text;
BEGIN
    ASSERT p_amount_minor > 0 AND p_code IN ('wallet', 'earnings_available'), 'hold';
    SELECT f.result, f.answer INTO result, answer
        FROM ledger.first_answer(p_caller_id, p_request_id, p_request_hash) f;
    IF FOUND THEN
        RETURN;
    END IF;
    v_at := ledger.lock_accounts(ARRAY[v_leg]);
    SELECT f.result, f.answer INTO result, answer
        FROM ledger.first_answer(p_caller_id, p_request_id, p_request_hash) f;
    IF FOUND THEN
        RETURN;
    END IF;
    PERFORM ledger.expire_due(ARRAY[v_leg], v_at);
    SELECT * INTO v_account FROM ledger.accounts
        WHERE owner_id = p_owner_id AND code = p_code AND currency = p_currency AND shard = 0;
    v_free := v_account.balance_minor - v_account.held_minor;
    IF p_code = 'earnings_available' THEN
        v_free := v_free + least(0,
            coalesce(ledger.balance_of(p_owner_id, 'chargeback_reserve', p_currency), 0));
    END IF;
    IF v_free < p_amount_minor THEN
        PERFORM ledger.refuse('insufficient_funds', jsonb_build_object(
            'balance_minor', greatest(v_free, 0), 'total_minor', p_amount_minor));
    END IF;
    INSERT INTO ledger.holds
        (hold_id, account_id, amount_minor, reason, metadata, created_at, expires_at)
    VALUES (
        ledger.uuid_v7(v_at), v_account.account_id, p_amount_minor, p_reason, p_metadata, v_at,
        greatest(p_expires_at, v_at + interval '1 millisecond'))
    RETURNING * INTO v_hold;
    UPDATE ledger.accounts SET held_minor = held_minor + p_amount_minor
        WHERE account_id = v_account.account_id;
    PERFORM ledger.log_hold(v_hold, v_at);
    answer := ledger.keep_answer(
        p_caller_id, p_request_id, p_request_hash, NULL, v_at, ledger.hold_document(v_hold));
    result := 'posted';
EXCEPTION WHEN SQLSTATE 'LR001' OR numeric_value_out_of_range THEN
    GET STACKED DIAGNOSTICS v_detail = PG_EXCEPTION_DETAIL;
    SELECT r.result, r.answer INTO result, answer
        FROM ledger.refusal(
            SQLSTATE, SQLERRM, v_detail, p_caller_id, p_request_id, p_request_hash) r;
END $$;

-- As in 0008.
CREATE OR REPLACE FUNCTION ledger.void_hold(
    p_caller_id uuid, p_request_id uuid, p_request_hash bytea, p_hold_id uuid,
    OUT result text, OUT answer text
) LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    v_hold ledger.holds;
    v_at timestamptz;
    v_detail text;
BEGIN
    SELECT f.result, f.answer INTO result, answer
        FROM ledger.first_answer(p_caller_id, p_request_id, p_request_hash) f;
    IF FOUND THEN
        RETURN;
    END IF;
    v_at := ledger.lock_hold(p_hold_id, '{}');
    SELECT * INTO v_hold FROM ledger.holds WHERE hold_id = p_hold_id;
    SELECT f.result, f.answer INTO result, answer
        FROM ledger.first_answer(p_caller_id, p_request_id, p_request_hash) f;
    IF FOUND THEN
        RETURN;
    END IF;
    IF v_hold.state <> 'open' THEN
        PERFORM ledger.refuse('hold_closed', jsonb_build_object('state', v_hold.state));
    END IF;
    PERFORM ledger.close_hold(p_hold_id, 'voided', v_at);
    SELECT * INTO v_hold FROM ledger.holds WHERE hold_id = p_hold_id;
    answer := ledger.keep_answer(
        p_caller_id, p_request_id, p_request_hash, NULL, v_at, ledger.hold_document(v_hold));
    result := 'posted';
EXCEPTION WHEN SQLSTATE 'LR001' OR numeric_value_out_of_range THEN
    GET STACKED DIAGNOSTICS v_detail = PG_EXCEPTION_DETAIL;
    SELECT r.result, r.answer INTO result, answer
        FROM ledger.refusal(
            SQLSTATE, SQLERRM, v_detail, p_caller_id, p_request_id, p_request_hash) r;
END $$;

-- ---- what can't be posted is refused ----

-- As in 0008; nothing is captured to the account that it is held on.
CREATE OR REPLACE FUNCTION ledger.capture_hold(
    p_caller_id uuid, p_request_id uuid, p_request_hash bytea, p_hold_id uuid,
    p_amount_minor bigint, p_to ledger.leg, p_posting jsonb, OUT result text, OUT answer text
) LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    v_hold ledger.holds;
    v_leg ledger.leg;
    v_at timestamptz;
    v_amount bigint;
    v_batch bigint;
    v_posted jsonb;
    v_detail text;
BEGIN
    SELECT f.result, f.answer INTO result, answer
        FROM ledger.first_answer(p_caller_id, p_request_id, p_request_hash) f;
    IF FOUND THEN
        RETURN;
    END IF;
    v_at := ledger.lock_hold(p_hold_id, ARRAY[p_to]);
    SELECT * INTO v_hold FROM ledger.holds WHERE hold_id = p_hold_id;
    SELECT owner_id, code, currency, 0 INTO v_leg
        FROM ledger.accounts WHERE account_id = v_hold.account_id;
    SELECT f.result, f.answer INTO result, answer
        FROM ledger.first_answer(p_caller_id, p_request_id, p_request_hash) f;
    IF FOUND THEN
        RETURN;
    END IF;
    IF p_to.owner_id = v_leg.owner_id AND p_to.code = v_leg.code THEN
        PERFORM ledger.refuse('self_transfer');
    END IF;
    IF v_hold.state <> 'open' THEN
        PERFORM ledger.refuse('hold_closed', jsonb_build_object('state', v_hold.state));
    END IF;
    v_amount := coalesce(p_amount_minor, v_hold.amount_minor - v_hold.captured_minor);
    IF v_amount > v_hold.amount_minor - v_hold.captured_minor THEN
        PERFORM ledger.refuse('insufficient_funds', jsonb_build_object(
            'balance_minor', v_hold.amount_minor - v_hold.captured_minor,
            'total_minor', v_amount));
    END IF;
    UPDATE ledger.accounts SET held_minor = held_minor - v_amount
        WHERE account_id = v_hold.account_id;
    UPDATE ledger.holds
        SET captured_minor = captured_minor + v_amount,
            state = CASE WHEN captured_minor + v_amount = amount_minor THEN 'captured' ELSE 'open' END,
            closed_at = CASE WHEN captured_minor + v_amount = amount_minor THEN v_at END
        WHERE hold_id = p_hold_id RETURNING * INTO v_hold;
    v_batch := ledger.next_batch();
    v_posted := ledger.apply(p_posting || jsonb_build_object('legs', jsonb_build_array(
        jsonb_build_object('owner_id', v_leg.owner_id, 'code', v_leg.code,
            'currency', v_leg.currency, 'amount_minor', -v_amount),
        jsonb_build_object('owner_id', p_to.owner_id, 'code', p_to.code,
            'currency', v_leg.currency, 'amount_minor', v_amount))), v_batch, v_at);
    PERFORM ledger.log_events(v_batch, v_at, jsonb_build_array(
        jsonb_build_object('type', 'posting.made', 'data', v_posted
            || jsonb_build_object('kind', p_posting ->> 'kind', 'reverses', NULL)),
        ledger.hold_event(v_hold)));
    answer := ledger.keep_answer(
        p_caller_id, p_request_id, p_request_hash, (v_posted ->> 'transaction_id')::uuid, v_at,
        jsonb_build_object(
            'postings', jsonb_build_array(v_posted), 'hold', ledger.hold_document(v_hold)));
    result := 'posted';
EXCEPTION WHEN SQLSTATE 'LR001' OR numeric_value_out_of_range THEN
    GET STACKED DIAGNOSTICS v_detail = PG_EXCEPTION_DETAIL;
    SELECT r.result, r.answer INTO result, answer
        FROM ledger.refusal(
            SQLSTATE, SQLERRM, v_detail, p_caller_id, p_request_id, p_request_hash) r;
END $$;

-- As in 0009; of more than one currency only the whole is taken back, as shares are of one sum.
CREATE OR REPLACE FUNCTION ledger.reverse(
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
        SELECT FROM unnest(v_legs) GROUP BY sign(amount_minor)
        HAVING count(*) > 2 OR min(currency) <> max(currency)
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

-- ---- nobody opens a sub-account of what is being closed ----

-- As in 0047, but it has the main row first, where openers wait (0049), and then sees every row there
-- is.
CREATE OR REPLACE FUNCTION ledger.close_account(
    p_owner_id uuid, p_code text, p_currency text, OUT result text, OUT answer text
) LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    v_main uuid;
    v_empty boolean;
    v_closed boolean;
BEGIN
    answer := '{}';
    IF NOT EXISTS (
        SELECT FROM ledger.accounts
        WHERE owner_id = p_owner_id AND code = p_code AND currency = p_currency
    ) THEN
        result := 'unknown_account';
        RETURN;
    END IF;
    v_main := ledger.open_account(p_owner_id, p_code, p_currency, 0::smallint);
    PERFORM FROM ledger.accounts WHERE account_id = v_main FOR NO KEY UPDATE;
    SELECT bool_and(balance_minor = 0 AND held_minor = 0), bool_and(closed_at IS NOT NULL)
    INTO v_empty, v_closed
    FROM (
        SELECT * FROM ledger.accounts
        WHERE owner_id = p_owner_id AND code = p_code AND currency = p_currency
        ORDER BY shard FOR NO KEY UPDATE
    ) locked;
    result := CASE WHEN v_closed THEN 'repeated' WHEN v_empty THEN 'posted'
        ELSE 'account_not_empty' END;
    IF result = 'posted' THEN
        PERFORM set_config('ledger.change_is_noted', 'on', true);
        WITH closed AS (
            UPDATE ledger.accounts SET closed_at = clock_timestamp()
            WHERE owner_id = p_owner_id AND code = p_code AND currency = p_currency
            RETURNING account_id
        )
        INSERT INTO ledger.unsealed_accounts (account_id) SELECT account_id FROM closed;
        PERFORM set_config('ledger.change_is_noted', 'off', true);
    END IF;
END $$;
