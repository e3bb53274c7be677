-- Gifts in, windows and edges out. All of it runs in the transaction that holds the lock below.

-- name: lock
-- One worker at a time, over all nodes: a circle may run through gifts of two workers' batches, and
-- neither would see what the other has not committed. The key is this table's own number.
SELECT pg_advisory_xact_lock('compliance.aml_activity'::regclass::oid::bigint)

-- name: insert
INSERT INTO compliance.aml_activity
    (event_id, transaction_id, payer_id, payee_id, amount_minor, occurred_at)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::bigint[], $6::timestamptz[])
ON CONFLICT (event_id) DO NOTHING
RETURNING event_id

-- name: add_edges
INSERT INTO compliance.aml_edges AS edge (payer_id, payee_id, hour, amount_minor)
SELECT payer_id, payee_id, hour, sum(amount_minor)
FROM unnest($1::uuid[], $2::uuid[], $3::integer[], $4::bigint[])
    AS gift (payer_id, payee_id, hour, amount_minor)
GROUP BY payer_id, payee_id, hour
ON CONFLICT (payer_id, hour, payee_id)
DO UPDATE SET amount_minor = edge.amount_minor + excluded.amount_minor

-- name: recent
SELECT gift.*
FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) AS span (payer_id, since, until)
CROSS JOIN LATERAL (
    SELECT * FROM compliance.aml_activity AS activity
    WHERE activity.payer_id = span.payer_id
      AND activity.occurred_at > span.since AND activity.occurred_at < span.until
    ORDER BY activity.occurred_at DESC
    LIMIT $4
) AS gift

-- name: near_threshold
SELECT gift.*
FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) AS span (payer_id, since, until)
CROSS JOIN LATERAL (
    SELECT * FROM compliance.aml_activity AS activity
    WHERE activity.payer_id = span.payer_id
      AND activity.amount_minor >= $5 AND activity.amount_minor < $6
      AND activity.occurred_at > span.since AND activity.occurred_at < span.until
    ORDER BY activity.occurred_at DESC
    LIMIT $4
) AS gift

-- name: edges_from
-- Pairs that carry enough in all the hours together, the greatest first, with their hours.
SELECT payer_id, payee_id, array_agg(hour) AS hours, array_agg(amount_minor) AS amounts
FROM compliance.aml_edges
WHERE payer_id = ANY($1::uuid[]) AND hour > $2 AND hour < $3
GROUP BY payer_id, payee_id
HAVING sum(amount_minor) >= $4
ORDER BY sum(amount_minor) DESC
LIMIT $5

-- name: prune_activity
WITH old AS (
    SELECT ctid FROM compliance.aml_activity
    WHERE occurred_at < $1 ORDER BY occurred_at LIMIT $2
)
DELETE FROM compliance.aml_activity WHERE ctid IN (SELECT ctid FROM old)

-- name: prune_edges
WITH old AS (
    SELECT ctid FROM compliance.aml_edges WHERE hour < $1 ORDER BY hour LIMIT $2
)
DELETE FROM compliance.aml_edges WHERE ctid IN (SELECT ctid FROM old)
