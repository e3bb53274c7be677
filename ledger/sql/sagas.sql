-- name: add_tasks
INSERT INTO ledger.saga_tasks (task_id, stream_id, version, step, due_at, created_at)
SELECT task_id, stream_id, version, step, $5, $5
FROM unnest($1::uuid[], $2::text[], $3::integer[], $4::text[])
    AS t (task_id, stream_id, version, step)
ON CONFLICT DO NOTHING

-- name: claim
-- Only the first open task of a stream; while it is leased or dead, the later ones wait. What is due
-- later than any lease or pause ends ($4) was written down by a clock that was ahead.
UPDATE ledger.saga_tasks SET attempts = attempts + 1, due_at = $2
WHERE task_id IN (
    SELECT task_id FROM ledger.saga_tasks t
    WHERE state = 'due' AND (due_at <= $1 OR due_at > $4) AND NOT EXISTS (
        SELECT FROM ledger.saga_tasks earlier
        WHERE earlier.stream_id = t.stream_id AND earlier.version < t.version
          AND earlier.state <> 'done')
    ORDER BY due_at LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED)
RETURNING task_id, stream_id, version, step, state, attempts, due_at, last_error, created_at,
          finished_at

-- name: finish
-- Of whoever has the lease alone: an attempt that was overtaken changes nothing.
UPDATE ledger.saga_tasks SET state = 'done', finished_at = $3, last_error = NULL
WHERE task_id = $1 AND attempts = $2 AND state = 'due'

-- name: postpone
UPDATE ledger.saga_tasks SET due_at = $3, last_error = $4
WHERE task_id = $1 AND attempts = $2 AND state = 'due'

-- name: bury
UPDATE ledger.saga_tasks SET state = 'dead', finished_at = $3, last_error = $4
WHERE task_id = $1 AND attempts = $2 AND state = 'due'

-- name: revive
UPDATE ledger.saga_tasks SET state = 'due', attempts = 0, due_at = $2, finished_at = NULL
WHERE task_id = $1 AND state = 'dead'
RETURNING task_id, stream_id, version, step, state, attempts, due_at, last_error, created_at,
          finished_at

-- name: revive_stream
UPDATE ledger.saga_tasks SET state = 'due', attempts = 0, due_at = $2, finished_at = NULL
WHERE stream_id = $1 AND state = 'dead'
RETURNING task_id

-- name: task
SELECT task_id, stream_id, version, step, state, attempts, due_at, last_error, created_at,
       finished_at
FROM ledger.saga_tasks WHERE task_id = $1

-- name: tasks
SELECT task_id, stream_id, version, step, state, attempts, due_at, last_error, created_at,
       finished_at
FROM ledger.saga_tasks
WHERE ($1::text IS NULL OR state = $1) AND ($2::text IS NULL OR stream_id = $2)
  AND ($3::timestamptz IS NULL OR (created_at, task_id) < ($3, $4::uuid))
ORDER BY created_at DESC, task_id DESC LIMIT $5

-- name: next_due
SELECT min(due_at) AS due_at FROM ledger.saga_tasks WHERE state = 'due'

-- name: count_dead
SELECT count(*) AS dead FROM ledger.saga_tasks WHERE state = 'dead'
