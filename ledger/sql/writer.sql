-- name: pin_plans
-- Plans are made once, for any values; PL/pgSQL's own statements keep theirs, too. Sequential scans
-- are forbidden while they are made: on an empty table they would look best, and stay.
SET plan_cache_mode = force_generic_plan;
SET enable_seqscan = off;
SET enable_mergejoin = off;
SET jit = off

-- name: take_shard
SELECT ledger.take_shard()

-- name: open_fees
SELECT ledger.open_account(NULL, 'fees', $1, $2)

-- name: post_gifts
SELECT posted_at, balances, available, closed, known, answers
FROM ledger.post_gifts($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
    $19)
