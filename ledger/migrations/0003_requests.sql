-- Idempotency: one answer for one request of one caller.
--
-- A refused request leaves no row: it may be sent again, and is judged anew.
ALTER TABLE ledger.transactions DROP CONSTRAINT one_answer_a_request;

CREATE TABLE ledger.requests (
    -- Whose request it was: the payer of a gift, the admin of a grant. Request ids are made by
    -- clients, so they are looked up within their caller alone: nobody reads another's answer.
    caller_id      uuid NOT NULL,
    request_id     uuid NOT NULL,
    request_hash   bytea NOT NULL,
    transaction_id uuid,  -- of the first posting, where there was one
    posted_at      timestamptz NOT NULL,
    -- The first answer, JSON, but for transaction_id and posted_at. Once it is archived (NULL) a
    -- repeat is refused as expired; key and hash stay, so that the key never means something else.
    answer         text,
    CONSTRAINT one_answer_a_request PRIMARY KEY (caller_id, request_id)
);
CREATE INDEX requests_by_age ON ledger.requests USING brin (posted_at) WITH (autosummarize = on);

INSERT INTO ledger.requests
    (caller_id, request_id, request_hash, transaction_id, posted_at, answer)
SELECT caller_id, request_id, request_hash, transaction_id, posted_at,
       (answer - 'transaction_id' - 'posted_at')::text
FROM ledger.transactions;

CREATE TRIGGER append_only
    BEFORE UPDATE OF caller_id, request_id, request_hash, transaction_id, posted_at
        OR DELETE OR TRUNCATE
    ON ledger.requests FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();

-- Empties the answers of at most `p_limit` requests from before `p_before`; says of how many.
CREATE FUNCTION ledger.archive_requests(p_before timestamptz, p_limit integer)
RETURNS bigint LANGUAGE sql AS $$
    WITH old AS (
        SELECT caller_id, request_id FROM ledger.requests
        WHERE posted_at < p_before AND answer IS NOT NULL
        LIMIT p_limit FOR NO KEY UPDATE SKIP LOCKED
    ), archived AS (
        UPDATE ledger.requests r SET answer = NULL
        FROM old WHERE (r.caller_id, r.request_id) = (old.caller_id, old.request_id)
        RETURNING 1
    )
    SELECT count(*) FROM archived
$$;
