-- Balances change many thousand times a second, so nothing looks at each changed row of an account: a
-- single trigger of a row, a foreign key's included, made the server fetch every one a second time
-- and was a tenth of what a gift cost the database. What those looked at is looked at where it can
-- change: when an account is opened, a hold is placed, an account is closed.

-- ---- what accounts and holds refer to: looked at when they are made; it is never renamed or removed

CREATE FUNCTION ledger.refuse_unknown_terms() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM added
        WHERE NOT EXISTS (SELECT FROM ledger.chart c WHERE c.code = added.code)
           OR NOT EXISTS (SELECT FROM ledger.currencies c WHERE c.currency = added.currency))
    THEN
        RAISE EXCEPTION 'an account has a code or a currency that does not exist'
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER known_terms AFTER INSERT ON ledger.accounts
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_unknown_terms();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.chart
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.currencies
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();

CREATE FUNCTION ledger.refuse_unknown_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM added
        WHERE NOT EXISTS (SELECT FROM ledger.accounts a WHERE a.account_id = added.account_id))
    THEN
        RAISE EXCEPTION 'a hold is on an account that does not exist'
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER known_account AFTER INSERT ON ledger.holds
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_unknown_account();

ALTER TABLE ledger.accounts
    -- squawk-ignore ban-drop-constraint
    DROP CONSTRAINT accounts_code_fkey,
    -- squawk-ignore ban-drop-constraint
    DROP CONSTRAINT known_currency;
-- squawk-ignore ban-drop-constraint
ALTER TABLE ledger.holds DROP CONSTRAINT holds_account_id_fkey;

-- ---- what the chainer is told of: whoever changes these columns tells it, and nobody else may

DROP TRIGGER note_changed ON ledger.accounts;
-- squawk-ignore ban-drop-function
DROP FUNCTION ledger.note_changed();

CREATE FUNCTION ledger.refuse_unnoted_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('ledger.change_is_noted', true) IS DISTINCT FROM 'on' THEN
        RAISE EXCEPTION 'the hash chain has to know of this change'
            USING ERRCODE = 'restrict_violation',
                  HINT = 'Call ledger.close_account or ledger.describe_account.';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER noted_change BEFORE UPDATE OF closed_at, metadata ON ledger.accounts
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_unnoted_change();

-- As in 0009, and notes the change.
CREATE OR REPLACE FUNCTION ledger.close_account(
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

-- Sets what else is known of an account; on all its sub-accounts.
CREATE FUNCTION ledger.describe_account(
    p_owner_id uuid, p_code text, p_currency text, p_metadata jsonb
) RETURNS void LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
    PERFORM set_config('ledger.change_is_noted', 'on', true);
    WITH described AS (
        UPDATE ledger.accounts SET metadata = p_metadata
        WHERE owner_id IS NOT DISTINCT FROM p_owner_id AND code = p_code AND currency = p_currency
        RETURNING account_id
    )
    INSERT INTO ledger.unsealed_accounts (account_id) SELECT account_id FROM described;
    PERFORM set_config('ledger.change_is_noted', 'off', true);
END $$;
