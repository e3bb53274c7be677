-- Earnings matured fifty streamers a transaction, and of each all gifts of a week were summed while they
-- were locked: with millions of gifts that took longer than a statement may, each time anew, and
-- whoever stood behind never got anything. Now a streamer is one transaction, looked at before
-- anything is locked; and who is in the way holds up nobody else.

-- What a streamer earned before `p_before` and has not had since: what each sub-account had then, less
-- what was taken from it since. So no gift is looked at; of earnings few entries are debits, and none
-- of those are gifts. Its plan is kept: made anew for all partitions it takes six times as long.
CREATE FUNCTION ledger.ripe_minor(p_owner_id uuid, p_currency text, p_before timestamptz)
RETURNS bigint LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN (
        SELECT ledger.total(coalesce(had.balance_minor, 0) + taken.amount_minor)
        FROM ledger.accounts a
        LEFT JOIN LATERAL (
            SELECT e.balance_minor FROM ledger.journal_entries e
            WHERE e.account_id = a.account_id AND e.posted_at < p_before
            ORDER BY e.posted_at DESC, e.entry_id DESC LIMIT 1
        ) had ON true
        CROSS JOIN LATERAL (
            SELECT ledger.total(e.amount_minor) AS amount_minor FROM ledger.posting_entries e
            WHERE e.account_id = a.account_id AND e.posted_at >= p_before AND e.amount_minor < 0
        ) taken
        WHERE a.owner_id = p_owner_id AND a.code = 'earnings' AND a.currency = p_currency);
END $$;

-- What of a debt after a chargeback can be paid from available earnings that no hold keeps back.
CREATE FUNCTION ledger.payable_minor(p_owner_id uuid, p_currency text)
RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT least(
        ledger.total(balance_minor - held_minor) FILTER (WHERE code = 'earnings_available'),
        -ledger.total(balance_minor) FILTER (WHERE code = 'chargeback_reserve'))
    FROM ledger.accounts
    WHERE owner_id = p_owner_id AND currency = p_currency
      AND code IN ('earnings_available', 'chargeback_reserve')
$$;

-- Looks at no more than `p_limit` streamers behind `p_after`, in order of their ids, for the first who
-- earned something before `p_before`, and moves that to their available earnings; or who owes what is
-- available: earnings came back after the chargeback, from a payout that failed or a hold that ended.
-- Whatever was taken from earnings counts as taken from the oldest. What a streamer owes is paid back
-- first. Gives the last streamer that was looked at, NULL where there is none left, and how many got
-- something.
--
-- Who has closed one of these accounts gets nothing; whose accounts are in use, the next time. Streamers
-- come from the index, in its order; by the range of codes, which any version looks for in the index
-- itself, the wallets between two of them are passed by unread.
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
