-- name: post
SELECT result, answer FROM ledger.post($1, $2, $3, $4)

-- name: first_answer
SELECT result, answer FROM ledger.first_answer($1, $2, $3)

-- name: archive_requests
SELECT ledger.archive_requests($1, $2) AS archived
