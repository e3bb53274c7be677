-- A number that is missing in the log may still come only while a posting runs that could have drawn it.
-- Other transactions, however long, hold up neither the stream nor the chain.

-- The number of the next batch. Whoever reads the log (ledger/gaps.py) counts on two things while a
-- number is on its way: a transaction id that is older than it, and this lock on ledger.accounts.
-- ledger.post_gifts has both by its first UPDATE, and draws the number itself. The mode is one that
-- whoever may open accounts may take, in PostgreSQL 15, too.
CREATE OR REPLACE FUNCTION ledger.next_batch() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_current_xact_id();
    LOCK TABLE ledger.accounts IN ROW EXCLUSIVE MODE;
    RETURN nextval('ledger.batch_numbers');
END $$;

-- The lowest id of a transaction that may have drawn a number and not committed it; where there is
-- none, an id that all which have ended are below. pg_locks has ids of 32 bits: those nearest to the
-- next one are meant.
CREATE OR REPLACE FUNCTION ledger.oldest_posting() RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT coalesce(
        min(next_id - (((next_id - own_id + 2147483648) & 4294967295) - 2147483648)), min(next_id))
    FROM (SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS next_id) next
    LEFT JOIN (
        SELECT min(transactionid::text::bigint)
                   FILTER (WHERE locktype = 'transactionid' AND mode = 'ExclusiveLock') AS own_id
        FROM pg_locks
        GROUP BY pid
        HAVING bool_or(
            locktype = 'relation' AND relation = 'ledger.accounts'::regclass
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND mode <> 'AccessShareLock')
    ) posting ON own_id IS NOT NULL
$$;

-- As in 0044, but for `oldest_running`.
CREATE OR REPLACE FUNCTION ledger.begin_turn(
    p_idle_ms text, p_published bigint, p_limit integer,
    OUT cursor bigint, OUT head bigint, OUT oldest_running bigint, OUT next_transaction bigint,
    OUT now timestamptz, OUT sequences bigint[], OUT event_counts integer[],
    OUT posted_ats timestamptz[], OUT events text[]
) LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
BEGIN
    IF p_idle_ms IS NOT NULL THEN
        PERFORM pg_advisory_lock(hashtextextended('ledger.event_log', 0));
        PERFORM set_config('idle_session_timeout', p_idle_ms, false);
    END IF;
    SELECT coalesce(p_published, c.sequence), ledger.oldest_posting(),
           greatest(c.sequence, (SELECT max(sequence) FROM ledger.event_log)), clock_timestamp()
    INTO cursor, oldest_running, head, now
    FROM ledger.event_cursors c WHERE consumer = 'stream';
    SELECT array_agg(b.sequence ORDER BY b.sequence), array_agg(b.event_count ORDER BY b.sequence),
           array_agg(b.posted_at ORDER BY b.sequence), array_agg(b.events ORDER BY b.sequence)
    INTO sequences, event_counts, posted_ats, events
    FROM (
        SELECT l.sequence, l.event_count, l.posted_at, l.events FROM ledger.event_log l
        WHERE l.sequence > cursor ORDER BY l.sequence LIMIT p_limit
    ) b;
    PERFORM ledger.move_cursor(cursor);
    next_transaction := pg_current_xact_id()::text::bigint;
END $$;
