-- name: add
INSERT INTO ledger.purchases (
    purchase_id, user_id, recorded_by, request_id, request_hash, amount_minor, currency,
    paid_minor, paid_currency, reference, state, version, recorded_at, updated_at)
VALUES (ledger.uuid_v7($1), $2, $3, $4, $5, $6, $7, $8, $9, $10, 'paid', 1, $1, $1)
ON CONFLICT DO NOTHING
RETURNING *

-- name: of_request
SELECT * FROM ledger.purchases WHERE recorded_by = $1 AND request_id = $2

-- name: get
SELECT * FROM ledger.purchases WHERE purchase_id = $1

-- name: lock
SELECT * FROM ledger.purchases WHERE purchase_id = $1 FOR NO KEY UPDATE

-- name: save
UPDATE ledger.purchases SET
    state = $3, version = $4, updated_at = $5, transaction_id = $6, reason = $7
WHERE purchase_id = $1 AND version = $2

-- name: newest
SELECT * FROM ledger.purchases
WHERE ($1::text IS NULL OR state = $1) AND ($2::uuid IS NULL OR purchase_id < $2)
ORDER BY purchase_id DESC LIMIT $3
