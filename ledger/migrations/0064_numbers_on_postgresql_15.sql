-- PostgreSQL 15 lets nobody lock a table as 0055 does who may not update all of its columns, and the
-- server may not. So there nothing was posted but gifts, where it works as a role of its own.

-- As in 0055, in a mode that whoever may open accounts may take, in any version.
CREATE OR REPLACE FUNCTION ledger.next_batch() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_current_xact_id();
    LOCK TABLE ledger.accounts IN ROW EXCLUSIVE MODE;
    RETURN nextval('ledger.batch_numbers');
END $$;
