-- name: place_hold
SELECT result, answer FROM ledger.place_hold($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)

-- name: capture_hold
SELECT result, answer
FROM ledger.capture_hold($1, $2, $3, $4, $5, ROW($6, $7, $8, 1)::ledger.leg, $9)

-- name: void_hold
SELECT result, answer FROM ledger.void_hold($1, $2, $3, $4)

-- name: expire_holds
SELECT ledger.expire_holds($1) AS expired

-- name: reverse
SELECT result, answer FROM ledger.reverse($1, $2, $3, $4, $5, $6, $7)

-- name: mature_earnings
SELECT last_owner, matured FROM ledger.mature_earnings($1, $2, $3, $4, $5)

-- name: close_account
SELECT result, answer FROM ledger.close_account($1, $2, $3)
