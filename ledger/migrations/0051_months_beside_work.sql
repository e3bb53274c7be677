-- Months are made beside the work, each for itself: one that can't be made keeps no other from it.
--
-- CREATE TABLE ... PARTITION OF locks the parent against everybody: behind one long reader every gift
-- waited. A table of its own that is attached leaves the parent to those who write. The default
-- partition is still locked, for the moment in which it is looked through; so the wait for it is much
-- shorter than a writer's patience. It is normally empty. What strayed into it moves to its month.

-- Makes the month of `p_month` of a table, unless it is there; says whether it did. Rows of that month
-- in the default partition move into it, `p_most` at the most: they are locked meanwhile. The
-- advisory lock lets one process at a time through.
CREATE FUNCTION ledger.make_month(p_parent text, p_month timestamptz, p_most bigint DEFAULT 10000)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET lock_timeout = '200ms' AS $$
DECLARE
    v_from constant timestamptz := date_trunc('month', p_month);
    v_to constant timestamptz := v_from + interval '1 month';
    v_name constant text := p_parent || to_char(v_from, '_YYYY_MM');
    v_default constant text := p_parent || '_default';
    v_columns text;
    v_strays bigint;
BEGIN
    IF p_parent IS NULL OR p_parent NOT IN ('posting_entries', 'gift_entries', 'event_log') THEN
        RAISE EXCEPTION 'ledger.% has no months', p_parent USING ERRCODE = 'undefined_table';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('ledger.partitions', 0));
    IF to_regclass('ledger.' || v_name) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format(
        'SELECT count(*) FROM ledger.%I WHERE posted_at >= %L AND posted_at < %L',
        v_default, v_from, v_to) INTO v_strays;
    IF v_strays > p_most THEN
        RAISE EXCEPTION '% rows of % are in ledger.%, more than can be moved at work',
                v_strays, to_char(v_from, 'YYYY-MM'), v_default
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'A server moves more of them at its start; see'
                         ' "The database" in docs/OPERATIONS.md.';
    END IF;
    EXECUTE format(
        'CREATE TABLE ledger.%I (LIKE ledger.%I INCLUDING DEFAULTS INCLUDING GENERATED
             INCLUDING CONSTRAINTS INCLUDING STORAGE INCLUDING COMPRESSION)', v_name, p_parent);
    -- In the order in which ATTACH locks them.
    EXECUTE format('LOCK TABLE ONLY ledger.%I IN SHARE UPDATE EXCLUSIVE MODE', p_parent);
    EXECUTE format('LOCK TABLE ledger.%I IN ACCESS EXCLUSIVE MODE', v_default);
    EXECUTE format(
        'SELECT count(*) FROM ledger.%I WHERE posted_at >= %L AND posted_at < %L',
        v_default, v_from, v_to) INTO v_strays;
    IF v_strays > 0 THEN
        -- Nobody else sees the default partition without its trigger.
        EXECUTE format('ALTER TABLE ledger.%I DISABLE TRIGGER append_only', v_default);
        SELECT string_agg(quote_ident(attname), ', ') INTO v_columns FROM pg_attribute
        WHERE attrelid = ('ledger.' || v_name)::regclass AND attnum > 0 AND NOT attisdropped;
        EXECUTE format(
            'WITH moved AS (
                 DELETE FROM ledger.%1$I WHERE posted_at >= %4$L AND posted_at < %5$L RETURNING *
             ) INSERT INTO ledger.%2$I (%3$s) SELECT %3$s FROM moved',
            v_default, v_name, v_columns, v_from, v_to);
        EXECUTE format('ALTER TABLE ledger.%I ENABLE TRIGGER append_only', v_default);
    END IF;
    EXECUTE format(
        'ALTER TABLE ledger.%I ATTACH PARTITION ledger.%I FOR VALUES FROM (%L) TO (%L)',
        p_parent, v_name, v_from, v_to);
    PERFORM ledger.protect_partition(p_parent, v_name);
    RETURN true;
END $$;
REVOKE EXECUTE ON FUNCTION ledger.make_month FROM PUBLIC;

-- Months that are not there, from this one to that in `p_months` months.
CREATE FUNCTION ledger.missing_months(p_months integer)
RETURNS TABLE (parent text, month timestamptz) LANGUAGE sql STABLE SET timezone = 'UTC' AS $$
    SELECT p.parent, m.month
    FROM unnest(ARRAY['posting_entries', 'gift_entries', 'event_log']) AS p (parent)
    CROSS JOIN LATERAL (
        SELECT date_trunc('month', now()) + n * interval '1 month' AS month
        FROM generate_series(0, p_months) AS n
    ) m
    WHERE to_regclass('ledger.' || p.parent || to_char(m.month, '_YYYY_MM')) IS NULL
    ORDER BY m.month, p.parent
$$;

-- All or nothing, for migrations.
CREATE OR REPLACE FUNCTION ledger.make_partitions(p_from timestamptz, p_to timestamptz)
RETURNS integer LANGUAGE plpgsql SET timezone = 'UTC' AS $$
DECLARE
    v_month timestamptz := date_trunc('month', p_from);
    v_parent text;
    v_made integer := 0;
BEGIN
    WHILE v_month <= p_to LOOP
        FOREACH v_parent IN ARRAY ARRAY['posting_entries', 'gift_entries', 'event_log'] LOOP
            v_made := v_made + ledger.make_month(v_parent, v_month)::integer;
        END LOOP;
        v_month := v_month + interval '1 month';
    END LOOP;
    RETURN v_made;
END $$;

-- For servers of the version before, which know no month but all of them.
CREATE OR REPLACE FUNCTION ledger.make_months_ahead(p_months integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_missing record;
    v_made integer := 0;
BEGIN
    IF p_months NOT BETWEEN 1 AND 24 THEN
        RAISE EXCEPTION 'months' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    FOR v_missing IN SELECT * FROM ledger.missing_months(p_months) LOOP
        BEGIN
            v_made := v_made + ledger.make_month(v_missing.parent, v_missing.month)::integer;
        EXCEPTION
            WHEN lock_not_available THEN
                EXIT;  -- what is locked is free at once; the rest is made another time
            WHEN object_not_in_prerequisite_state OR check_violation THEN
                RAISE WARNING '%', SQLERRM;
        END;
    END LOOP;
    RETURN v_made;
END $$;
