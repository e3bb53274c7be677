-- name: wallet
-- What due holds keep back is free at the moment that they name, whether somebody has closed them.
-- What is owed after a chargeback can't be paid out.
SELECT coalesce(sum(balance_minor) FILTER (WHERE code = 'wallet'), 0)::bigint AS balance_minor,
       coalesce(sum(balance_minor) FILTER (WHERE code = 'earnings'), 0)::bigint AS earnings_minor,
       greatest(0, coalesce(sum(balance_minor - a.held_minor + due.held_minor)
               FILTER (WHERE code = 'earnings_available'), 0)
           + coalesce(sum(least(balance_minor, 0))
               FILTER (WHERE code = 'chargeback_reserve'), 0))::bigint
           AS earnings_available_minor,
       coalesce(sum(a.held_minor - due.held_minor) FILTER (WHERE code = 'wallet'), 0)::bigint
           AS held_minor
FROM ledger.accounts a CROSS JOIN LATERAL (
    SELECT coalesce(sum(amount_minor - captured_minor), 0) AS held_minor FROM ledger.holds h
    WHERE h.account_id = a.account_id AND h.state = 'open' AND h.expires_at <= clock_timestamp()
) due
WHERE owner_id = $1 AND currency = $2

-- name: statement
-- Entries posted in [$4, $5), newest first, behind the place ($6, $7) of the page before. An account
-- may be several rows; its balance at a place is the sum of what each had there, which is the
-- balance after its last entry before that place: one step in each index by account.
WITH part AS (
    SELECT account_id, balance_minor, shard FROM ledger.accounts
    WHERE owner_id = $1 AND code = $2 AND currency = $3
), newest AS (
    SELECT line.* FROM part CROSS JOIN LATERAL (
        SELECT e.entry_id, e.transaction_id, e.amount_minor, e.posted_at
        FROM ledger.journal_entries e
        WHERE e.account_id = part.account_id AND e.posted_at >= $4 AND e.posted_at <= $6
          AND (e.posted_at, e.entry_id) < ($6, $7)
        ORDER BY e.posted_at DESC, e.entry_id DESC LIMIT $8
    ) line ORDER BY posted_at DESC, entry_id DESC LIMIT $8
), place (name, at, entry_id) AS (
    VALUES ('opening', $4::timestamptz, -1::bigint), ('closing', $5::timestamptz, -1::bigint),
           ('page', $6::timestamptz, $7::bigint)
), balance AS (
    SELECT place.name, coalesce(sum(before.balance_minor), 0)::bigint AS minor
    FROM place CROSS JOIN part LEFT JOIN LATERAL (
        SELECT e.balance_minor FROM ledger.journal_entries e
        WHERE e.account_id = part.account_id AND e.posted_at <= place.at
          AND (e.posted_at, e.entry_id) < (place.at, place.entry_id)
        ORDER BY e.posted_at DESC, e.entry_id DESC LIMIT 1
    ) before ON true
    GROUP BY place.name
), total AS (
    SELECT (array_agg(account_id ORDER BY shard))[1] AS account_id,
           sum(balance_minor)::bigint AS balance_minor,
           (SELECT minor FROM balance WHERE name = 'opening') AS opening_minor,
           (SELECT minor FROM balance WHERE name = 'closing') AS closing_minor,
           (SELECT minor FROM balance WHERE name = 'page') AS page_minor
    FROM part HAVING count(*) > 0
)
SELECT total.account_id, total.balance_minor AS account_balance_minor, total.opening_minor,
       total.closing_minor, line.entry_id, line.transaction_id, t.kind, line.amount_minor,
       t.description, line.posted_at AS created_at,
       (total.page_minor - coalesce(sum(line.amount_minor) OVER (
           ORDER BY line.posted_at DESC, line.entry_id DESC
           ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0))::bigint AS balance_minor
FROM total
LEFT JOIN newest line ON true
LEFT JOIN ledger.transactions t USING (transaction_id, posted_at)
ORDER BY line.posted_at DESC, line.entry_id DESC

-- name: balance_at
-- Of an account at an instant, entries of that instant included: what each of its rows had after its
-- last entry until then. `$1` is NULL for an account of the house.
SELECT coalesce(sum(last.balance_minor), 0)::bigint AS balance_minor
FROM ledger.accounts a CROSS JOIN LATERAL (
    SELECT e.balance_minor FROM ledger.journal_entries e
    WHERE e.account_id = a.account_id AND e.posted_at <= $4
    ORDER BY e.posted_at DESC, e.entry_id DESC LIMIT 1
) last
WHERE (a.owner_id = $1 OR (a.owner_id IS NULL AND $1::uuid IS NULL))
  AND a.code = $2 AND a.currency = $3

-- name: scale
SELECT scale::integer FROM ledger.currencies WHERE currency = $1

-- name: trial_balance
SELECT code,
       coalesce(sum(-balance_minor) FILTER (WHERE balance_minor < 0), 0)::bigint AS debit_minor,
       coalesce(sum(balance_minor) FILTER (WHERE balance_minor > 0), 0)::bigint AS credit_minor,
       count(*) AS accounts
FROM ledger.accounts WHERE currency = $1 GROUP BY code
