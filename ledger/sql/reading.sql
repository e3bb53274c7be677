-- name: wallet
-- What due holds keep back is free at the moment that they name, whether somebody has closed them.
SELECT coalesce(sum(balance_minor) FILTER (WHERE code = 'wallet'), 0)::bigint AS balance_minor,
       coalesce(sum(balance_minor) FILTER (WHERE code = 'earnings'), 0)::bigint AS earnings_minor,
       coalesce(sum(balance_minor - a.held_minor + due.held_minor)
           FILTER (WHERE code = 'earnings_available'), 0)::bigint AS earnings_available_minor,
       coalesce(sum(a.held_minor - due.held_minor) FILTER (WHERE code = 'wallet'), 0)::bigint
           AS held_minor
FROM ledger.accounts a CROSS JOIN LATERAL (
    SELECT coalesce(sum(amount_minor - captured_minor), 0) AS held_minor FROM ledger.holds h
    WHERE h.account_id = a.account_id AND h.state = 'open' AND h.expires_at <= clock_timestamp()
) due
WHERE owner_id = $1 AND currency = $2

-- name: statement
-- One statement, so that balance and lines are of one moment. An account may be several rows; its
-- balance after an entry is the balance now, less what came after.
WITH part AS (
    SELECT account_id, balance_minor, shard FROM ledger.accounts
    WHERE owner_id = $1 AND code = $2 AND currency = $3
), newest AS (
    SELECT line.* FROM part CROSS JOIN LATERAL (
        SELECT e.entry_id, e.transaction_id, e.amount_minor, e.posted_at
        FROM ledger.journal_entries e
        WHERE e.account_id = part.account_id AND e.entry_id < $4
        ORDER BY e.posted_at DESC, e.entry_id DESC LIMIT $5
    ) line ORDER BY entry_id DESC LIMIT $5
), later AS (
    SELECT coalesce(sum(part.balance_minor - coalesce(before.balance_minor, 0)), 0) AS amount_minor
    FROM part LEFT JOIN LATERAL (
        SELECT e.balance_minor FROM ledger.journal_entries e
        WHERE e.account_id = part.account_id AND e.entry_id < $4
        ORDER BY e.posted_at DESC, e.entry_id DESC LIMIT 1
    ) before ON true
), total AS (
    SELECT (array_agg(account_id ORDER BY shard))[1] AS account_id,
           sum(balance_minor)::bigint AS balance_minor
    FROM part HAVING count(*) > 0
)
SELECT total.account_id, total.balance_minor AS account_balance_minor, line.entry_id,
       line.transaction_id, t.kind, line.amount_minor, t.description, line.posted_at AS created_at,
       (total.balance_minor - later.amount_minor - coalesce(sum(line.amount_minor) OVER (
           ORDER BY line.entry_id DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)
       )::bigint AS balance_minor
FROM total CROSS JOIN later
LEFT JOIN newest line ON true
LEFT JOIN ledger.transactions t USING (transaction_id)
ORDER BY line.entry_id DESC

-- name: trial_balance
SELECT code,
       coalesce(sum(-balance_minor) FILTER (WHERE balance_minor < 0), 0)::bigint AS debit_minor,
       coalesce(sum(balance_minor) FILTER (WHERE balance_minor > 0), 0)::bigint AS credit_minor,
       count(*) AS accounts
FROM ledger.accounts WHERE currency = $1 GROUP BY code
