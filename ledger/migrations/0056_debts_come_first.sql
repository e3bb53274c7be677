-- What a user owes after a chargeback (chargeback_reserve below zero) is the house's: it can't be paid
-- out, wherever it is. Available earnings are held for a payout as far as they are more than that, and
-- maturing takes it from them, too: earnings that came back after the chargeback, from a payout that
-- failed or a hold that ended.

-- As in 0008, less what is owed. The reserve is read under the lock of the available earnings: whoever
-- takes a gift back has that one as well.
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

-- As in 0009; what is owed is paid from what matures, and then from what is available and not held.
-- Nobody's debt is paid from available earnings once their other earnings are closed: those can't be
-- locked any more.
CREATE OR REPLACE FUNCTION ledger.mature_earnings(
    p_currency text, p_before timestamptz, p_after uuid, p_limit integer, p_description text,
    OUT last_owner uuid, OUT matured integer
) LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    v_owner uuid;
    v_at timestamptz;
    v_batch bigint;
    v_minor bigint;
    v_free bigint;
    v_owed bigint;
    v_posting jsonb;
    v_postings jsonb := '[]';
    v_events jsonb := '[]';
BEGIN
    FOR v_owner IN
        SELECT DISTINCT a.owner_id FROM ledger.accounts a
        WHERE a.owner_id > p_after AND a.currency = p_currency
          AND (a.code = 'earnings' AND a.balance_minor > 0
            OR a.code = 'chargeback_reserve' AND a.balance_minor < 0 AND EXISTS (
                SELECT FROM ledger.accounts o
                WHERE o.owner_id = a.owner_id AND o.code = 'earnings_available'
                  AND o.currency = p_currency AND o.balance_minor > o.held_minor
            ) AND NOT EXISTS (
                SELECT FROM ledger.accounts o
                WHERE o.owner_id = a.owner_id AND o.code = 'earnings'
                  AND o.currency = p_currency AND o.closed_at IS NOT NULL))
        ORDER BY a.owner_id LIMIT p_limit
    LOOP
        last_owner := v_owner;
        v_at := greatest(v_at, ledger.lock_accounts(ARRAY[
            ROW(v_owner, 'earnings', p_currency, -1)::ledger.leg,
            ROW(v_owner, 'earnings_available', p_currency, -1)::ledger.leg,
            ROW(v_owner, 'chargeback_reserve', p_currency, 1)::ledger.leg]));
        SELECT greatest(0, ledger.total(a.balance_minor) - ledger.total((
                SELECT ledger.total(e.amount_minor) FROM ledger.journal_entries e
                WHERE e.account_id = a.account_id AND e.posted_at >= p_before
                  AND e.amount_minor > 0)))
            INTO v_minor
            FROM ledger.accounts a
            WHERE owner_id = v_owner AND code = 'earnings' AND currency = p_currency;
        SELECT ledger.total(balance_minor - held_minor) INTO v_free FROM ledger.accounts
            WHERE owner_id = v_owner AND code = 'earnings_available' AND currency = p_currency;
        v_owed := least(
            v_minor + v_free, -ledger.balance_of(v_owner, 'chargeback_reserve', p_currency));
        CONTINUE WHEN v_minor = 0 AND v_owed <= 0;
        v_postings := v_postings || jsonb_build_object(
            'kind', 'maturing',
            'description', CASE WHEN v_minor > 0 THEN p_description ELSE 'Owed after a chargeback' END,
            'legs', (
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
