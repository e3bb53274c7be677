-- A sub-account may not be opened beside somebody who is taking from all of them: it would be found by
-- what is taken, but was not locked, so that its entries got numbers and times before their own.
--
-- The main row of a logical account (shard 0) is what both meet at. Who takes from all sub-accounts
-- has it, and then sees every one there is; who opens another shares it with others that do. What is
-- not guarded is never taken from all of its sub-accounts, and needs none of this.

CREATE OR REPLACE FUNCTION ledger.open_account(
    p_owner_id uuid, p_code text, p_currency text, p_shard smallint
) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    v_id uuid;
    v_main uuid;
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
        IF p_shard <> 0 AND (SELECT guarded FROM ledger.chart WHERE code = p_code) THEN
            v_main := ledger.open_account(p_owner_id, p_code, p_currency, 0::smallint);
            PERFORM FROM ledger.accounts WHERE account_id = v_main FOR SHARE;
        END IF;
        INSERT INTO ledger.accounts (owner_id, code, currency, shard)
            VALUES (p_owner_id, p_code, p_currency, p_shard) ON CONFLICT DO NOTHING;
    END LOOP;
    RETURN v_id;
END $$;

-- Opens what is missing and locks every row that the legs may touch: for debits all sub-accounts.
-- Gives the time to post at, which is no earlier than any entry of these accounts.
CREATE OR REPLACE FUNCTION ledger.lock_accounts(p_legs ledger.leg[])
RETURNS timestamptz LANGUAGE plpgsql AS $$
DECLARE
    v_moved_at timestamptz;
    v_closed text;
BEGIN
    FOR v_turn IN 1..2 LOOP  -- the main rows; then all that there are, for nobody opens another
        PERFORM ledger.open_account(owner_id, code, currency,
                CASE v_turn WHEN 1 THEN 0::smallint ELSE ledger.shard_of(owner_id) END)
        FROM (
            SELECT owner_id, code, currency, bool_or(amount_minor < 0 AND guarded) AS spread
            FROM unnest(p_legs) LEFT JOIN ledger.chart USING (code)
            GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
        ) leg
        WHERE CASE v_turn WHEN 1 THEN spread OR owner_id IS NOT NULL ELSE owner_id IS NULL END;
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
                AND CASE v_turn
                    WHEN 1 THEN a.shard = 0 AND (spread OR a.owner_id IS NOT NULL)
                    ELSE spread OR a.shard = ledger.shard_of(leg.owner_id) END
            ORDER BY (a.code = 'wallet') DESC, a.owner_id, a.code, a.shard
            FOR NO KEY UPDATE OF a
        ) locked;
    END LOOP;
    IF v_closed IS NOT NULL THEN
        PERFORM ledger.refuse('account_closed', jsonb_build_object('code', v_closed));
    END IF;
    RETURN greatest(v_moved_at, date_trunc('milliseconds', clock_timestamp()));
END $$;
