-- name: missing_months
SELECT parent, month FROM ledger.missing_months($1)

-- name: make_month
SELECT ledger.make_month($1, $2, $3)::integer AS made

-- name: strays
-- Rows that found no month of their own.
SELECT (SELECT count(*) FROM ledger.posting_entries_default)
           + (SELECT count(*) FROM ledger.gift_entries_default) AS entries,
       (SELECT count(*) FROM ledger.event_log_default) AS batches
