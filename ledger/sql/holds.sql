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

-- name: open_holds
SELECT h.hold_id, a.owner_id, a.code, a.currency, h.amount_minor, h.captured_minor, h.reason,
       coalesce(h.metadata, '{}') AS metadata, h.created_at, h.expires_at
FROM ledger.accounts a JOIN ledger.holds h USING (account_id)
WHERE a.owner_id = $1 AND a.currency = $2 AND a.shard = 0
  AND h.state = 'open' AND h.expires_at > clock_timestamp()
ORDER BY h.expires_at LIMIT $3

-- name: hold_note
SELECT a.owner_id, coalesce(h.metadata, '{}') AS metadata
FROM ledger.holds h JOIN ledger.accounts a USING (account_id) WHERE h.hold_id = $1
