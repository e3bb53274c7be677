-- Currencies in the log, and so in the chain: what scale one was added with. COIN is the product's
-- own, of scale 0; what else is there already, or is not like that, is told of as it is found. And what
-- accounts are described with: at first with nothing.

CREATE FUNCTION ledger.log_currency() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ledger.log_events(ledger.next_batch(), clock_timestamp(), jsonb_build_array(
        jsonb_build_object('type', 'currency.added', 'data', jsonb_build_object(
            'currency', NEW.currency, 'scale', NEW.scale))));
    RETURN NULL;
END $$;
CREATE TRIGGER log_currency AFTER INSERT ON ledger.currencies
    FOR EACH ROW EXECUTE FUNCTION ledger.log_currency();

SELECT ledger.log_events(ledger.next_batch(), clock_timestamp(), jsonb_build_array(
    jsonb_build_object('type', 'currency.added', 'data', jsonb_build_object(
        'currency', currency, 'scale', scale))))
FROM ledger.currencies WHERE (currency, scale) <> ('COIN', 0) ORDER BY currency;

-- ---- what accounts are described with ----

CREATE FUNCTION ledger.account_event(p_account ledger.accounts)
RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('type', 'account.described', 'data', jsonb_build_object(
        'account_id', p_account.account_id, 'owner_id', p_account.owner_id,
        'code', p_account.code, 'currency', p_account.currency,
        'metadata_sha256', ledger.sha256_of(p_account.metadata)))
$$;

-- As in 0047, and told of in the log; its rows are found by their owner, and locked as everybody locks
-- them, the main row first.
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

-- Nobody is waited for: what somebody describes in this very moment, by hand, is to be described again.
SELECT ledger.log_events(
    ledger.next_batch(), clock_timestamp(), jsonb_build_array(ledger.account_event(a)))
FROM ledger.accounts a WHERE metadata <> '{}' ORDER BY account_id;
