-- name: chain_lock
-- One chainer at a time; the lock ends with the transaction.
SELECT pg_try_advisory_xact_lock(hashtextextended('ledger.chain', 0)) AS taken

-- name: chain_head
SELECT position, sequence, hash FROM ledger.chain ORDER BY position DESC LIMIT 1

-- name: oldest_running
SELECT ledger.oldest_posting() AS oldest_running

-- name: unchained
SELECT sequence, event_count, posted_at FROM ledger.event_log
WHERE sequence > $1 ORDER BY sequence LIMIT $2

-- name: seal_accounts
WITH taken AS (
    DELETE FROM ledger.unsealed_accounts
    WHERE place IN (SELECT place FROM ledger.unsealed_accounts ORDER BY place LIMIT $2)
    RETURNING account_id
)
INSERT INTO ledger.account_seals (
    position, account_id, code, owner_id, shard, currency, created_at, closed_at, metadata)
SELECT $1, account_id, code, owner_id, shard, currency, created_at, closed_at, metadata
FROM ledger.accounts WHERE account_id IN (SELECT account_id FROM taken)
RETURNING account_id

-- name: seal_references
WITH taken AS (
    DELETE FROM ledger.unsealed_references
    WHERE place IN (SELECT place FROM ledger.unsealed_references ORDER BY place LIMIT $2)
    RETURNING reference
)
INSERT INTO ledger.reference_seals (position, reference)
SELECT $1, reference FROM taken ON CONFLICT DO NOTHING
RETURNING reference

-- name: requests_head
-- The last batch whose requests are linked. No row where none are.
SELECT requests_until FROM ledger.chain WHERE kind = 'requests' ORDER BY position DESC LIMIT 1

-- name: requests_portion
-- The last of the batches in ($1, $2] that have no more than $3 events together; of one, any number.
SELECT max(sequence) AS until
FROM (
    SELECT sequence, event_count, sum(event_count) OVER (ORDER BY sequence) AS total
    FROM (
        SELECT sequence, event_count FROM ledger.event_log
        WHERE sequence > $1 AND sequence <= $2 ORDER BY sequence LIMIT $3
    ) batch
) portion
WHERE total <= $3 OR total = event_count

-- name: seal_requests
WITH taken AS (
    DELETE FROM ledger.unsealed_requests
    WHERE place IN (SELECT place FROM ledger.unsealed_requests ORDER BY place LIMIT $2)
    RETURNING caller_id, request_id
)
INSERT INTO ledger.request_seals (position, caller_id, request_id)
SELECT $1, caller_id, request_id FROM taken ON CONFLICT DO NOTHING
RETURNING request_id

-- name: request_times
-- When the requests of these batches were posted: as their transactions were.
SELECT min(posted_at) AS first, max(posted_at) AS last
FROM ledger.transactions WHERE batch > $1 AND batch <= $2

-- name: copy_log
-- The columns of this and of the next six, and their order, are the canonical encoding.
SELECT sequence, writer::bigint, event_count::bigint, posted_at, events
FROM ledger.event_log WHERE sequence > $1 AND sequence <= $2 ORDER BY sequence

-- name: copy_transactions
SELECT batch, transaction_id, kind, description, memo, metadata::text, reverses, posted_at,
       effective_at
FROM ledger.transactions WHERE batch > $1 AND batch <= $2 ORDER BY batch, transaction_id

-- name: copy_entries
SELECT entry_id, transaction_id, account_id, amount_minor, balance_minor, batch, posted_at
FROM ledger.journal_entries WHERE batch > $1 AND batch <= $2 ORDER BY batch, entry_id

-- name: copy_seals
SELECT position, account_id, code, owner_id, shard::bigint, currency, created_at, closed_at,
       metadata::text
FROM ledger.account_seals WHERE position > $1 AND position <= $2 ORDER BY position, account_id

-- name: copy_references
SELECT position, reference, transaction_id
FROM ledger.reference_seals JOIN ledger.external_references USING (reference)
WHERE position > $1 AND position <= $2 ORDER BY position, reference COLLATE "C"

-- name: copy_requests
-- $3 and $4 are the request_times, so that an index on the age of requests is of use.
SELECT batch, caller_id, request_id, request_hash, transaction_id, posted_at
FROM ledger.transactions JOIN ledger.requests r USING (transaction_id, posted_at)
WHERE batch > $1 AND batch <= $2 AND r.posted_at BETWEEN $3 AND $4
ORDER BY batch, caller_id, request_id

-- name: copy_unposted_requests
SELECT position, caller_id, request_id, request_hash, posted_at
FROM ledger.request_seals JOIN ledger.requests USING (caller_id, request_id)
WHERE position > $1 AND position <= $2 AND transaction_id IS NULL
ORDER BY position, caller_id, request_id

-- name: links
SELECT position, kind, sequence, digest, marks, hash, requests_until FROM ledger.chain
WHERE position > $1 ORDER BY position LIMIT $2

-- name: request_links
SELECT position, kind, sequence, digest, marks, hash, requests_until FROM ledger.chain
WHERE position > $1 AND kind = 'requests' ORDER BY position LIMIT $2

-- name: batch_links
SELECT position, kind, sequence, digest, marks, hash, requests_until FROM ledger.chain
WHERE sequence > $1 AND sequence <= $2 AND kind = 'batch' ORDER BY position

-- name: account_facts
SELECT a.account_id, a.currency, c.guarded
FROM ledger.accounts a JOIN ledger.chart c USING (code)

-- name: account_rows
SELECT a.account_id, a.currency, c.guarded, a.balance_minor, a.held_minor, a.moved_at,
       coalesce(h.open_minor, 0)::bigint AS open_holds_minor
FROM ledger.accounts a
JOIN ledger.chart c USING (code)
LEFT JOIN (
    SELECT account_id, sum(amount_minor - captured_minor) AS open_minor
    FROM ledger.holds WHERE state = 'open' GROUP BY account_id
) h USING (account_id)

-- name: hold_rows
-- In the words of hold.changed; holds are on main rows of accounts alone.
SELECT h.hold_id, a.owner_id::text AS owner_id, a.code, a.currency, h.state, h.amount_minor,
       h.captured_minor, h.reason, ledger.rfc3339_exact(h.expires_at) AS expires_at,
       ledger.sha256_of(h.metadata) AS metadata_sha256, h.created_at, h.closed_at
FROM ledger.holds h LEFT JOIN ledger.accounts a ON a.account_id = h.account_id AND a.shard = 0

-- name: scales
SELECT currency, scale::integer FROM ledger.currencies

-- name: descriptions
SELECT account_id, ledger.sha256_of(metadata) AS metadata_sha256
FROM ledger.accounts WHERE metadata::text <> '{}'

-- name: chart
SELECT code, per_user, guarded FROM ledger.chart

-- name: unlike_their_seal
-- Accounts that differ from their newest seal, are not sealed, or are gone. What waits to be sealed may
-- be new, may be closed now and may have other metadata.
SELECT coalesce(a.account_id, s.account_id) AS account_id, s.position,
       CASE
           WHEN a.account_id IS NULL THEN 'the row is missing'
           WHEN s.account_id IS NULL THEN 'the row was added: it was never sealed'
           ELSE concat_ws(', ',
               CASE WHEN a.code <> s.code THEN 'code' END,
               CASE WHEN a.owner_id IS DISTINCT FROM s.owner_id THEN 'owner_id' END,
               CASE WHEN a.shard <> s.shard THEN 'shard' END,
               CASE WHEN a.currency <> s.currency THEN 'currency' END,
               CASE WHEN a.created_at <> s.created_at THEN 'created_at' END,
               CASE WHEN a.closed_at IS DISTINCT FROM s.closed_at THEN 'closed_at' END,
               CASE WHEN a.metadata::text <> s.metadata::text THEN 'metadata' END)
               || ' differs from what was sealed at position ' || s.position
       END AS problem
FROM ledger.accounts a
FULL JOIN (
    SELECT DISTINCT ON (account_id) * FROM ledger.account_seals
    ORDER BY account_id, position DESC
) s USING (account_id)
WHERE a.account_id IS NULL
   OR (s.account_id IS NOT NULL AND (a.code, a.owner_id, a.shard, a.currency, a.created_at)
       IS DISTINCT FROM (s.code, s.owner_id, s.shard, s.currency, s.created_at))
   OR (s.closed_at IS NOT NULL AND a.closed_at IS NULL)
   OR ((a.closed_at, a.metadata::text) IS DISTINCT FROM (s.closed_at, s.metadata::text)
       AND NOT EXISTS (
           SELECT FROM ledger.unsealed_accounts q WHERE q.account_id = a.account_id))
ORDER BY 1 LIMIT $1

-- name: seals_of_another_kind
-- Seals of one account that differ in what never changes; what is closed is never opened again.
SELECT account_id, max(position) AS position
FROM (
    SELECT *, lag(closed_at) OVER (PARTITION BY account_id ORDER BY position) AS was_closed_at
    FROM ledger.account_seals
) seal
GROUP BY account_id
HAVING count(DISTINCT (code, owner_id, shard, currency, created_at)) > 1
    OR bool_or(was_closed_at IS NOT NULL AND closed_at IS NULL)
ORDER BY 1 LIMIT $1

-- name: unlike_what_reverses
-- Reversals that are not what the transactions come to that reverse: these are chained, so what was
-- changed, removed or added here shows.
WITH positive AS (
    SELECT t.transaction_id, t.reverses, sum(e.amount_minor) AS amount_minor
    FROM ledger.transactions t
    JOIN ledger.journal_entries e ON e.batch = t.batch AND e.transaction_id = t.transaction_id
    WHERE e.amount_minor > 0 AND (t.reverses IS NOT NULL OR t.transaction_id IN (
        SELECT transaction_id FROM ledger.reversals))
    GROUP BY t.transaction_id, t.reverses
), taken AS (
    SELECT reverses AS transaction_id, sum(amount_minor) AS reversed_minor
    FROM positive WHERE reverses IS NOT NULL GROUP BY reverses
)
SELECT coalesce(r.transaction_id, taken.transaction_id) AS transaction_id,
       CASE
           WHEN r.transaction_id IS NULL THEN 'the row is missing'
           WHEN taken.transaction_id IS NULL THEN 'the row was added: nothing reverses this'
           WHEN r.reversed_minor <> taken.reversed_minor THEN
               'reversed_minor is ' || r.reversed_minor || ', what reverses it comes to '
               || taken.reversed_minor
           ELSE 'amount_minor is ' || r.amount_minor || ', its entries come to '
               || coalesce(whole.amount_minor::text, 'nothing')
       END AS problem
FROM ledger.reversals r
FULL JOIN taken USING (transaction_id)
LEFT JOIN positive whole ON whole.transaction_id = r.transaction_id
WHERE (r.reversed_minor, r.amount_minor)
    IS DISTINCT FROM (taken.reversed_minor, whole.amount_minor)
ORDER BY 1 LIMIT $1

-- name: stray_seals
SELECT account_id, position FROM ledger.account_seals s
WHERE NOT EXISTS (
    SELECT FROM ledger.chain c WHERE c.position = s.position AND c.kind = 'seals')
ORDER BY position LIMIT $1

-- name: stray_reference_seals
-- Seals of references at positions where no link covers references, or of references that are not.
SELECT reference, position FROM ledger.reference_seals s
WHERE NOT EXISTS (
    SELECT FROM ledger.chain c WHERE c.position = s.position AND c.kind = 'references')
UNION
SELECT reference, position FROM ledger.reference_seals s
WHERE NOT EXISTS (
    SELECT FROM ledger.external_references r WHERE r.reference = s.reference)
ORDER BY 2, 1 LIMIT $1

-- name: stray_request_seals
-- As of references; only requests that posted nothing are sealed.
SELECT request_id, position FROM ledger.request_seals s
WHERE NOT EXISTS (
    SELECT FROM ledger.chain c WHERE c.position = s.position AND c.kind = 'requests')
UNION
SELECT request_id, position FROM ledger.request_seals s
WHERE NOT EXISTS (
    SELECT FROM ledger.requests r
    WHERE (r.caller_id, r.request_id) = (s.caller_id, s.request_id) AND r.transaction_id IS NULL)
ORDER BY 2, 1 LIMIT $1

-- name: uncovered_references
-- References that no link covers. What waits to be sealed is passed over.
SELECT reference FROM ledger.external_references r
WHERE NOT EXISTS (
    SELECT FROM ledger.reference_seals s JOIN ledger.chain c USING (position)
    WHERE s.reference = r.reference AND c.kind = 'references')
  AND NOT EXISTS (
    SELECT FROM ledger.unsealed_references q WHERE q.reference = r.reference)
ORDER BY reference LIMIT $1

-- name: uncovered_requests
-- Requests that no link covers and none will. What waits to be linked or sealed is passed over.
SELECT request_id FROM ledger.requests r
WHERE transaction_id IS NOT NULL AND NOT EXISTS (
    SELECT FROM ledger.transactions t
    WHERE t.transaction_id = r.transaction_id AND t.posted_at = r.posted_at)
UNION ALL
SELECT request_id FROM ledger.requests r
WHERE transaction_id IS NULL AND NOT EXISTS (
    SELECT FROM ledger.request_seals s JOIN ledger.chain c USING (position)
    WHERE (s.caller_id, s.request_id) = (r.caller_id, r.request_id) AND c.kind = 'requests')
  AND NOT EXISTS (
    SELECT FROM ledger.unsealed_requests q
    WHERE (q.caller_id, q.request_id) = (r.caller_id, r.request_id))
LIMIT $1

-- name: newest_checkpoint
SELECT position, sequence, hash, signed_at, key_id, signature
FROM ledger.checkpoints ORDER BY position DESC LIMIT 1

-- name: checkpoints
SELECT position, sequence, hash, signed_at, key_id, signature
FROM ledger.checkpoints WHERE position < $1 ORDER BY position DESC LIMIT $2

-- name: add_checkpoint
INSERT INTO ledger.checkpoints (position, sequence, hash, signed_at, key_id, signature)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING

-- name: hashes_at
SELECT position, hash FROM ledger.chain WHERE position = ANY ($1::bigint[])
