-- External references in the hash chain. They never change, so each is covered once, by a link of a
-- kind of its own; the digests of batches stay what they are.

-- Not validated: every row before has passed a narrower check.
-- squawk-ignore ban-drop-constraint
ALTER TABLE ledger.chain DROP CONSTRAINT chain_kind_check;
ALTER TABLE ledger.chain ADD CONSTRAINT chain_kind_check
    CHECK (kind IN ('batch', 'seals', 'references')) NOT VALID;

-- Which link covers a reference.
CREATE TABLE ledger.reference_seals (
    reference text PRIMARY KEY,
    position  bigint NOT NULL
);
CREATE INDEX reference_seals_of_link ON ledger.reference_seals (position);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.reference_seals
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();

-- References that no link covers yet: a queue that the chainer empties. Gifts have none.
CREATE TABLE ledger.unsealed_references (
    place     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    reference text NOT NULL
);
CREATE FUNCTION ledger.note_reference() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ledger.unsealed_references (reference) VALUES (NEW.reference);
    RETURN NULL;
END $$;
CREATE TRIGGER note_reference AFTER INSERT ON ledger.external_references
    FOR EACH ROW EXECUTE FUNCTION ledger.note_reference();
INSERT INTO ledger.unsealed_references (reference) SELECT reference FROM ledger.external_references;
