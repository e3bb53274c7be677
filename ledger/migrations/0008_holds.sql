-- Holds: reserve, capture all or part, void, expire. `result` and `answer` as of ledger.post.

-- Keeps an amount of a wallet or of available earnings back until `p_expires_at`.
CREATE FUNCTION ledger.place_hold(
    p_caller_id uuid, p_request_id uuid, p_request_hash bytea, p_owner_id uuid, p_code text,
    p_currency text, p_amount_minor bigint, p_expires_at timestamptz, p_reason text,
    p_metadata jsonb, OUT result text, OUT answer text
) LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    v_leg constant ledger.leg := ROW(p_owner_id, p_code, p_currency, -p_amount_minor)::ledger.leg;
    v_at timestamptz;
    v_account ledger.accounts;
    v_hold ledger.holds;
    v_detail text;
BEGIN
    ASSERT p_amount_minor > 0 AND p_code IN ('wallet', 'earnings_available'), 'hold';
    v_at := ledger.lock_accounts(ARRAY[v_leg]);
    SELECT f.result, f.answer INTO result, answer
        FROM ledger.first_answer(p_caller_id, p_request_id, p_request_hash) f;
    IF FOUND THEN
        RETURN;
    END IF;
    PERFORM ledger.expire_due(ARRAY[v_leg], v_at);
    SELECT * INTO v_account FROM ledger.accounts
        WHERE owner_id = p_owner_id AND code = p_code AND currency = p_currency AND shard = 0;
    IF v_account.balance_minor - v_account.held_minor < p_amount_minor THEN
        PERFORM ledger.refuse('insufficient_funds', jsonb_build_object(
            'balance_minor', v_account.balance_minor - v_account.held_minor,
            'total_minor', p_amount_minor));
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

-- Locks a hold after its account and the accounts of `p_legs`, and expires what is due. Gives the
-- time to post at. Refuses where there is no such hold.
CREATE FUNCTION ledger.lock_hold(p_hold_id uuid, p_legs ledger.leg[])
RETURNS timestamptz LANGUAGE plpgsql AS $$
DECLARE
    v_leg ledger.leg;
    v_at timestamptz;
BEGIN
    SELECT a.owner_id, a.code, a.currency, -1 INTO v_leg
        FROM ledger.holds h JOIN ledger.accounts a USING (account_id) WHERE h.hold_id = p_hold_id;
    IF NOT FOUND THEN
        PERFORM ledger.refuse('unknown_hold');
    END IF;
    v_at := ledger.lock_accounts(v_leg || p_legs);
    PERFORM ledger.expire_due(ARRAY[v_leg], v_at);
    PERFORM FROM ledger.holds WHERE hold_id = p_hold_id FOR NO KEY UPDATE;
    RETURN v_at;
END $$;

-- Posts all that is left of a hold, or part of it, to an account; the rest stays held.
CREATE FUNCTION ledger.capture_hold(
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

-- Gives back what a hold still keeps.
CREATE FUNCTION ledger.void_hold(
    p_caller_id uuid, p_request_id uuid, p_request_hash bytea, p_hold_id uuid,
    OUT result text, OUT answer text
) LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    v_hold ledger.holds;
    v_at timestamptz;
    v_detail text;
BEGIN
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

-- Closes at most `p_limit` holds that are due; says how many.
CREATE FUNCTION ledger.expire_holds(p_limit integer) RETURNS integer
LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    v_account record;
    v_at timestamptz;
    v_count integer := 0;
    v_expired integer;
BEGIN
    FOR v_account IN
        SELECT a.owner_id, a.code, a.currency, a.account_id
        FROM (
            SELECT DISTINCT account_id FROM (
                SELECT account_id FROM ledger.holds
                WHERE state = 'open' AND expires_at <= clock_timestamp()
                ORDER BY expires_at LIMIT p_limit) due
        ) due JOIN ledger.accounts a USING (account_id)
        ORDER BY (a.code = 'wallet') DESC, a.owner_id, a.code
    LOOP
        v_at := ledger.lock_accounts(ARRAY[
            ROW(v_account.owner_id, v_account.code, v_account.currency, -1)::ledger.leg]);
        SELECT count(*) INTO v_expired FROM ledger.holds
            WHERE account_id = v_account.account_id AND state = 'open' AND expires_at <= v_at;
        PERFORM ledger.expire_due(ARRAY[
            ROW(v_account.owner_id, v_account.code, v_account.currency, -1)::ledger.leg], v_at);
        v_count := v_count + v_expired;
    END LOOP;
    RETURN v_count;
END $$;
