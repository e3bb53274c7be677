-- A payout may be taken back while its hold is being placed, too.
INSERT INTO ledger.payout_moves VALUES ('approved', 'cancelled');
