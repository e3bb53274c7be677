-- name: append
SELECT result, version FROM ledger.append_events($1, $2, $3, $4)

-- name: stream
SELECT position, event_id, stream_id, version, event_type, type_version, event_data, created_at
FROM ledger.event_store WHERE stream_id = $1 AND version >= $2 ORDER BY version LIMIT $3

-- name: all
SELECT position, event_id, stream_id, version, event_type, type_version, event_data, created_at
FROM ledger.event_store WHERE position > $1 ORDER BY position LIMIT $2

-- name: head
SELECT position FROM ledger.event_store_head

-- name: open_cursor
INSERT INTO ledger.event_store_cursors (consumer, position, moved_at) VALUES ($1, 0, $2)
ON CONFLICT DO NOTHING

-- name: take_cursor
-- No row while another process of this consumer has it.
SELECT position FROM ledger.event_store_cursors WHERE consumer = $1 FOR NO KEY UPDATE SKIP LOCKED

-- name: move_cursor
UPDATE ledger.event_store_cursors SET position = $2, moved_at = $3 WHERE consumer = $1

-- name: cursors
SELECT c.consumer, c.position, h.position - c.position AS behind, c.moved_at
FROM ledger.event_store_cursors c CROSS JOIN ledger.event_store_head h ORDER BY c.consumer
