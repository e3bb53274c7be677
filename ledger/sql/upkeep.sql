-- name: missing_months
SELECT parent, month FROM ledger.missing_months($1)

-- name: make_month
SELECT ledger.make_month($1, $2, $3)::integer AS made

-- name: strays
-- Rows that found no month of their own.
SELECT (SELECT count(*) FROM ledger.posting_entries_default)
           + (SELECT count(*) FROM ledger.gift_entries_default) AS entries,
       (SELECT count(*) FROM ledger.event_log_default) AS batches

-- name: clock_ahead
-- Seconds that the newest of the last postings is ahead of the database's clock.
SELECT greatest(0, extract(epoch FROM max(posted_at) - clock_timestamp()))::float8 AS ahead_s
FROM (SELECT posted_at FROM ledger.event_log ORDER BY sequence DESC LIMIT 1000) newest
