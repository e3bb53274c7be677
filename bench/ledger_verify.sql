-- A ledger of {gifts} gifts, written straight into the tables. Balances follow from counting: a gift is
-- 10, of which 3 are the house's. Person 0 is issuance, 1 to 10,000 pay, 10,001 is fees, the next 500
-- earn. Batch 1 funds, each later one has a thousand gifts and its own second.
SELECT ledger.make_partitions('{day}', timestamptz '{day}' + interval '1 second' * ({gifts} / 1000));

CREATE TEMP TABLE ids AS
SELECT n, ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid AS id
FROM generate_series(0, greatest({gifts}, 20000)) n;
CREATE INDEX ON ids (n);

-- When the batch of a gift was posted.
CREATE FUNCTION pg_temp.posted_at(gift integer) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
    SELECT timestamptz '{day}'
        + interval '1 second' * CASE gift WHEN 0 THEN 0 ELSE 1 + (gift - 1) / 1000 END
$$;
-- The last gift of those that begin with `first` and come again after `step`.
CREATE FUNCTION pg_temp.last_of(first integer, step integer) RETURNS integer LANGUAGE sql IMMUTABLE
AS $$ SELECT CASE WHEN first > {gifts} THEN 0 ELSE first + step * (({gifts} - first) / step) END $$;

INSERT INTO ledger.accounts (account_id, code, owner_id, currency, balance_minor, moved_at)
SELECT id,
    CASE WHEN n = 0 THEN 'issuance' WHEN n <= 10000 THEN 'wallet' WHEN n = 10001 THEN 'fees'
        ELSE 'earnings' END,
    CASE WHEN n NOT IN (0, 10001) THEN id END, 'COIN',
    CASE WHEN n = 0 THEN -10000::bigint * 10 * {each}
        WHEN n <= 10000
            THEN 10 * ({each} - (SELECT count(*) FROM generate_series(n, {gifts}, 10000)))
        WHEN n = 10001 THEN 3 * {gifts}
        ELSE 7 * (SELECT count(*) FROM generate_series(n - 10001, {gifts}, 500)) END,
    pg_temp.posted_at(CASE WHEN n = 0 THEN 0 WHEN n <= 10000 THEN pg_temp.last_of(n, 10000)
        WHEN n = 10001 THEN {gifts} ELSE pg_temp.last_of(n - 10001, 500) END)
FROM ids WHERE n <= 10501;

INSERT INTO ledger.posting_transactions
    (transaction_id, batch, kind, description, posted_at, effective_at)
SELECT id, 1, 'grant', 'For all', pg_temp.posted_at(0), pg_temp.posted_at(0) FROM ids WHERE n = 0;

INSERT INTO ledger.posting_entries
    (entry_id, transaction_id, account_id, amount_minor, balance_minor, batch, posted_at)
SELECT n, (SELECT id FROM ids WHERE n = 0), id, amount, amount, 1, '{day}'
FROM (
    SELECT n, id, CASE n WHEN 0 THEN -10000::bigint * 10 * {each} ELSE 10 * {each} END AS amount
    FROM ids WHERE n <= 10000
) funded;

INSERT INTO ledger.gift_entries (
    batch, posted_at, total_minor, fee_minor, payer_entry_id, payer_balance_minor, payee_entry_id,
    payee_balance_minor, house_entry_id, house_balance_minor, transaction_id, payer_account_id,
    payee_account_id, house_account_id, description)
SELECT 2 + (gift.n - 1) / 1000, pg_temp.posted_at(gift.n), 10, 3,
    10001 + 3 * gift.n, 10 * ({each} - 1 - (gift.n - 1) / 10000),
    10002 + 3 * gift.n, 7 * (1 + (gift.n - 1) / 500), 10003 + 3 * gift.n, 3 * gift.n,
    gift.id, payer.id, payee.id, house.id, '1 × Rose'
FROM ids gift
JOIN ids payer ON payer.n = 1 + (gift.n - 1) % 10000
JOIN ids payee ON payee.n = 10002 + (gift.n - 1) % 500
JOIN ids house ON house.n = 10001
WHERE gift.n BETWEEN 1 AND {gifts} ORDER BY gift.n;

INSERT INTO ledger.requests
    (caller_id, request_id, request_hash, transaction_id, posted_at, answer)
SELECT payer.id, gift.id, sha256(uuid_send(gift.id)), gift.id, pg_temp.posted_at(gift.n),
    '{{"total_minor":10,"balance_minor":100000,"currency":"COIN"}}'
FROM ids gift JOIN ids payer ON payer.n = CASE gift.n WHEN 0 THEN 0 ELSE 1 + (gift.n - 1) % 10000 END
WHERE gift.n <= {gifts} ORDER BY gift.n;

-- As long as events of gifts are, and as easy to compress.
CREATE FUNCTION pg_temp.id(name text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT md5(name)::uuid::text
$$;
INSERT INTO ledger.event_log (sequence, writer, event_count, posted_at, events)
SELECT batch, 1, 1000, at, (
    SELECT '[' || string_agg(
        '{{"event_id":"' || pg_temp.id('event' || batch || n) || '","type":"gift.sent","version":1,'
        '"data":{{"transaction_id":"' || pg_temp.id('transaction' || batch || n)
        || '","request_id":"' || pg_temp.id('request' || batch || n)
        || '","stream_id":"' || pg_temp.id('payee' || n % 500)
        || '","payer_id":"' || pg_temp.id('payer' || batch % 10 * 1000 + n)
        || '","payer_name":"Vera","payee_id":"' || pg_temp.id('payee' || n % 500)
        || '","gift_id":"rose","count":1,"total_minor":10,"fee_minor":3,"currency":"COIN",'
        '"payer_balance_minor":100000,"payee_balance_minor":' || 7 * batch
        || '}},"occurred_at":"' || ledger.rfc3339(at) || '","sequence":' || batch || '}}', ',')
        || ']'
    FROM generate_series(1, 1000) n)
FROM (
    SELECT batch, timestamptz '{day}' + interval '1 second' * (batch - 1) AS at
    FROM generate_series(1, 1 + ({gifts} + 999) / 1000) batch
) batch;

INSERT INTO ledger.unsealed_accounts (account_id) SELECT account_id FROM ledger.accounts;
