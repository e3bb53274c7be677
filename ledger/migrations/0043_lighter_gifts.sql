-- What every gift paid for and need not.

-- A page of accounts was cleaned as soon as less of it was free than was kept free: at nearly every
-- update. The least share that PostgreSQL leaves (a tenth) is room for as many balances, and is
-- cleaned once they have filled it. Pages that are there change as they are written.
ALTER TABLE ledger.accounts SET (fillfactor = 90);

-- A regular expression is dear, and nearly all kinds are one word. What is there was held to the same.
ALTER TABLE ledger.transactions
    -- squawk-ignore ban-drop-constraint
    DROP CONSTRAINT transactions_kind_check1,
    ADD CONSTRAINT kind_is_a_word CHECK (kind = 'gift' OR kind ~ '^[a-z_]{1,32}$') NOT VALID;
