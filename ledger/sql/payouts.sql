-- name: add
INSERT INTO ledger.payouts (
    payout_id, user_id, request_id, request_hash, amount_minor, currency, destination, state,
    version, requested_at, updated_at)
VALUES (ledger.uuid_v7($1), $2, $3, $4, $5, $6, $7, 'requested', 1, $1, $1)
ON CONFLICT DO NOTHING
RETURNING *

-- name: of_request
SELECT * FROM ledger.payouts WHERE user_id = $1 AND request_id = $2

-- name: get
SELECT * FROM ledger.payouts WHERE payout_id = $1

-- name: lock
SELECT * FROM ledger.payouts WHERE payout_id = $1 FOR NO KEY UPDATE

-- name: came_back
-- Nobody had said that it was settled: what came back counts as not paid, but was.
SELECT EXISTS (
    SELECT FROM ledger.payouts p JOIN ledger.event_store e ON e.stream_id = $2
    WHERE p.payout_id = $1 AND p.state = 'failed' AND e.event_type = 'payout.returned'
) AS came_back

-- name: save
UPDATE ledger.payouts SET
    state = $3, version = $4, updated_at = $5, hold_id = $6, transaction_id = $7, provider = $8,
    batch_id = $9, reference = $10, reason = $11, attention = $12
WHERE payout_id = $1 AND version = $2

-- name: of_user
SELECT * FROM ledger.payouts
WHERE user_id = $1 AND ($2::uuid IS NULL OR payout_id < $2) ORDER BY payout_id DESC LIMIT $3

-- name: newest
SELECT * FROM ledger.payouts
WHERE ($1::text IS NULL OR state = $1) AND ($2::uuid IS NULL OR payout_id < $2)
ORDER BY payout_id DESC LIMIT $3

-- name: to_look_at
SELECT * FROM ledger.payouts
WHERE attention IS NOT NULL AND ($1::uuid IS NULL OR payout_id < $1)
ORDER BY payout_id DESC LIMIT $2

-- name: oldest_held
SELECT * FROM ledger.payouts WHERE state = 'held' AND payout_id > $1 ORDER BY payout_id LIMIT $2

-- name: of_batch
SELECT * FROM ledger.payouts WHERE batch_id = $1 ORDER BY payout_id

-- name: lock_of_batch
SELECT * FROM ledger.payouts WHERE batch_id = $1 ORDER BY payout_id FOR NO KEY UPDATE

-- name: add_notice
INSERT INTO ledger.payout_notices (provider, notice_id, digest, payout_id, received_at)
VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING

-- name: notice
SELECT digest FROM ledger.payout_notices WHERE provider = $1 AND notice_id = $2

-- name: add_batch
INSERT INTO ledger.payout_batches (batch_id, created_by, created_at) VALUES ($1, $2, $3)
ON CONFLICT DO NOTHING

-- name: batch
SELECT batch_id, created_by, created_at, taken_at, sealed_at, lines, total_minor, sha256
FROM ledger.payout_batches WHERE batch_id = $1

-- name: lock_batch
SELECT * FROM ledger.payout_batches WHERE batch_id = $1 FOR NO KEY UPDATE

-- name: open_batch
-- Whether payouts may still be taken into it, which nobody else does until the transaction ends.
SELECT FROM ledger.payout_batches WHERE batch_id = $1 AND taken_at IS NULL FOR NO KEY UPDATE

-- name: taken
SELECT count(*) AS taken FROM ledger.payouts WHERE batch_id = $1

-- name: batch_taken
UPDATE ledger.payout_batches SET taken_at = $2 WHERE batch_id = $1 AND taken_at IS NULL

-- name: seal_batch
UPDATE ledger.payout_batches
SET sealed_at = $2, lines = $3, total_minor = $4, sha256 = $5, content = $6
WHERE batch_id = $1 AND sealed_at IS NULL
RETURNING batch_id, created_by, created_at, taken_at, sealed_at, lines, total_minor, sha256, content

-- name: batches
SELECT batch_id, created_by, created_at, taken_at, sealed_at, lines, total_minor, sha256
FROM ledger.payout_batches
WHERE $1::uuid IS NULL OR (created_at, batch_id) < (
    SELECT created_at, batch_id FROM ledger.payout_batches WHERE batch_id = $1)
ORDER BY created_at DESC, batch_id DESC LIMIT $2

-- name: add_import
INSERT INTO ledger.payout_imports (import_id, sha256, imported_by, created_at, lines)
VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING

-- name: import_of_file
SELECT * FROM ledger.payout_imports WHERE sha256 = $1

-- name: import
SELECT * FROM ledger.payout_imports WHERE import_id = $1

-- name: finish_import
UPDATE ledger.payout_imports SET finished_at = $2, report = $3
WHERE import_id = $1 AND finished_at IS NULL
