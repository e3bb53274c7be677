-- The hash chain of a ledger, made again in plain SQL (PostgreSQL 15 or newer, no extension).
--
--     psql -f verify.sql DATABASE
--
-- Gives a row for every link whose digest or hash is not what the rows of the ledger come to, and
-- for every batch and request that is not in the chain; no row when everything is. See EVIDENCE.md.
WITH
-- A field is its length (32 bits) and its octets; NULL is the length -1 alone.
entry AS (
    SELECT batch, count(*) AS rows, string_agg(
        int2send(7::int2)
        || int4send(8) || int8send(entry_id)
        || int4send(16) || uuid_send(transaction_id)
        || int4send(16) || uuid_send(account_id)
        || int4send(8) || int8send(amount_minor)
        || int4send(8) || int8send(balance_minor)
        || int4send(8) || int8send(batch)
        || int4send(8) || timestamptz_send(posted_at), '' ORDER BY entry_id) AS octets
    FROM ledger.journal_entries GROUP BY batch
), posted AS (
    SELECT batch, count(*) AS rows, string_agg(
        int2send(9::int2)
        || int4send(8) || int8send(batch)
        || int4send(16) || uuid_send(transaction_id)
        || int4send(octet_length(kind)) || convert_to(kind, 'UTF8')
        || int4send(octet_length(description)) || convert_to(description, 'UTF8')
        || coalesce(int4send(octet_length(memo)) || convert_to(memo, 'UTF8'), int4send(-1))
        || coalesce(int4send(octet_length(metadata::text)) || convert_to(metadata::text, 'UTF8'),
                    int4send(-1))
        || coalesce(int4send(16) || uuid_send(reverses), int4send(-1))
        || int4send(8) || timestamptz_send(posted_at)
        || int4send(8) || timestamptz_send(effective_at), '' ORDER BY transaction_id) AS octets
    FROM ledger.transactions GROUP BY batch
), batch AS (
    SELECT sequence, sha256(
        convert_to(E'sociallive.ledger.batch.v1\n', 'UTF8')
        || int2send(5::int2)
        || int4send(8) || int8send(sequence)
        || int4send(8) || int8send(writer)
        || int4send(8) || int8send(event_count)
        || int4send(8) || timestamptz_send(posted_at)
        || int4send(octet_length(events)) || convert_to(events, 'UTF8')
        || int4send(coalesce(posted.rows, 0)::int) || coalesce(posted.octets, '')
        || int4send(coalesce(entry.rows, 0)::int) || coalesce(entry.octets, '')) AS digest
    FROM ledger.event_log
    LEFT JOIN posted ON posted.batch = sequence
    LEFT JOIN entry ON entry.batch = sequence
), seal AS (
    SELECT position, sha256(
        convert_to(E'sociallive.ledger.seals.v1\n', 'UTF8')
        || int4send(count(*)::int)
        || string_agg(
            int2send(9::int2)
            || int4send(8) || int8send(position)
            || int4send(16) || uuid_send(account_id)
            || int4send(octet_length(code)) || convert_to(code, 'UTF8')
            || coalesce(int4send(16) || uuid_send(owner_id), int4send(-1))
            || int4send(8) || int8send(shard)
            || int4send(octet_length(currency)) || convert_to(currency, 'UTF8')
            || int4send(8) || timestamptz_send(created_at)
            || coalesce(int4send(8) || timestamptz_send(closed_at), int4send(-1))
            || int4send(octet_length(metadata::text)) || convert_to(metadata::text, 'UTF8'),
            '' ORDER BY account_id)) AS digest
    FROM ledger.account_seals GROUP BY position
), reference AS (
    SELECT position, sha256(
        convert_to(E'sociallive.ledger.references.v1\n', 'UTF8')
        || int4send(count(*)::int)
        || string_agg(
            int2send(3::int2)
            || int4send(8) || int8send(position)
            || int4send(octet_length(reference)) || convert_to(reference, 'UTF8')
            || int4send(16) || uuid_send(transaction_id),
            '' ORDER BY reference COLLATE "C")) AS digest
    FROM ledger.reference_seals JOIN ledger.external_references USING (reference)
    GROUP BY position
), request_link AS (
    -- A batch's requests are covered by the first link that goes as far as the batch.
    SELECT DISTINCT sequence, min(position) OVER (ORDER BY sequence DESC) AS position
    FROM (
        SELECT sequence, NULL::bigint AS position FROM ledger.event_log
        UNION ALL
        SELECT requests_until, position FROM ledger.chain WHERE kind = 'requests'
    ) along
), posted_request AS (
    SELECT position, count(*) AS rows, string_agg(
        int2send(6::int2)
        || int4send(8) || int8send(batch)
        || int4send(16) || uuid_send(caller_id)
        || int4send(16) || uuid_send(request_id)
        || int4send(octet_length(request_hash)) || request_hash
        || int4send(16) || uuid_send(transaction_id)
        || int4send(8) || timestamptz_send(posted_at),
        '' ORDER BY batch, caller_id, request_id) AS octets
    FROM ledger.requests
    JOIN ledger.transactions USING (transaction_id, posted_at)
    JOIN request_link ON sequence = batch
    GROUP BY position
), unposted_request AS (
    SELECT position, count(*) AS rows, string_agg(
        int2send(5::int2)
        || int4send(8) || int8send(position)
        || int4send(16) || uuid_send(caller_id)
        || int4send(16) || uuid_send(request_id)
        || int4send(octet_length(request_hash)) || request_hash
        || int4send(8) || timestamptz_send(posted_at),
        '' ORDER BY caller_id, request_id) AS octets
    FROM ledger.request_seals JOIN ledger.requests USING (caller_id, request_id)
    WHERE transaction_id IS NULL GROUP BY position
), request AS (
    SELECT position, sha256(
        convert_to(E'sociallive.ledger.requests.v1\n', 'UTF8')
        || int4send(coalesce(posted.rows, 0)::int) || coalesce(posted.octets, '')
        || int4send(coalesce(unposted.rows, 0)::int) || coalesce(unposted.octets, '')) AS digest
    FROM ledger.chain
    LEFT JOIN posted_request posted USING (position)
    LEFT JOIN unposted_request unposted USING (position)
    WHERE kind = 'requests'
), link AS (
    SELECT position, kind, sequence, hash, link.digest, sha256(
        convert_to(E'sociallive.ledger.link.v1\n', 'UTF8')
        || coalesce(lag(hash) OVER along, decode(repeat('00', 32), 'hex'))
        || int8send(position) || CASE kind
            WHEN 'batch' THEN 'B'::bytea WHEN 'seals' THEN 'S'::bytea
            WHEN 'references' THEN 'R'::bytea ELSE 'Q'::bytea END
        || int8send(sequence) || coalesce(int8send(requests_until), '')
        || link.digest || sha256(marks)) AS expected_hash,
        CASE kind
            WHEN 'batch' THEN batch.digest WHEN 'seals' THEN seal.digest
            WHEN 'references' THEN reference.digest ELSE request.digest
        END AS expected_digest,
        lag(position, 1, 0::bigint) OVER along AS before
    FROM ledger.chain AS link
    LEFT JOIN batch USING (sequence)
    LEFT JOIN seal USING (position)
    LEFT JOIN reference USING (position)
    LEFT JOIN request USING (position)
    WINDOW along AS (ORDER BY position)
)
SELECT position, 'digest' AS problem FROM link WHERE digest IS DISTINCT FROM expected_digest
UNION ALL
SELECT position, 'hash' FROM link WHERE hash <> expected_hash
UNION ALL
SELECT position, 'a link before it is missing' FROM link WHERE position <> before + 1
UNION ALL
SELECT sequence, 'this batch is not in the chain' FROM ledger.event_log
WHERE sequence NOT IN (SELECT sequence FROM ledger.chain WHERE kind = 'batch')
UNION ALL
SELECT NULL, 'no link covers request ' || request_id FROM ledger.requests request
WHERE transaction_id IS NOT NULL AND NOT EXISTS (
    SELECT FROM ledger.transactions posted JOIN request_link ON sequence = batch
    WHERE posted.transaction_id = request.transaction_id
      AND posted.posted_at = request.posted_at AND position IS NOT NULL)
UNION ALL
SELECT NULL, 'no link covers request ' || request_id FROM ledger.requests request
WHERE transaction_id IS NULL AND NOT EXISTS (
    SELECT FROM ledger.request_seals seal JOIN ledger.chain USING (position)
    WHERE (seal.caller_id, seal.request_id) = (request.caller_id, request.request_id)
      AND kind = 'requests')
ORDER BY 1, 2
