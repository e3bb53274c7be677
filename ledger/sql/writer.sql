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
SELECT posted_at, balances, available, closed, known, answers, sequence, events
FROM ledger.post_gifts(
    $1, $2, $3, $4, $5::text::uuid[], $6::text::uuid[], $7::text::bigint[], $8::text::integer[],
    $9::text::bigint[], $10::text::integer[], $11::text::bigint[], $12::text::bigint[],
    $13::text::bigint[], $14::text::bigint[], $15::text::uuid[], $16, $17::text::uuid[],
    string_to_array($18, E'\n'), string_to_array($19, E'\n'))
