-- A publisher's shift: turn after turn under one lock, each in a single call that also moves the
-- cursor behind what the turn before has published. While gifts pour in, every round trip of the
-- publisher waits for a busy event loop, and is a part of how late the stream is.
--
-- ledger.read_log stays for servers of the version before; its lock is the same.

-- Moves the cursor of the stream, where it is not there. That may be lost with the machine: then some
-- batches are published again, which readers bear; so nobody waits for its flush.
CREATE FUNCTION ledger.move_cursor(p_sequence bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    UPDATE ledger.event_cursors SET sequence = p_sequence
    WHERE consumer = 'stream' AND sequence <> p_sequence;
END $$;

-- Begins a turn. The first of a shift is the one with `p_idle_ms`: it waits for the shifts of other
-- nodes, in order of arrival. From then on the session has the lock, up to ledger.end_shift or its
-- own end, and is cut off by the server where it stalls for longer than that.
--
-- Reads what lies behind `p_published`, or behind the cursor where that is NULL; then moves the cursor
-- to it. Each statement sees what was committed before it, and their order matters: what ended before
-- `oldest_running` was taken is visible to the one that reads the batches, and `next_transaction`
-- begins after that.
CREATE FUNCTION ledger.begin_turn(
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
    SELECT coalesce(p_published, c.sequence), pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
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

-- Lets the next publisher in; what the cursor was moved to must be committed before.
CREATE FUNCTION ledger.end_shift() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('idle_session_timeout', '0', false);
    PERFORM pg_advisory_unlock(hashtextextended('ledger.event_log', 0));
END $$;
