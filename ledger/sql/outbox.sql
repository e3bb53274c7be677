-- name: read
SELECT cursor, head, oldest_running, now, sequences, event_counts, posted_ats, events
FROM ledger.read_log($1, $2)

-- name: next_transaction
SELECT pg_current_xact_id()::text::bigint AS transaction

-- name: advance
UPDATE ledger.event_cursors SET sequence = $1 WHERE consumer = 'stream' AND sequence < $1

-- name: rewind
UPDATE ledger.event_cursors SET sequence = $1 WHERE consumer = 'stream' AND sequence > $1
