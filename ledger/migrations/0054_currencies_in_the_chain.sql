-- Currencies in the log, and so in the chain: what scale one was added with. COIN is the product's
-- own, of scale 0; what else is there already, or is not like that, is told of as it is found.

CREATE FUNCTION ledger.log_currency() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ledger.log_events(ledger.next_batch(), clock_timestamp(), jsonb_build_array(
        jsonb_build_object('type', 'currency.added', 'data', jsonb_build_object(
            'currency', NEW.currency, 'scale', NEW.scale))));
    RETURN NULL;
END $$;
CREATE TRIGGER log_currency AFTER INSERT ON ledger.currencies
    FOR EACH ROW EXECUTE FUNCTION ledger.log_currency();

SELECT ledger.log_events(ledger.next_batch(), clock_timestamp(), jsonb_build_array(
    jsonb_build_object('type', 'currency.added', 'data', jsonb_build_object(
        'currency', currency, 'scale', scale))))
FROM ledger.currencies WHERE (currency, scale) <> ('COIN', 0) ORDER BY currency;
