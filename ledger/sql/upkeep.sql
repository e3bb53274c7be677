-- name: make_months_ahead
SELECT ledger.make_months_ahead($1) AS made

-- name: strays
-- Rows that found no month of their own.
SELECT (SELECT count(*) FROM ledger.posting_entries_default)
           + (SELECT count(*) FROM ledger.gift_entries_default) AS entries,
       (SELECT count(*) FROM ledger.event_log_default) AS batches
