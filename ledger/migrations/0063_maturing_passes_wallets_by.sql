-- Who looked for streamers read the wallet of everybody between two of them: where a million users have few
-- streamers among them that took seconds, and with some more longer than a statement may. What the
-- index itself tells of an account is enough to pass it by.

-- As in 0059 and 0062, but for the range of codes, which any version looks for in the index itself, in
-- the order of owners; a list of codes only the newest do.
CREATE OR REPLACE FUNCTION ledger.mature_earnings(
    p_currency text, p_before timestamptz, p_after uuid, p_limit integer, p_description text,
    OUT last_owner uuid, OUT matured integer
) LANGUAGE plpgsql SET enable_seqscan = off SET enable_sort = off
SET lock_timeout = '250ms' AS $$
DECLARE
    v_owner uuid;
    v_at timestamptz;
    v_batch bigint;
    v_minor bigint;
    v_owed bigint;
BEGIN
    matured := 0;
    FOR v_owner IN
        SELECT DISTINCT owner_id FROM ledger.accounts
        WHERE owner_id > p_after AND currency = p_currency
          AND code BETWEEN 'chargeback_reserve' AND 'earnings'
          AND (code = 'earnings' AND balance_minor > 0
            OR code = 'chargeback_reserve' AND balance_minor < 0)
        ORDER BY owner_id LIMIT p_limit
    LOOP
        last_owner := v_owner;
        EXIT WHEN ledger.ripe_minor(v_owner, p_currency, p_before) > 0
            OR ledger.payable_minor(v_owner, p_currency) > 0;
        v_owner := NULL;
    END LOOP;
    IF v_owner IS NULL THEN
        RETURN;
    END IF;

    v_at := ledger.lock_accounts(ARRAY[
        ROW(v_owner, 'earnings', p_currency, -1)::ledger.leg,
        ROW(v_owner, 'earnings_available', p_currency, -1)::ledger.leg,
        ROW(v_owner, 'chargeback_reserve', p_currency, 1)::ledger.leg]);
    v_minor := greatest(0, ledger.ripe_minor(v_owner, p_currency, p_before));
    SELECT greatest(0, least(
        v_minor + ledger.total(balance_minor - held_minor),
        -ledger.balance_of(v_owner, 'chargeback_reserve', p_currency)))
    INTO v_owed FROM ledger.accounts
    WHERE owner_id = v_owner AND code = 'earnings_available' AND currency = p_currency;
    IF v_minor = 0 AND v_owed = 0 THEN
        RETURN;
    END IF;
    v_batch := ledger.next_batch();
    PERFORM ledger.log_events(v_batch, v_at, jsonb_build_array(jsonb_build_object(
        'type', 'posting.made', 'data', ledger.apply(jsonb_build_object(
            'kind', 'maturing',
            'description', CASE WHEN v_minor > 0 THEN p_description ELSE 'Owed after a chargeback' END,
            'legs', (
                SELECT jsonb_agg(jsonb_build_object(
                    'owner_id', v_owner, 'code', code, 'currency', p_currency,
                    'amount_minor', minor))
                FROM (VALUES
                    ('earnings', -v_minor), ('earnings_available', v_minor - v_owed),
                    ('chargeback_reserve', v_owed)
                ) AS leg (code, minor) WHERE minor <> 0)), v_batch, v_at)
            || jsonb_build_object('kind', 'maturing', 'reverses', NULL))));
    matured := 1;
EXCEPTION
    WHEN lock_not_available THEN
        NULL;
    WHEN SQLSTATE 'LR001' THEN
        IF SQLERRM <> 'account_closed' THEN
            RAISE;
        END IF;
END $$;
