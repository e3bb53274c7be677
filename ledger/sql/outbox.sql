-- name: take_turn
-- Waits for the publishers of other nodes. The lock ends with the transaction, and a publisher that
-- stalls with the lock in its hands is cut off by the server after $1 ms. The cursor may be lost with
-- the machine: then some batches are published again, which readers bear; so nobody waits for it.
SELECT set_config('idle_in_transaction_session_timeout', $1, true),
       set_config('synchronous_commit', 'off', true),
       pg_advisory_xact_lock(hashtextextended('ledger.event_log', 0))

-- name: position
SELECT c.sequence AS cursor,
       pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS oldest_running,
       greatest(c.sequence, (SELECT max(sequence) FROM ledger.event_log)) AS head,
       clock_timestamp() AS now
FROM ledger.event_cursors c WHERE consumer = 'stream'

-- name: batches
SELECT sequence, event_count, posted_at, events
FROM ledger.event_log WHERE sequence > $1 ORDER BY sequence LIMIT $2

-- name: next_transaction
SELECT pg_current_xact_id()::text::bigint AS transaction

-- name: advance
UPDATE ledger.event_cursors SET sequence = $1 WHERE consumer = 'stream' AND sequence < $1

-- name: rewind
UPDATE ledger.event_cursors SET sequence = $1 WHERE consumer = 'stream' AND sequence > $1
