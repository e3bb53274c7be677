-- Idempotency keys in the hash chain, by links of a kind of their own; gifts write nothing for it. A
-- request that posted something is covered with the batch of its transaction, whose id and posted_at
-- it has. One that posted nothing is covered once, as external references are (0040).

-- Only chainers write to the table, and they can wait.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX links_of_requests ON ledger.chain (position) WHERE kind = 'requests';

-- Which link covers a request that posted nothing.
CREATE TABLE ledger.request_seals (
    caller_id  uuid NOT NULL,
    request_id uuid NOT NULL,
    position   bigint NOT NULL,
    PRIMARY KEY (caller_id, request_id)
);
CREATE INDEX request_seals_of_link ON ledger.request_seals (position);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.request_seals
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();

-- Requests that posted nothing and that no link covers yet: a queue that the chainer empties. What is
-- in it twice is covered once.
CREATE TABLE ledger.unsealed_requests (
    place      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    caller_id  uuid NOT NULL,
    request_id uuid NOT NULL
);
INSERT INTO ledger.unsealed_requests (caller_id, request_id)
SELECT caller_id, request_id FROM ledger.requests WHERE transaction_id IS NULL;
-- Servers that are up queue, too, before the next one to start has brought the grants up to date.
DO $$ BEGIN
    IF to_regrole('sociallive_app') IS NOT NULL THEN
        GRANT INSERT ON ledger.unsealed_requests TO sociallive_app;
    END IF;
END $$;

-- `requests_until`: the last batch whose requests a link of requests covers; the first is the one
-- behind that of the link of requests before. It may be less than `sequence`: a ledger that is older
-- than such links is worked off bit by bit, while new batches are linked.
ALTER TABLE ledger.chain ADD COLUMN requests_until bigint;
-- Not validated: every row before has passed a narrower check.
-- squawk-ignore ban-drop-constraint
ALTER TABLE ledger.chain DROP CONSTRAINT chain_kind_check;
ALTER TABLE ledger.chain ADD CONSTRAINT chain_kind_check
    CHECK (kind IN ('batch', 'seals', 'references', 'requests')) NOT VALID;
ALTER TABLE ledger.chain ADD CONSTRAINT requests_have_an_end
    CHECK ((kind = 'requests') = (requests_until IS NOT NULL)) NOT VALID;

-- Whoever posts nothing changes a hold before the answer is kept. Once this lock is there, nobody is
-- between the two any more, and whoever comes later finds the function below. What went through
-- since the long look above is queued by a short one.
LOCK TABLE ledger.holds IN SHARE ROW EXCLUSIVE MODE;

-- As in 0006; what posts nothing is queued.
CREATE OR REPLACE FUNCTION ledger.keep_answer(
    p_caller_id uuid, p_request_id uuid, p_request_hash bytea, p_transaction_id uuid,
    p_at timestamptz, p_answer jsonb
) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ledger.requests
        (caller_id, request_id, request_hash, transaction_id, posted_at, answer)
    VALUES (p_caller_id, p_request_id, p_request_hash, p_transaction_id, p_at, p_answer::text)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN  -- an equal key, for other accounts, was faster
        PERFORM ledger.refuse('raced');
    END IF;
    IF p_transaction_id IS NULL THEN
        INSERT INTO ledger.unsealed_requests (caller_id, request_id)
        VALUES (p_caller_id, p_request_id);
    END IF;
    RETURN (
        SELECT answer FROM ledger.first_answer(p_caller_id, p_request_id, p_request_hash));
END $$;

INSERT INTO ledger.unsealed_requests (caller_id, request_id)
SELECT caller_id, request_id FROM ledger.requests
WHERE transaction_id IS NULL AND posted_at > now() - interval '1 hour';
