-- name: wallet
SELECT coalesce(sum(balance_minor) FILTER (WHERE code = 'wallet'), 0)::bigint AS balance_minor,
       coalesce(sum(balance_minor) FILTER (WHERE code = 'earnings'), 0)::bigint AS earnings_minor
FROM ledger.accounts WHERE owner_id = $1 AND currency = $2

-- name: statement
-- One statement, so that balance and lines are of one moment.
SELECT a.account_id, a.balance_minor AS account_balance_minor, line.*
FROM ledger.accounts a
LEFT JOIN LATERAL (
    SELECT e.entry_id, e.transaction_id, t.kind, e.amount_minor, e.balance_minor, t.description,
           e.posted_at AS created_at
    FROM ledger.journal_entries e JOIN ledger.transactions t USING (transaction_id)
    WHERE e.account_id = a.account_id AND e.entry_id < $4
    ORDER BY e.entry_id DESC LIMIT $5
) line ON true
WHERE a.owner_id = $1 AND a.code = $2 AND a.currency = $3 AND a.shard = 0
ORDER BY line.entry_id DESC

-- name: trial_balance
SELECT code,
       coalesce(sum(-balance_minor) FILTER (WHERE balance_minor < 0), 0)::bigint AS debit_minor,
       coalesce(sum(balance_minor) FILTER (WHERE balance_minor > 0), 0)::bigint AS credit_minor,
       count(*) AS accounts
FROM ledger.accounts WHERE currency = $1 GROUP BY code
