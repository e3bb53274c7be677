-- What only ever goes forward does so whoever changes it: what is captured of a hold and taken back of
-- a transaction grows, and a hold that is closed stays as it is. An account is opened empty.

CREATE FUNCTION ledger.refuse_hold_that_goes_back() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state <> 'open' OR NEW.captured_minor < OLD.captured_minor THEN
        RAISE EXCEPTION 'what was captured of a hold only grows, and a closed hold is final'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER goes_forward BEFORE UPDATE ON ledger.holds
    FOR EACH ROW EXECUTE FUNCTION ledger.refuse_hold_that_goes_back();

CREATE FUNCTION ledger.refuse_reversal_that_goes_back() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.reversed_minor < OLD.reversed_minor THEN
        RAISE EXCEPTION 'what was taken back of a transaction only grows'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER goes_forward BEFORE UPDATE ON ledger.reversals
    FOR EACH ROW EXECUTE FUNCTION ledger.refuse_reversal_that_goes_back();

-- As in 0047, and empty; it looks at what was opened, once a statement.
CREATE OR REPLACE FUNCTION ledger.refuse_unknown_terms() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM added
        WHERE NOT EXISTS (SELECT FROM ledger.chart c WHERE c.code = added.code)
           OR NOT EXISTS (SELECT FROM ledger.currencies c WHERE c.currency = added.currency))
    THEN
        RAISE EXCEPTION 'an account has a code or a currency that does not exist'
            USING ERRCODE = 'foreign_key_violation';
    ELSIF EXISTS (SELECT FROM added WHERE balance_minor <> 0 OR held_minor <> 0) THEN
        RAISE EXCEPTION 'an account is opened with something on it'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
