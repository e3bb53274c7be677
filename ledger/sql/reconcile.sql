-- name: check_balances
-- Accounts whose balance is not that of their newest entry.
SELECT a.account_id::text AS subject,
       'balance_minor is ' || a.balance_minor || ', that of its newest entry '
           || coalesce(e.balance_minor, 0) AS reason
FROM ledger.accounts a LEFT JOIN LATERAL (
    SELECT balance_minor FROM ledger.journal_entries e WHERE e.account_id = a.account_id
    ORDER BY e.posted_at DESC, e.entry_id DESC LIMIT 1
) e ON true
WHERE a.balance_minor <> coalesce(e.balance_minor, 0) ORDER BY 1 LIMIT $1

-- name: check_currencies
-- Currencies in which debits and credits differ.
SELECT currency AS subject, 'all balances sum to ' || sum(balance_minor) AS reason
FROM ledger.accounts GROUP BY currency HAVING sum(balance_minor) <> 0 ORDER BY 1 LIMIT $1

-- name: check_holds
-- Accounts that keep back something else than their open holds.
SELECT a.account_id::text AS subject,
       'held_minor is ' || a.held_minor || ', its open holds come to '
           || coalesce(h.open_minor, 0) AS reason
FROM ledger.accounts a LEFT JOIN (
    SELECT account_id, sum(amount_minor - captured_minor) AS open_minor
    FROM ledger.holds WHERE state = 'open' GROUP BY account_id
) h USING (account_id)
WHERE a.held_minor <> coalesce(h.open_minor, 0) ORDER BY 1 LIMIT $1

-- name: check_purchases
-- Purchases that were credited with something else than was bought. Gifts, which are most of what the
-- views have, credit none, and are not looked at.
SELECT p.purchase_id::text AS subject,
       'credited with ' || coalesce(sum(e.amount_minor), 0) || ', bought ' || p.amount_minor AS reason
FROM ledger.purchases p
LEFT JOIN ledger.posting_transactions t ON t.transaction_id = p.transaction_id
LEFT JOIN ledger.posting_entries e
    ON e.batch = t.batch AND e.transaction_id = t.transaction_id
    AND e.account_id IN (
        SELECT account_id FROM ledger.accounts WHERE owner_id = p.user_id AND code = 'wallet')
WHERE p.state = 'credited'
GROUP BY p.purchase_id, p.amount_minor
HAVING coalesce(sum(e.amount_minor), 0) <> p.amount_minor
ORDER BY 1 LIMIT $1

-- name: counted
SELECT (SELECT count(*) FROM ledger.accounts) AS accounts,
       (SELECT count(*) FROM ledger.purchases) AS purchases

-- name: published_until
SELECT coalesce(max(sequence), 0) AS sequence FROM ledger.event_cursors WHERE consumer = 'stream'

-- name: logged
-- The newest of a range, and those that are named.
SELECT sequence, sha256(convert_to(events, 'UTF8')) AS digest FROM (
    SELECT sequence, events FROM ledger.event_log
    WHERE sequence BETWEEN $1 AND $2 ORDER BY sequence DESC LIMIT $3) newest
UNION
SELECT sequence, sha256(convert_to(events, 'UTF8'))
FROM ledger.event_log WHERE sequence = ANY ($4::bigint[])

-- name: ours
-- Money that moved through payment providers, as the ledger has it, and has no counterpart yet:
-- payments for purchases, their refunds, and what was posted to payment_clearing beside them, which
-- gifts are not. What takes a purchase back counts in the money that was paid, its share of it. Of a
-- transaction in several currencies each is an item; all but the first have it in their key. A payout
-- goes by the reference of its provider, or by its own id where that gave none. A prefix tells whose
-- purchase something is; a payout has a provider of its own, so it is looked for in every file.
WITH item AS (
    SELECT 'purchase:' || purchase_id AS item_key, reference, paid_minor AS amount_minor,
           paid_currency AS currency, (recorded_at AT TIME ZONE 'UTC')::date AS moved_on,
           NULL AS paid_out_by
    FROM ledger.purchases
    UNION ALL
    SELECT 'refund:' || purchase_id, reference, -paid_minor, paid_currency,
           (updated_at AT TIME ZONE 'UTC')::date, NULL
    FROM ledger.purchases WHERE state = 'refunded'
    UNION ALL
    SELECT 'transaction:' || e.transaction_id
               || CASE WHEN row_number() OVER (PARTITION BY e.transaction_id ORDER BY a.currency) > 1
                  THEN ':' || a.currency ELSE '' END,
           coalesce(min(r.reference), p.reference, o.reference, o.payout_id::text),
           round(-sum(e.amount_minor) * coalesce(p.paid_minor, 1)
               / coalesce(p.amount_minor, 1))::bigint,
           coalesce(p.paid_currency, a.currency), (min(e.posted_at) AT TIME ZONE 'UTC')::date,
           o.provider
    FROM ledger.accounts a
    JOIN ledger.posting_entries e USING (account_id)
    JOIN ledger.posting_transactions t ON t.transaction_id = e.transaction_id
    LEFT JOIN ledger.purchases p ON p.transaction_id = t.reverses
    LEFT JOIN ledger.external_references r ON r.transaction_id = e.transaction_id
    LEFT JOIN ledger.payouts o ON o.payout_id::text = t.metadata ->> 'payout_id'
        AND t.kind IN ('payout_cleared', 'payout_returned')
    WHERE a.code = 'payment_clearing' AND NOT EXISTS (
        SELECT FROM ledger.purchases q WHERE q.transaction_id = e.transaction_id)
    GROUP BY e.transaction_id, a.currency, p.purchase_id, o.payout_id
    HAVING sum(e.amount_minor) <> 0
)
SELECT item_key, reference, amount_minor, currency, moved_on FROM item
WHERE moved_on <= $1
  AND ($2 = '' OR paid_out_by IS NOT NULL OR starts_with(coalesce(reference, ''), $2))
  AND NOT EXISTS (
      SELECT FROM ledger.matched_items m
      WHERE m.side = 'ours' AND m.item_key = item.item_key)
ORDER BY item_key

-- name: known_lines
SELECT line_id AS item_key, reference, amount_minor, currency, moved_on
FROM ledger.settlement_lines WHERE provider = $1 AND line_id = ANY ($2::text[])

-- name: theirs
SELECT line_id AS item_key, reference, amount_minor, currency, moved_on
FROM ledger.settlement_lines l
WHERE provider = $1 AND NOT EXISTS (
    SELECT FROM ledger.matched_items m
    WHERE m.side = 'theirs' AND m.item_key = $1 || ':' || l.line_id)
ORDER BY line_id

-- name: newest_day
SELECT max(moved_on) AS moved_on FROM ledger.settlement_lines WHERE provider = $1

-- name: add_line
INSERT INTO ledger.settlement_lines
    (provider, line_id, reference, amount_minor, currency, moved_on, reconciliation_id)
VALUES ($1, $2, $3, $4, $5, $6, $7)

-- name: add_match
INSERT INTO ledger.matched_items
    (side, item_key, match_id, kind, difference_minor, reconciliation_id)
VALUES ($1, $2, $3, $4, $5, $6)

-- name: reconcile_lock
SELECT pg_advisory_xact_lock(hashtextextended('ledger.reconcile', 0))

-- name: add_reconciliation
INSERT INTO ledger.reconciliations (
    reconciliation_id, kind, source, file_hash, started_by, started_at, finished_at, checked,
    matched, differences, details)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)

-- name: reconciliation
SELECT * FROM ledger.reconciliations WHERE reconciliation_id = $1

-- name: reconciliation_of_file
SELECT * FROM ledger.reconciliations WHERE file_hash = $1

-- name: reconciliations
SELECT * FROM ledger.reconciliations
WHERE $1::uuid IS NULL OR (started_at, reconciliation_id) < (
    SELECT started_at, reconciliation_id FROM ledger.reconciliations WHERE reconciliation_id = $1)
ORDER BY started_at DESC, reconciliation_id DESC LIMIT $2

-- name: newest_scheduled
SELECT started_at FROM ledger.reconciliations
WHERE kind = 'internal' AND started_by IS NULL AND started_at < $1
ORDER BY started_at DESC LIMIT 1

-- name: scales
SELECT currency, scale::integer FROM ledger.currencies

-- name: add_difference
-- What somebody resolved is not listed again, unless there is something else about it.
INSERT INTO ledger.differences
    (difference_id, reconciliation_id, check_name, subject, reason, opened_at, changed_at)
SELECT $1::uuid, $2::uuid, $3, $4, $5, $6::timestamptz, $6
WHERE NOT EXISTS (
    SELECT FROM ledger.differences
    WHERE state = 'resolved' AND check_name = $3 AND subject = $4 AND reason = $5)
ON CONFLICT DO NOTHING

-- name: clear_differences
-- Open ones of these checks that were not found again, in the same words.
UPDATE ledger.differences d SET state = 'cleared', changed_at = $5
WHERE state IN ('open', 'assigned') AND check_name = ANY ($1::text[]) AND NOT EXISTS (
    SELECT FROM unnest($2::text[], $3::text[], $4::text[]) AS f (check_name, subject, reason)
    WHERE (f.check_name, f.subject, f.reason) = (d.check_name, d.subject, d.reason))

-- name: open_differences
SELECT subject, reason FROM ledger.differences
WHERE state IN ('open', 'assigned') AND check_name = $1

-- name: resolved_differences
SELECT subject, reason FROM ledger.differences WHERE state = 'resolved' AND check_name = $1

-- name: differences
SELECT * FROM ledger.differences
WHERE ($1::text IS NULL OR state = $1) AND ($2::uuid IS NULL OR difference_id < $2)
ORDER BY difference_id DESC LIMIT $3

-- name: lock_difference
SELECT * FROM ledger.differences WHERE difference_id = $1 FOR NO KEY UPDATE

-- name: change_difference
UPDATE ledger.differences SET state = $2, assigned_to = $3, note = $4, changed_at = $5
WHERE difference_id = $1
