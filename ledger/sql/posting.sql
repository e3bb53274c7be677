-- name: post_gift
SELECT result, answer
FROM ledger.post_gift($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)

-- name: post_grant
SELECT result, answer FROM ledger.post_grant($1, $2, $3, $4, $5, $6, $7, $8)
