-- An account that is described is found by its owner: the condition of 0054 read all accounts there are,
-- with those of the owner locked from where they were met, so gifts waited. Its rows are locked as
-- everybody locks them, the main row first.
CREATE OR REPLACE FUNCTION ledger.describe_account(
    p_owner_id uuid, p_code text, p_currency text, p_metadata jsonb
) RETURNS void LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    v_accounts uuid[];
    v_events jsonb;
BEGIN
    SELECT array_agg(account_id) INTO v_accounts
    FROM (
        SELECT account_id FROM ledger.accounts
        WHERE (owner_id = p_owner_id OR (owner_id IS NULL AND p_owner_id IS NULL))
          AND code = p_code AND currency = p_currency
        ORDER BY shard FOR NO KEY UPDATE
    ) locked;
    PERFORM set_config('ledger.change_is_noted', 'on', true);
    WITH described AS (
        UPDATE ledger.accounts SET metadata = p_metadata
        WHERE account_id = ANY (v_accounts)
        RETURNING *
    ), queued AS (
        INSERT INTO ledger.unsealed_accounts (account_id) SELECT account_id FROM described
    )
    SELECT jsonb_agg(ledger.account_event(d::ledger.accounts) ORDER BY shard) INTO v_events
    FROM described d;
    PERFORM set_config('ledger.change_is_noted', 'off', true);
    IF v_events IS NOT NULL THEN
        PERFORM ledger.log_events(ledger.next_batch(), clock_timestamp(), v_events);
    END IF;
END $$;
