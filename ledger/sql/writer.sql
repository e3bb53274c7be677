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

-- name: locked
-- Whose wallet (of `$1`) or earnings (of `$2`) somebody else has locked. It waits for nobody, and
-- keeps nothing locked.
WITH needed AS (
    SELECT account_id, owner_id, code FROM ledger.accounts
    WHERE currency = $3 AND (
        (owner_id = ANY($1::uuid[]) AND code = 'wallet' AND shard = 0)
        OR (owner_id = ANY($2::uuid[]) AND code = 'earnings' AND shard IN (0, $4)))
), free AS (
    SELECT account_id FROM ledger.accounts
    WHERE account_id IN (SELECT account_id FROM needed) FOR NO KEY UPDATE SKIP LOCKED
)
SELECT owner_id, code FROM needed WHERE account_id NOT IN (SELECT account_id FROM free)
