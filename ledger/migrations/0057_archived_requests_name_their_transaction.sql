-- As in 0006, but that an archived request says which transaction it made: who asks again because an
-- answer was lost must learn that it was posted, however late.
CREATE OR REPLACE FUNCTION ledger.first_answer(
    p_caller_id uuid, p_request_id uuid, p_request_hash bytea
) RETURNS TABLE (result text, answer text) LANGUAGE sql STABLE AS $$
    SELECT CASE
               WHEN r.request_hash <> p_request_hash THEN 'idempotency_mismatch'
               WHEN r.answer IS NULL THEN 'request_expired'
               ELSE 'repeated'
           END,
           CASE WHEN r.request_hash = p_request_hash THEN
               '{"posted_at":"' || ledger.rfc3339(r.posted_at)
                   || coalesce('","transaction_id":"' || r.transaction_id, '')
                   || coalesce('",' || substr(r.answer, 2), '"}')
           END
    FROM ledger.requests r WHERE caller_id = p_caller_id AND request_id = p_request_id
$$;
