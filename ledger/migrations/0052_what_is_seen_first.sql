-- What a user may not see is sorted out before anything else looks at it.
--
-- A view with the owner's rights leaves to the planner in which order its own condition and those of
-- the query are tried: the cheapest first. So a cast in a query of the reader, which fails and says
-- on what, was tried on other users' rows. security_barrier would forbid that, but also that a query
-- goes down the indexes by account in their order: a page of a statement took a hundred times as
-- long. So the condition of the views costs nothing to the planner, less than anything that the
-- reader can write: it makes no functions, neither in a schema nor temporary ones (see the grants).

-- Whether the account is of the user whose rows are read.
CREATE FUNCTION ledger.is_mine(p_account_id uuid) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1e-30 AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM ledger.accounts
        WHERE account_id = p_account_id
          AND owner_id = nullif(current_setting('app.user_id', true), '')::uuid);
END $$;

-- Whether one of the entries of a posting is; the reader has no right to look itself.
CREATE FUNCTION ledger.has_mine(p_transaction_id uuid, p_posted_at timestamptz) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1e-30
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM ledger.posting_entries e JOIN ledger.accounts a USING (account_id)
        WHERE a.owner_id = nullif(current_setting('app.user_id', true), '')::uuid
          AND e.transaction_id = p_transaction_id AND e.posted_at = p_posted_at);
END $$;
REVOKE EXECUTE ON FUNCTION ledger.has_mine FROM PUBLIC;

-- As in 0046, but for the condition: who asks is looked at once a query, which is free for each row.
CREATE OR REPLACE VIEW ledger.journal_entries AS
SELECT entry_id, transaction_id, account_id, amount_minor, balance_minor, batch, posted_at
FROM (
    SELECT entry_id, transaction_id, account_id, amount_minor, balance_minor, batch, posted_at
    FROM ledger.posting_entries
    UNION ALL
    SELECT payer_entry_id, transaction_id, payer_account_id, -total_minor, payer_balance_minor,
           batch, posted_at
    FROM ledger.gift_entries
    UNION ALL
    SELECT payee_entry_id, transaction_id, payee_account_id, total_minor - fee_minor,
           payee_balance_minor, batch, posted_at
    FROM ledger.gift_entries
    UNION ALL
    SELECT house_entry_id, transaction_id, house_account_id, fee_minor, house_balance_minor, batch,
           posted_at
    FROM ledger.gift_entries
) entry
WHERE ((SELECT current_user <> 'sociallive_reader') OR ledger.is_mine(account_id))
  AND (entry_id IS NOT NULL OR account_id IS NOT NULL OR balance_minor IS NOT NULL);

-- As in 0048, likewise.
CREATE OR REPLACE VIEW ledger.transactions AS
SELECT transaction_id, batch, kind, description, memo, metadata, reverses, posted_at, effective_at
FROM (
    SELECT transaction_id, batch, kind, description, memo, metadata, reverses, posted_at,
           effective_at, NULL::uuid AS payer_account_id, NULL::uuid AS payee_account_id
    FROM ledger.posting_transactions
    UNION ALL
    SELECT transaction_id, batch, 'gift', description, NULL, NULL, NULL, posted_at, posted_at,
           payer_account_id, payee_account_id
    FROM ledger.gift_entries
) transaction
WHERE (SELECT current_user <> 'sociallive_reader') OR ledger.is_mine(payer_account_id)
   OR ledger.is_mine(payee_account_id) OR ledger.has_mine(transaction_id, posted_at);

-- What servers at work need before the grants are made anew.
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'sociallive_app') THEN
        GRANT EXECUTE ON FUNCTION ledger.has_mine TO sociallive_app;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'sociallive_reader') THEN
        GRANT EXECUTE ON FUNCTION ledger.has_mine TO sociallive_reader;
    END IF;
END $$;
