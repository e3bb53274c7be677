-- The server's role makes no tables: this makes the months ahead for it, as the owner.
--
-- Nothing waits long: the lock that a new partition takes of the default one is given up after two
-- seconds, and the months are made long before they are needed.
CREATE FUNCTION ledger.make_months_ahead(p_months integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
BEGIN
    ASSERT p_months BETWEEN 1 AND 24, 'months';
    PERFORM pg_advisory_xact_lock(hashtextextended('ledger.partitions', 0));
    RETURN ledger.make_partitions(now(), now() + make_interval(months => p_months));
END $$;
REVOKE EXECUTE ON FUNCTION ledger.make_months_ahead(integer) FROM PUBLIC;
