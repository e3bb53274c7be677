-- name: cursors
SELECT consumer, sequence FROM ledger.event_cursors

-- name: move_cursor
INSERT INTO ledger.event_cursors AS known (consumer, sequence) VALUES ($1, $2)
ON CONFLICT (consumer) DO UPDATE SET sequence = excluded.sequence
WHERE known.sequence < excluded.sequence

-- name: batches
SELECT sequence, events FROM ledger.event_log
WHERE sequence > $1 AND sequence <= $2 ORDER BY sequence LIMIT $3

-- name: place
-- Sequences and times are in order but for what was posted side by side.
SELECT coalesce(
    (SELECT min(sequence) - 1 FROM ledger.event_log WHERE posted_at >= $1),
    (SELECT max(sequence) FROM ledger.event_log), 0) AS sequence

-- name: request
WITH made AS (
    INSERT INTO ledger.replays (replay_id, consumer, position, until, reason, requested_at)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (consumer, position, until) WHERE finished_at IS NULL DO NOTHING
    RETURNING *
)
SELECT * FROM made
UNION ALL
SELECT * FROM ledger.replays
WHERE consumer = $2 AND position = $3 AND until = $4 AND finished_at IS NULL
LIMIT 1

-- name: take
UPDATE ledger.replays SET claimed_by = $2, claimed_until = $4
WHERE replay_id = (
    SELECT replay_id FROM ledger.replays
    WHERE consumer = $1 AND finished_at IS NULL
      AND (claimed_by IS NULL OR claimed_by = $2 OR claimed_until NOT BETWEEN $3 AND $5)
    ORDER BY replay_id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING *

-- name: advance
UPDATE ledger.replays
SET position = greatest(position, $2), claimed_until = $4,
    finished_at = CASE WHEN $2 >= until THEN $3::timestamptz END
WHERE replay_id = $1 AND finished_at IS NULL

-- name: listed
SELECT * FROM ledger.replays WHERE consumer = $1 ORDER BY replay_id DESC LIMIT $2
