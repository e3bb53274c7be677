-- name: lock_owner
SELECT pg_advisory_xact_lock(hashtextextended('media.streams ' || $1::uuid::text, 0))

-- name: count_owned
SELECT count(*) FROM media.streams WHERE owner_id = $1

-- name: insert
INSERT INTO media.streams (stream_id, owner_id, owner_name, title, key_hash, created_at)
VALUES ($1, $2, $3, $4, $5, $6)
RETURNING stream_id, owner_id, owner_name, title, state, started_at, created_at

-- name: get
SELECT stream_id, owner_id, owner_name, title, state, started_at, created_at
FROM media.streams
WHERE stream_id = $1

-- name: owned
SELECT stream_id, owner_id, owner_name, title, state, started_at, created_at
FROM media.streams
WHERE owner_id = $1
ORDER BY created_at, stream_id

-- name: not_offline
SELECT stream_id, owner_id, owner_name, title, state, started_at, created_at
FROM media.streams
WHERE state <> 'offline'
ORDER BY started_at, stream_id

-- name: rename
UPDATE media.streams
SET title = $2
WHERE stream_id = $1
RETURNING stream_id, owner_id, owner_name, title, state, started_at, created_at

-- name: replace_key
UPDATE media.streams
SET key_hash = $2
WHERE stream_id = $1
RETURNING stream_id, owner_id, owner_name, title, state, started_at, created_at

-- name: key_hash
SELECT key_hash FROM media.streams WHERE stream_id = $1

-- name: mark_live
UPDATE media.streams
SET state = 'live', started_at = coalesce(started_at, $2)
WHERE stream_id = $1

-- name: mark_interrupted
UPDATE media.streams
SET state = 'interrupted'
WHERE stream_id = $1 AND state = 'live'

-- name: mark_offline
UPDATE media.streams
SET state = 'offline', started_at = NULL
WHERE stream_id = $1

-- name: reset_live
UPDATE media.streams
SET state = 'offline', started_at = NULL
WHERE state <> 'offline'
