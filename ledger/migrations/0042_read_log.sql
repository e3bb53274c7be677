-- The beginning of a publisher's turn in one call: while gifts pour in, every round trip of the
-- publisher waits for a busy event loop, and those before the stream has a batch are its delay.
--
-- Waits for the publishers of other nodes, then reads what lies behind the cursor. The lock ends with
-- the transaction, and a publisher that stalls with the lock in its hands is cut off by the server
-- after `p_idle_ms`. The cursor may be lost with the machine: then some batches are published again,
-- which readers bear; so nobody waits for its flush.
--
-- Each statement sees what was committed before it. In this order: what ended before
-- `oldest_running` was taken is visible to the one that reads the batches.
CREATE FUNCTION ledger.read_log(
    p_idle_ms text, p_limit integer,
    OUT cursor bigint, OUT head bigint, OUT oldest_running bigint, OUT now timestamptz,
    OUT sequences bigint[], OUT event_counts integer[], OUT posted_ats timestamptz[],
    OUT events text[]
) LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
BEGIN
    PERFORM set_config('idle_in_transaction_session_timeout', p_idle_ms, true),
            set_config('synchronous_commit', 'off', true),
            pg_advisory_xact_lock(hashtextextended('ledger.event_log', 0));
    SELECT c.sequence, pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
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
END $$;
