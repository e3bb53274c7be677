-- A file of payouts is kept as it was made: what becomes of its payouts later does not change it.
ALTER TABLE ledger.payout_batches ADD COLUMN content bytea;
