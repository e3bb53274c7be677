-- name: post
SELECT result, answer FROM ledger.post($1, $2, $3, $4)

-- name: first_answer
SELECT result, answer FROM ledger.first_answer($1, $2, $3)

-- name: archive_answers
SELECT archived, is_over FROM ledger.archive_answers($1, $2, $3)
